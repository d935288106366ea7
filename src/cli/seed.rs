//! `keystead seed`.

use super::database;
use super::output::{self, Failure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use keystead::config::Loaded;
use keystead::db::diagnosis::examine;
use keystead::seed::{Made, Plan, Step, fill};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// What `seed` takes.
#[derive(Args)]
pub struct Seed {
    /// Users to make.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    users: u32,
    /// Keys for each, on average.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    keys_per_user: u32,
    /// Teams to make. Default: one for a hundred users.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    teams: Option<u32>,
    /// Permissions to make. Default: those that teams, some users and all restricted keys hold, a tenth as many as there are keys.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=100_000_000))]
    permissions: Option<u64>,
    /// The same number makes the same rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Make real keys and write their secrets to this file: key, owner and secret on each line. Whoever knows the seed can
    /// compute them; only for databases that nobody relies on. Without it the keys fit nothing.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

/// Fills the database.
pub async fn run(loaded: Loaded, seed: Seed) -> Result<ExitCode, Failure> {
    output::log_quietly(&loaded);
    let begin = Instant::now();
    let database = database::open(&loaded.config).await?;
    let result = make(&database, &seed).await;
    let found = examine(database.app.db.endpoint(), &database.app.clock).await;
    database.close().await?;
    let made = result?;
    output::print(format_args!(
        "Made {} users, {} teams with {} memberships, {} keys, {} permissions and {} usage events in {:.1} s.\n",
        made.users,
        made.teams,
        made.memberships,
        made.keys,
        made.permissions,
        made.usage,
        begin.elapsed().as_secs_f64()
    ))?;
    if found.is_ok_and(|found| found.administrators == Some(0)) {
        output::note(
            "None of them is an administrator: `keystead admin create --username NAME` makes one, and prints its key.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(database: &database::Database, seed: &Seed) -> Result<Made, Failure> {
    database.app.migrate().await?;
    let plan = Plan {
        users: seed.users,
        keys_per_user: seed.keys_per_user,
        teams: seed.teams.unwrap_or(seed.users.div_ceil(100)),
        permissions: seed.permissions,
        seed: seed.seed,
    };
    let mut secrets = seed.secrets.as_deref().map(create).transpose()?;
    let bar = Bar::new();
    let endpoint = database.app.db.endpoint();
    let out = secrets.as_mut().map(|file| file as &mut (dyn Write + Send));
    let made = fill(endpoint, &plan, out, |step, done, total| {
        bar.show(step, done, total)
    })
    .await;
    bar.0.finish_and_clear();
    if let Some(mut file) = secrets {
        file.flush()?;
    }
    Ok(made?)
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| Failure::new(format!("the file {} cannot be made: {e}", path.display())))?;
    Ok(BufWriter::new(file))
}

/// One line that shows the step and how far it is; silent unless a person watches.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Bar {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg:12} {bar:40} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        Bar(bar)
    }

    fn show(&self, step: Step, done: u64, total: u64) {
        self.0.set_message(step.name());
        self.0.set_length(total);
        self.0.set_position(done);
    }
}
