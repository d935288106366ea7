//! `keystead doctor`: looks at everything a server needs, and says what to do about what is wrong.

use super::database::{self, Database};
use super::output::{self, Failure};
use chrono::{DateTime, TimeDelta, Utc};
use keystead::config::{Config, Loaded};
use keystead::ctx::Clock;
use keystead::db::diagnosis::{Diagnosis, examine};
use keystead::db::migrate;
use keystead::http;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

/// Files and connections that a server should be able to have open at once.
const OPEN_FILES: u64 = 4096;

/// Connections that are left to administrators, other tools and the replica that takes over.
const SPARE_CONNECTIONS: i64 = 5;

/// A certificate that ends so soon is to be replaced.
const AHEAD: TimeDelta = TimeDelta::days(30);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Grade {
    Good,
    Doubtful,
    Bad,
}

/// What was found, line by line.
#[derive(Default)]
struct Report {
    text: String,
    bad: usize,
    doubtful: usize,
}

impl Report {
    fn add(&mut self, grade: Grade, what: &str, found: impl AsRef<str>, advice: &str) {
        let mark = match grade {
            Grade::Good => "ok  ",
            Grade::Doubtful => "warn",
            Grade::Bad => "FAIL",
        };
        self.bad += usize::from(grade == Grade::Bad);
        self.doubtful += usize::from(grade == Grade::Doubtful);
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.text,
            "{mark}  {what:15}{}",
            found
                .as_ref()
                .trim_end()
                .replace('\n', "\n                     ")
        );
        if grade != Grade::Good && !advice.is_empty() {
            let _ = writeln!(self.text, "                     -> {advice}");
        }
    }

    fn good(&mut self, what: &str, found: impl AsRef<str>) {
        self.add(Grade::Good, what, found, "");
    }
}

/// Examines everything; the exit code is 1 if something must be mended.
pub async fn run(loaded: Loaded) -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    configuration(&mut report, &loaded);
    certificate(&mut report, &loaded.config, Clock::system().now());
    open_files(&mut report);
    match database::open(&loaded.config).await {
        Ok(database) => {
            examine_database(&mut report, &loaded.config, &database).await;
            database.close().await?;
        }
        Err(failure) => report.add(Grade::Bad, "database", failure.to_string(), ""),
    }
    let verdict = match (report.bad, report.doubtful) {
        (0, 0) => "Everything is in order.".to_owned(),
        (0, warnings) => format!("It will run; {warnings} to look at."),
        (bad, _) => format!("{bad} to mend."),
    };
    output::print(format_args!("{}\n{verdict}\n", report.text))?;
    Ok(ExitCode::from(u8::from(report.bad > 0)))
}

fn configuration(report: &mut Report, loaded: &Loaded) {
    let config = &loaded.config;
    report.good(
        "configuration",
        format!(
            "read and checked; {} not at their defaults",
            loaded.origins.len()
        ),
    );
    if let Err(error) = config.api() {
        report.add(Grade::Bad, "configuration", error.message, "");
    }
    for warning in &loaded.warnings {
        report.add(Grade::Doubtful, "configuration", warning, "");
    }
    if config.tls_certificate.is_none()
        && !config.listen.ip().is_loopback()
        && !config.public_url().starts_with("https://")
    {
        report.add(
            Grade::Doubtful,
            "encryption",
            format!("listens on {} without TLS, and public_url is no https:// address: keys travel in the clear", config.listen),
            "set tls_certificate and tls_key, or public_url if a proxy in front speaks TLS",
        );
    }
    let url = config.public_url();
    report.good(
        "passkeys",
        match keystead::factors::ops::passkeys_at(&url) {
            Ok(()) => format!("on pages of {url}"),
            Err(_) => format!("none: browsers make them for https:// addresses with a domain name, and for http://localhost, and public_url is {url}"),
        },
    );
    let key = config.data_dir.join("admin.key");
    if let Ok(found) = std::fs::metadata(&key)
        && found.permissions().mode() & 0o077 != 0
    {
        report.add(
            Grade::Bad,
            "admin.key",
            format!("others may read {}", key.display()),
            &format!("chmod 600 {}", key.display()),
        );
    }
}

/// Whether clients will believe the certificate, as far as its dates go.
fn certificate(report: &mut Report, config: &Config, now: DateTime<Utc>) {
    let Some(files) = config.http().tls else {
        return;
    };
    let (from, until) = match http::tls_validity(&files) {
        Ok(dates) => dates,
        Err(error) => return report.add(Grade::Bad, "certificate", error.message, ""),
    };
    let left = until - now;
    let (grade, found) = if now < from {
        (Grade::Bad, format!("is not valid before {}", day(from)))
    } else if left < TimeDelta::zero() {
        (Grade::Bad, format!("has expired on {}", day(until)))
    } else if left < AHEAD {
        let text = format!("expires on {}, in {} days", day(until), left.num_days());
        (Grade::Doubtful, text)
    } else {
        (Grade::Good, format!("valid until {}", day(until)))
    };
    report.add(
        grade,
        "certificate",
        format!("{} {found}", files.certificate.display()),
        "replace it and its key, and send SIGHUP to the server",
    );
}

fn day(moment: DateTime<Utc>) -> impl std::fmt::Display {
    moment.format("%Y-%m-%d %H:%M UTC")
}

fn open_files(report: &mut Report) {
    let Ok((soft, _)) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)
    else {
        return;
    };
    let grade = if soft < OPEN_FILES {
        Grade::Doubtful
    } else {
        Grade::Good
    };
    report.add(
        grade,
        "open files",
        format!("{soft} at once"),
        &format!("each client is one; allow {OPEN_FILES} with `ulimit -n`, or LimitNOFILE= in systemd's unit"),
    );
}

async fn examine_database(report: &mut Report, config: &Config, database: &Database) {
    let app = &database.app;
    let found = match examine(app.db.endpoint(), &app.clock).await {
        Ok(found) => found,
        Err(error) => {
            let advice = if config.is_private() {
                "look into postgres.log in the data folder"
            } else {
                "see that the server runs, and that DATABASE_URL names it with its user and password"
            };
            return report.add(
                Grade::Bad,
                "database",
                Failure::from(error).to_string(),
                advice,
            );
        }
    };
    let kind = if config.is_private() {
        "private"
    } else {
        "reached"
    };
    let text = format!("{kind}, PostgreSQL {}", found.version_text);
    let grade = if found.version < 150_000 {
        Grade::Bad
    } else {
        Grade::Good
    };
    report.add(grade, "database", text, "use PostgreSQL 15 or later");
    if found.encoding != "UTF8" {
        let text = format!("its encoding is {}", found.encoding);
        report.add(
            Grade::Bad,
            "encoding",
            text,
            "make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        );
    }
    if found.read_only {
        report.add(
            Grade::Bad,
            "writing",
            "it is read-only",
            "DATABASE_URL must name the primary, not a standby",
        );
    }
    migrations(report, database).await;
    administrators(report, &found);
    if found.administrators.is_some() {
        leases(report, database).await;
        usage_months(report, database).await;
        deliveries(report, config, database).await;
    }
    clock(report, &found);
    connections(report, config, &found);
}

async fn migrations(report: &mut Report, database: &Database) {
    match migrate::pending(&database.app.db).await {
        Ok(pending) if pending.is_empty() => report.good("migrations", "all have run"),
        Ok(pending) => report.add(
            Grade::Doubtful,
            "migrations",
            format!("{} have not run: {}", pending.len(), pending.join(", ")),
            "`keystead migrate`; `keystead serve` does it too",
        ),
        Err(error) => report.add(
            Grade::Bad,
            "migrations",
            Failure::from(error).to_string(),
            "",
        ),
    }
}

async fn leases(report: &mut Report, database: &Database) {
    match database.app.try_lease().await {
        Ok(holders) if holders.is_empty() => {
            report.good("leases", "can be held; no server holds one now")
        }
        Ok(holders) => {
            let text = format!("held by {} servers: {}", holders.len(), holders.join(", "));
            report.good("leases", text);
        }
        Err(error) => report.add(
            Grade::Doubtful,
            "leases",
            Failure::from(error).to_string(),
            "without a lease every request asks the database for its key; see docs/revocation.md",
        ),
    }
}

async fn usage_months(report: &mut Report, database: &Database) {
    match database.app.missing_usage_months().await {
        Ok(missing) if missing.is_empty() => {
            report.good("usage", "events have tables for this month and the next two");
        }
        Ok(missing) => report.add(
            Grade::Doubtful,
            "usage",
            format!("events have no table yet for {}", missing.join(", ")),
            "a running server makes them every hour; `keystead serve`, and look into its log if they stay away",
        ),
        Err(error) => report.add(Grade::Bad, "usage", Failure::from(error).to_string(), ""),
    }
}

async fn deliveries(report: &mut Report, config: &Config, database: &Database) {
    if !config.is_private() && config.sealing_key.is_empty() {
        report.add(
            Grade::Doubtful,
            "sealing key",
            format!("kept in {}", config.data_dir.join("sealing.key").display()),
            "servers on one database need the same: set sealing_key",
        );
    }
    match database.app.deliveries().await {
        Ok((waiting, 0)) => report.good("deliveries", format!("{waiting} wait, none was given up")),
        Ok((waiting, dead)) => report.add(
            Grade::Doubtful,
            "deliveries",
            format!("{waiting} wait, {dead} were given up in the last 30 days"),
            "the log says why; for mails see the settings that begin with smtp_",
        ),
        Err(error) => report.add(
            Grade::Bad,
            "deliveries",
            Failure::from(error).to_string(),
            "",
        ),
    }
}

fn administrators(report: &mut Report, found: &Diagnosis) {
    match found.administrators {
        Some(0) => report.add(
            Grade::Doubtful,
            "administrators",
            "there is none",
            "`keystead admin create`; the first `keystead serve` of an empty database does it too",
        ),
        Some(count) => report.good("administrators", format!("{count} enabled")),
        None => {}
    }
}

fn clock(report: &mut Report, found: &Diagnosis) {
    let skew = found.skew.abs();
    let surely = skew - found.uncertainty;
    let grade = match surely.num_milliseconds() {
        ..1_000 => Grade::Good,
        1_000..30_000 => Grade::Doubtful,
        _ => Grade::Bad,
    };
    let way = if found.skew < chrono::TimeDelta::zero() {
        "behind"
    } else {
        "ahead of"
    };
    report.add(
        grade,
        "clock",
        format!(
            "the database is {} ms {way} this machine (± {} ms)",
            skew.num_milliseconds(),
            found.uncertainty.num_milliseconds()
        ),
        "keep both with NTP: expiry and the audit trail go by the clock",
    );
}

fn connections(report: &mut Report, config: &Config, found: &Diagnosis) {
    let (pool, most) = (
        i64::from(config.pool_size),
        i64::from(found.max_connections),
    );
    let text = format!("a pool of {pool}; the database takes {most}");
    let advice = format!(
        "set pool_size to at most {}, or raise max_connections",
        (most - SPARE_CONNECTIONS).max(1)
    );
    let grade = match pool {
        _ if pool > most => Grade::Bad,
        _ if pool + SPARE_CONNECTIONS > most => Grade::Doubtful,
        _ => Grade::Good,
    };
    report.add(grade, "connections", text, &advice);
}
