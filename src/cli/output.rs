//! What goes to the terminal: results to the standard output, everything else to the standard error.

use keystead::config::{Loaded, LogFormat};
use keystead::telemetry::Traces;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Why a command failed, in words for the person who gave it.
pub struct Failure(String);

impl Failure {
    pub fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<keystead::error::Error> for Failure {
    /// With the cause, which is for the log elsewhere: whoever runs a command is the operator.
    fn from(error: keystead::error::Error) -> Failure {
        match error.cause {
            Some(cause) => Failure(format!("{}\n  {cause}", error.message)),
            None => Failure(error.message),
        }
    }
}

macro_rules! from_errors {
    ($($error:ty),+) => { $(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure(error.to_string())
            }
        }
    )+ };
}

from_errors!(
    std::io::Error,
    keystead::config::ConfigError,
    keystead::db::embedded::EmbeddedError
);

/// Prints a result. Whoever reads it may stop reading (`keystead schema | head`), which is no error.
pub fn print(text: impl Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

/// Says something to the person at the terminal, beside the result.
pub fn note(text: impl Display) {
    // Nobody to tell if that fails.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Says why the command failed.
pub fn error(failure: &Failure) {
    note(format_args!("keystead: {}", failure.0));
}

/// Logs as the settings say, and sends traces where they say so.
pub fn log(loaded: &Loaded) -> Result<Option<Traces>, Failure> {
    let traces = Traces::start(&loaded.config)?;
    log_at(loaded, &loaded.config.log, traces.as_ref());
    Ok(traces)
}

/// Logs warnings alone, unless the settings ask for another level: a command that prints a result and ends.
pub fn log_quietly(loaded: &Loaded) {
    let asked = loaded.origins.contains_key("log");
    log_at(
        loaded,
        if asked { &loaded.config.log } else { "warn" },
        None,
    );
}

fn log_at(loaded: &Loaded, level: &str, traces: Option<&Traces>) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let terminal = std::io::stderr().is_terminal();
    let json = match loaded.config.log_format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !terminal,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json {
        let lines = lines.json().flatten_event(true);
        lines.with_current_span(false).with_span_list(false).boxed()
    } else {
        lines.with_ansi(terminal).boxed()
    };
    // Spans are for traces, not for the log: where nobody traces, this filter keeps them from being made.
    let events = filter_fn(|metadata| metadata.is_event());
    let registry = tracing_subscriber::registry();
    // Fails only where a log is set up already.
    let _ = match traces {
        None => registry.with(lines).with(filter).with(events).try_init(),
        Some(traces) => registry
            .with(lines.with_filter(filter.and(events)))
            .with(traces.layer())
            .try_init(),
    };
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}
