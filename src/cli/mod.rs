//! What the commands are, and the way from the words on the command line to one of them.

mod admin;
mod database;
mod doctor;
mod output;
mod seed;
mod serve;

use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use keystead::config::{Config, Loaded, SETTINGS, Setting, Sources, defaults};
use output::Failure;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Without a command Keystead serves. Every setting is a flag of every command (--pool-size), a variable of the environment
(KEYSTEAD_POOL_SIZE) and a line in keystead.toml (pool_size): `keystead serve --help` lists the flags, `keystead config` prints the file.";

const AFTER_COMMAND: &str =
    "All settings are flags too: see `keystead serve --help` or `keystead config`.";

const AFTER_SERVE: &str = "All settings are flags too: `--help` lists them.";

/// One place that owns users, teams, API keys and permissions: a typed GraphQL API over Postgres.
#[derive(Parser)]
#[command(name = "keystead", version, after_help = AFTER_HELP, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// The file with the settings. Default: keystead.toml, if there is one.
    #[arg(long, global = true, value_name = "FILE", env = "KEYSTEAD_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API. With the private Postgres, the first start makes an administrator and prints its key.
    Serve,
    /// Bring the database to this version's schema.
    Migrate(Migrate),
    /// Print the GraphQL schema (SDL).
    Schema,
    /// Make administrators, and keys for users who have lost theirs.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Print all settings, with what they mean and where they were set, as a file that can be read back.
    Config,
    /// Check settings, database, migrations, clock and limits, and say what to do.
    Doctor,
    /// Fill the database with made-up users, teams and keys.
    Seed(seed::Seed),
}

#[derive(Args)]
struct Migrate {
    /// Only say what would run; the exit code is 1 if anything would.
    #[arg(long)]
    check: bool,
}

/// Runs what the command line says.
pub fn run() -> ExitCode {
    let matches = command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(e) => e.exit(),
    };
    let sources = Sources {
        file: cli.config,
        flags: flags(&matches),
    };
    match dispatch(cli.command.unwrap_or(Command::Serve), &sources) {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command, sources: &Sources) -> Result<ExitCode, Failure> {
    if let Command::Schema = command {
        output::print(keystead::graphql::schema::sdl())?;
        return Ok(ExitCode::SUCCESS);
    }
    let loaded = Config::load(sources)?;
    match command {
        Command::Config => {
            for warning in &loaded.warnings {
                output::note(format_args!("keystead: {warning}"));
            }
            output::print(loaded.to_toml())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve => block_on(serve::serve(loaded)),
        Command::Admin(admin) => block_on(admin::run(loaded, admin)),
        Command::Schema => Ok(ExitCode::SUCCESS),
        Command::Migrate(arguments) => block_on(migrate(loaded, arguments.check)),
        Command::Doctor => block_on(doctor::run(loaded)),
        Command::Seed(seed) => block_on(seed::run(loaded, seed)),
    }
}

/// The commands, and a flag for each setting: every command takes it, and the help of `serve` describes it.
fn command() -> clap::Command {
    let hidden = SETTINGS
        .iter()
        .map(|setting| flag(setting).global(true).hide(true));
    let shown = defaults().into_iter().map(|(setting, default)| {
        let mut help = setting
            .description
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>();
        let default = format!("[default: {default}]");
        if !default.ends_with(": ]") {
            help.push(&default);
        }
        flag(setting)
            .help(help.join("\n"))
            .help_heading(setting.group)
            .hide_short_help(true)
    });
    let command = Cli::command().args(hidden);
    let names: Vec<String> = names(&command);
    names
        .into_iter()
        .fold(command, |command, name| {
            command.mut_subcommand(name, pointing)
        })
        .mut_subcommand("serve", |serve| {
            serve
                .args(shown)
                .after_help(AFTER_SERVE)
                .after_long_help("")
        })
}

fn flag(setting: &Setting) -> Arg {
    Arg::new(setting.name)
        .long(setting.name.replace('_', "-"))
        .value_name(setting.value_name())
}

fn names(command: &clap::Command) -> Vec<String> {
    let each = command.get_subcommands();
    each.map(|one| one.get_name().to_owned()).collect()
}

/// The command with a word about the settings below its help, and below that of its own commands.
fn pointing(command: clap::Command) -> clap::Command {
    let names = names(&command);
    names
        .into_iter()
        .fold(command.after_help(AFTER_COMMAND), |command, name| {
            command.mut_subcommand(name, pointing)
        })
}

/// The settings that the command line sets, wherever in it they stand.
fn flags(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    SETTINGS
        .iter()
        .filter_map(|setting| {
            Some((
                setting.name,
                matches.get_one::<String>(setting.name)?.clone(),
            ))
        })
        .collect()
}

fn block_on(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("the runtime could not be started: {e}")))?
        .block_on(work)
}

async fn migrate(loaded: Loaded, check: bool) -> Result<ExitCode, Failure> {
    output::log_quietly(&loaded);
    let database = database::open(&loaded.config).await?;
    let db = database.app.db.clone();
    let names = if check {
        keystead::db::migrate::pending(&db).await
    } else {
        keystead::db::migrate::up(&db).await
    };
    database.close().await?;
    let names = names?;
    let code = if check && !names.is_empty() { 1 } else { 0 };
    let text = match (check, names.is_empty()) {
        (_, true) => "The database has this version's schema.\n".to_owned(),
        (true, false) => format!("Would run:\n  {}\n", names.join("\n  ")),
        (false, false) => format!("Ran:\n  {}\n", names.join("\n  ")),
    };
    output::print(text)?;
    Ok(ExitCode::from(code))
}
