//! What the commands are, and the way from the words on the command line to one of them.

mod admin;
mod database;
mod doctor;
mod output;
mod seed;
mod serve;

use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use keystead::config::{Config, Loaded, SETTINGS, Sources};
use output::Failure;
use std::path::PathBuf;
use std::process::ExitCode;

const SETTINGS_HEADING: &str = "Settings";

const AFTER_HELP: &str = "\
Without a command Keystead serves. Every setting is also a variable of the environment (--pool-size: KEYSTEAD_POOL_SIZE)
and a line in keystead.toml (pool_size); `keystead config` prints them all. `--help` lists their flags.";

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

/// The commands, and a flag for each setting.
fn command() -> clap::Command {
    let settings = SETTINGS.iter().map(|setting| {
        Arg::new(setting.name)
            .long(setting.name.replace('_', "-"))
            .value_name("VALUE")
            .help(one_line(setting.description))
            .help_heading(SETTINGS_HEADING)
            .hide_short_help(true)
            .global(true)
    });
    Cli::command().args(settings)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
