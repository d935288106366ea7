//! `--help`: every command, and every setting in one place.

use super::{Folder, keystead, run};
use keystead::config::SETTINGS;

const POINTER: &str =
    "All settings are flags too: see `keystead serve --help` or `keystead config`.";

fn help(arguments: &[&str]) -> String {
    let folder = Folder::new(&format!("help-{}", arguments.join("-")));
    let ran = run(&mut keystead(folder.path(), arguments));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out
}

#[test]
fn help_names_every_command_and_says_where_the_settings_are() {
    for argument in ["-h", "--help"] {
        let text = help(&[argument]);
        for command in [
            "serve", "migrate", "schema", "admin", "config", "doctor", "seed",
        ] {
            assert!(text.contains(&format!("\n  {command} ")), "{text}");
        }
        assert!(text.contains("`keystead serve --help`"), "{text}");
        assert!(!text.contains("--pool-size <"), "{text}");
    }
}

#[test]
fn the_help_of_serve_has_every_setting_under_its_heading_with_its_default() {
    let text = help(&["serve", "--help"]);
    let mut rest = text.as_str();
    for setting in SETTINGS {
        let (flag, heading) = (
            format!("  --{} <", setting.name.replace('_', "-")),
            format!("\n{}:\n", setting.group),
        );
        assert_eq!(text.matches(&heading).count(), 1, "{heading:?}: {text}");
        // In their order, so each is below its heading.
        rest = &rest[rest.find(&flag).unwrap_or_else(|| panic!("{flag}: {text}"))..];
        assert!(text.find(&heading) < text.find(&flag), "{flag}: {text}");
    }
    for part in [
        "      --listen <ADDRESS:PORT>\n          The address and port to listen on.",
        "[default: 127.0.0.1:4000]\n",
        "      --data-dir <FOLDER>\n",
        "      --tls-key <FILE>\n          The file with the private key (PEM) of the certificate.\n\n",
        "      --trusted-proxies <LIST>\n",
        "      --body-limit <SIZE>\n          The largest request body. 1KiB to 64MiB.\n          [default: 1MiB]\n",
        "      --metrics <true|false>\n",
        "      --database-url <URL>\n",
        "      --pool-wait <DURATION>\n          How long a request waits for a free connection. 10ms to 1m.\n          [default: 5s]\n",
        "      --introspection <true|false|auto>\n",
        "      --log-format <auto|json|pretty>\n",
        "      --otlp-sample <NUMBER>\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    assert!(!text.contains("<VALUE>"), "{text}");
    assert_eq!(help(&["help", "serve"]), text);
    let short = help(&["serve", "-h"]);
    assert!(!short.contains("--pool-size"), "{short}");
    assert!(short.contains("`--help` lists them"), "{short}");
}

#[test]
fn other_commands_have_a_line_about_the_settings_and_take_them_all_the_same() {
    for arguments in [
        &["migrate", "--help"][..],
        &["doctor", "-h"],
        &["seed", "--help"],
        &["config", "--help"],
        &["admin", "create", "--help"],
        &["admin", "--help"],
    ] {
        let text = help(arguments);
        assert!(!text.contains("--pool-size"), "{text}");
        assert_eq!(text.matches(POINTER).count(), 1, "{text}");
    }
    let folder = Folder::new("help-taken");
    for arguments in [
        &["config", "--pool-size", "3"][..],
        &["--pool-size", "3", "config"],
        &["--pool-size=2", "config", "--pool-size=3"],
    ] {
        let ran = run(&mut keystead(folder.path(), arguments));
        assert!(ran.out.contains("\npool_size = 3\n"), "{}", ran.err);
    }
}
