//! Settings: where they come from, which one wins, and what is said of a wrong one.

use super::{Folder, keystead, run};
use keystead::config::SETTINGS;
use std::fs;

#[test]
fn every_setting_is_printed_and_can_be_read_back() {
    let folder = Folder::new("round");
    let first = run(&mut keystead(folder.path(), &["config"]));
    assert_eq!(first.code, Some(0), "{}", first.err);
    for setting in SETTINGS {
        let line = format!(
            "\n{}{} = ",
            if setting.secret { "# " } else { "" },
            setting.name
        );
        assert!(first.out.contains(&line), "no line{line:?}");
        assert!(!setting.description.trim().is_empty());
    }
    fs::write(folder.path().join("keystead.toml"), &first.out).unwrap();
    let second = run(&mut keystead(folder.path(), &["config"]));
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(values(&first.out), values(&second.out), "{}", second.err);
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let folder = Folder::new("order");
    fs::write(
        folder.path().join("keystead.toml"),
        "pool_size = 1\nbatch_limit = 1\npassword_cost = 5\ncors_origins = [\"https://a.example\"]\n",
    )
    .unwrap();
    let ran = run(keystead(folder.path(), &["config", "--pool-size", "3"])
        .env("KEYSTEAD_POOL_SIZE", "2")
        .env("KEYSTEAD_BATCH_LIMIT", "2")
        .env("KEYSTEAD_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128"));
    for line in [
        "# Set by --pool-size on the command line.\npool_size = 3\n",
        "# Set by KEYSTEAD_BATCH_LIMIT in the environment.\nbatch_limit = 2\n",
        "# Set by keystead.toml.\npassword_cost = 5\n",
        "cors_origins = [\"https://a.example\"]\n",
        "trusted_proxies = [\"10.0.0.0/8\", \"::1/128\"]\n",
    ] {
        assert!(
            ran.out.contains(line),
            "{line:?} is missing: {}{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn an_unknown_name_in_the_file_is_refused_with_the_right_one() {
    let folder = Folder::new("unknown");
    fs::write(
        folder.path().join("keystead.toml"),
        "pool-size = 3\ncolour = 1\n",
    )
    .unwrap();
    let ran = run(&mut keystead(folder.path(), &["config"]));
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.err,
        "keystead: the configuration is not right:\n  \
         keystead.toml: there is no setting `colour`; `keystead config` prints all there are\n  \
         keystead.toml: there is no setting `pool-size`; did you mean `pool_size`?\n"
    );
}

#[test]
fn a_misspelt_variable_is_told_beside_the_settings() {
    let folder = Folder::new("misspelt");
    let ran = run(keystead(folder.path(), &["config"]).env("KEYSTEAD_POOLSIZE", "3"));
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        ran.err,
        "keystead: the variable KEYSTEAD_POOLSIZE sets nothing; did you mean KEYSTEAD_POOL_SIZE?\n"
    );
    assert!(ran.out.contains("\npool_size = 16\n"), "{}", ran.out);
}

#[test]
fn every_bad_value_is_named_with_its_place_and_what_would_be_right() {
    let folder = Folder::new("values");
    fs::write(
        folder.path().join("keystead.toml"),
        "password_cost = 99\ntls_key = \"missing.pem\"\n",
    )
    .unwrap();
    let ran = run(
        keystead(folder.path(), &["config", "--public-url", "example.com"])
            .env("KEYSTEAD_POOL_SIZE", "0")
            .env("KEYSTEAD_CORS_ORIGINS", "https://a.example/path"),
    );
    assert_eq!(ran.code, Some(1));
    for part in [
        "pool_size (KEYSTEAD_POOL_SIZE in the environment) is 0; it must be 1 to 1000",
        "password_cost (keystead.toml) is 99; it must be 4 to 15",
        "tls_certificate is not set, and TLS needs it beside tls_key",
        "public_url (--public-url on the command line) is `example.com`; it must be a scheme and a host",
        "cors_origins (KEYSTEAD_CORS_ORIGINS in the environment) has `https://a.example/path`; an origin is a scheme and a host",
    ] {
        assert!(ran.err.contains(part), "{part:?} is missing: {}", ran.err);
    }
    let ran = run(keystead(folder.path(), &["config"]).env("KEYSTEAD_BODY_LIMIT", "3GB"));
    assert!(
        ran.err
            .contains("body_limit (KEYSTEAD_BODY_LIMIT in the environment)"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("a size such as 512, 64KiB or 1MiB"),
        "{}",
        ran.err
    );
}

#[test]
fn the_collector_is_named_by_the_standard_variables_too() {
    let folder = Folder::new("otlp");
    let set = |variables: &[(&str, &str)]| {
        let mut command = keystead(folder.path(), &["config"]);
        run(command.envs(variables.iter().copied()))
    };
    let ran = set(&[
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://collector.example.com/otlp",
        ),
        ("OTEL_SERVICE_NAME", "keystead-eu"),
        ("KEYSTEAD_OTLP_SAMPLE", "0.25"),
    ]);
    for line in [
        "# Set by OTEL_EXPORTER_OTLP_ENDPOINT in the environment.\notlp_endpoint = \"https://collector.example.com/otlp\"\n",
        "# Set by OTEL_SERVICE_NAME in the environment.\notlp_service_name = \"keystead-eu\"\n",
        "otlp_sample = 0.25\n",
    ] {
        assert!(
            ran.out.contains(line),
            "{line:?} is missing: {}{}",
            ran.out,
            ran.err
        );
    }
    // Keystead's own goes first, and zero and one are numbers too.
    let ran = set(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a.example:4317"),
        ("KEYSTEAD_OTLP_ENDPOINT", "http://b.example:4318"),
        ("KEYSTEAD_OTLP_SAMPLE", "0"),
    ]);
    assert!(
        ran.out
            .contains("\notlp_endpoint = \"http://b.example:4318\"\n"),
        "{}{}",
        ran.out,
        ran.err
    );
    for wrong in [
        "localhost:4318",
        "grpc://a.example",
        "http://",
        "http://u:hunter2@a.example",
        "http://a.example/?key=hunter2",
    ] {
        let ran = set(&[("KEYSTEAD_OTLP_ENDPOINT", wrong)]);
        assert_eq!(ran.code, Some(1), "{wrong}");
        assert!(ran.err.contains("otlp_endpoint (KEYSTEAD_OTLP_ENDPOINT in the environment) is no address of a collector"), "{}", ran.err);
        assert!(!ran.err.contains("hunter2"), "{}", ran.err);
    }
    for wrong in ["1.5", "-1", "nan"] {
        let ran = set(&[("KEYSTEAD_OTLP_SAMPLE", wrong)]);
        assert_eq!(ran.code, Some(1), "{wrong}");
        assert!(
            ran.err
                .contains("otlp_sample (KEYSTEAD_OTLP_SAMPLE in the environment)"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn the_password_of_the_database_is_never_printed() {
    let folder = Folder::new("secret");
    for url in [
        "postgresql://u:hunter2@localhost/d",
        "nonsense hunter2",
        "hunter2://x",
    ] {
        for arguments in [&["config"][..], &["doctor"], &["migrate"]] {
            let ran = run(keystead(folder.path(), arguments).env("DATABASE_URL", url));
            assert!(!ran.out.contains("hunter2"), "{}", ran.out);
            assert!(!ran.err.contains("hunter2"), "{}", ran.err);
        }
    }
    let ran = run(keystead(folder.path(), &["config"])
        .env("DATABASE_URL", "postgresql://u:hunter2@localhost/d"));
    assert!(
        ran.out.contains(
            "# Set by DATABASE_URL in the environment.\n# database_url = (set, not shown)\n"
        ),
        "{}",
        ran.out
    );
}

#[test]
fn an_address_that_cannot_be_listened_on_is_told_by_an_example() {
    let folder = Folder::new("listen");
    let ran = run(&mut keystead(
        folder.path(),
        &["config", "--listen", "4000"],
    ));
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("such as 127.0.0.1:4000"), "{}", ran.err);
}
