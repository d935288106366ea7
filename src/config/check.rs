//! What the types of the values cannot tell: ranges, and settings that need each other.

use super::{Config, Span};
use crate::db::Endpoint;
use crate::http;
use crate::permissions::model::InstanceRole;
use std::time::Duration;

/// A value that will not do.
pub(super) struct Problem {
    pub(super) setting: &'static str,
    /// Follows the name of the setting: "is 0; …".
    pub(super) message: String,
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, setting: &'static str, message: String) {
        self.0.push(Problem { setting, message });
    }

    fn number(&mut self, setting: &'static str, value: impl Into<u64>, least: u64, most: u64) {
        let value = value.into();
        if !(least..=most).contains(&value) {
            self.add(setting, format!("is {value}; it must be {least} to {most}"));
        }
    }

    fn span(
        &mut self,
        setting: &'static str,
        value: Span,
        least: Duration,
        most: Duration,
        range: &str,
    ) {
        if value.get() < least || value.get() > most {
            self.add(setting, format!("is {value}; it must be {range}"));
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// All that is wrong with `config`.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Problems(Vec::new());
    let ms = Duration::from_millis;
    found.number("pool_size", config.pool_size, 1, 1000);
    found.number(
        "max_connections",
        config.max_connections as u64,
        1,
        1_000_000,
    );
    found.number("batch_limit", config.batch_limit as u64, 1, 100);
    found.number("graphql_max_depth", config.graphql_max_depth, 1, 100);
    found.number("graphql_max_cost", config.graphql_max_cost, 1, 1_000_000);
    found.number("password_cost", config.password_cost, 4, 15);
    found.number(
        "password_min_length",
        config.password_min_length as u64,
        12,
        72,
    );
    found.span("pool_wait", config.pool_wait, ms(10), MINUTE, "10ms to 1m");
    found.span(
        "statement_timeout",
        config.statement_timeout,
        ms(100),
        10 * MINUTE,
        "100ms to 10m",
    );
    found.span("lease", config.lease, ms(500), MINUTE, "500ms to 1m");
    found.number(
        "auth_cache_size",
        config.auth_cache_size.bytes(),
        0,
        64 << 30,
    );
    found.span(
        "idle_timeout",
        config.idle_timeout,
        ms(1000),
        60 * MINUTE,
        "1s to 1h",
    );
    found.span(
        "body_timeout",
        config.body_timeout,
        ms(1000),
        10 * MINUTE,
        "1s to 10m",
    );
    found.span(
        "request_timeout",
        config.request_timeout,
        ms(1000),
        10 * MINUTE,
        "1s to 10m",
    );
    found.span(
        "shutdown_timeout",
        config.shutdown_timeout,
        ms(0),
        10 * MINUTE,
        "0s to 10m",
    );
    found.span(
        "reservation_lifetime",
        config.reservation_lifetime,
        ms(1000),
        1_440 * MINUTE,
        "1s to 1d",
    );
    if config.usage_retention.get() > ms(0) {
        found.span(
            "usage_retention",
            config.usage_retention,
            46_080 * MINUTE,
            5_256_000 * MINUTE,
            "0s, or 32d to 3650d",
        );
    }
    for (name, span) in [
        ("session_idle_timeout", config.session_idle_timeout),
        ("session_lifetime", config.session_lifetime),
    ] {
        let most = 576_000 * MINUTE;
        found.span(name, span, 10 * MINUTE, most, "10m to 400d");
    }
    found.span(
        "key_max_lifetime",
        config.key_max_lifetime,
        ms(0),
        52_560_000 * MINUTE,
        "0s to 36500d",
    );
    found.number("max_keys_per_user", config.max_keys_per_user, 0, 1_000_000);
    if !matches!(
        config.default_role,
        InstanceRole::Member | InstanceRole::Viewer
    ) {
        let role = config.default_role.as_str();
        found.add(
            "default_role",
            format!("is {role}; it must be MEMBER or VIEWER"),
        );
    }
    for (name, limit) in [
        ("body_limit", config.body_limit),
        ("usage_body_limit", config.usage_body_limit),
    ] {
        if !(1 << 10..=64 << 20).contains(&limit.bytes()) {
            found.add(name, format!("is {limit}; it must be 1KiB to 64MiB"));
        }
    }
    if let Some(path) = &config.trusted_documents
        && let Err(e) = std::fs::File::open(path)
    {
        found.add(
            "trusted_documents",
            format!("is {}, which cannot be read: {e}", path.display()),
        );
    }
    check_certificate(config, &mut found);
    check_urls(config, &mut found);
    if let Err(error) = crate::http::Rules::new(&config.authorize) {
        found.add("authorize", error.to_string());
    }
    check_traces(config, &mut found);
    for (setting, message) in config
        .mail_problems()
        .into_iter()
        .chain(config.link_problems())
    {
        found.add(setting, message);
    }
    if let Some(path) = &config.leak_report_keys
        && let Err(why) = crate::http::Reporters::read(path)
    {
        found.add(
            "leak_report_keys",
            format!("is {}, which cannot be used: {why}", path.display()),
        );
    }
    if let Err(e) = config.log.parse::<tracing_subscriber::EnvFilter>() {
        found.add(
            "log",
            format!(
                "is `{}`, which is no level and no filter ({e}); try `info`",
                config.log
            ),
        );
    }
    if config.data_dir.as_os_str().is_empty() {
        found.add(
            "data_dir",
            "is empty; it must name a folder, such as .keystead".to_owned(),
        );
    }
    found.0
}

fn check_urls(config: &Config, found: &mut Problems) {
    let url = &config.public_url;
    if !url.is_empty() && !is_origin(url.trim_end_matches('/')) {
        found.add(
            "public_url",
            format!(
                "is `{url}`; it must be a scheme and a host, such as https://keystead.example.com"
            ),
        );
    }
    for origin in config.cors_origins.iter().filter(|origin| *origin != "*") {
        if !is_origin(origin) {
            found.add(
                "cors_origins",
                format!("has `{origin}`; an origin is a scheme and a host without a path, such as https://app.example.com, or `*`"),
            );
        }
    }
    for (setting, url) in [
        ("database_url", &config.database_url),
        ("listen_url", &config.listen_url),
    ] {
        if !url.is_empty()
            && let Err(reason) = Endpoint::check(url.expose())
        {
            found.add(setting, reason);
        }
    }
}

fn check_certificate(config: &Config, found: &mut Problems) {
    let missing = |other| format!("is not set, and TLS needs it beside {other}");
    match (&config.tls_certificate, &config.tls_key) {
        (Some(_), None) => found.add("tls_key", missing("tls_certificate")),
        (None, Some(_)) => found.add("tls_certificate", missing("tls_key")),
        (None, None) => {}
        (Some(certificate), Some(key)) => {
            let files = http::TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            };
            if let Err(error) = http::check_tls(&files) {
                let setting = match error.field.as_deref() {
                    Some("tls_certificate") => "tls_certificate",
                    _ => "tls_key",
                };
                found.add(setting, format!("is {}", error.message));
            }
        }
    }
}

fn check_traces(config: &Config, found: &mut Problems) {
    let endpoint = &config.otlp_endpoint;
    let usable = |uri: &hyper::Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.query().is_none()
            && uri
                .authority()
                .is_some_and(|host| !host.as_str().contains('@'))
    };
    if !endpoint.is_empty() && !endpoint.parse().is_ok_and(|uri| usable(&uri)) {
        // It may hold a password, which has no place in an address.
        found.add(
            "otlp_endpoint",
            "is no address of a collector; it must be http:// or https://, a host and perhaps a port and a path, such as http://127.0.0.1:4318; credentials go into OTEL_EXPORTER_OTLP_HEADERS".to_owned(),
        );
    }
    if !(0.0..=1.0).contains(&config.otlp_sample) {
        found.add(
            "otlp_sample",
            format!("is {}; it must be 0 to 1", config.otlp_sample),
        );
    }
    if config.otlp_service_name.is_empty() {
        found.add(
            "otlp_service_name",
            "is empty; it must name this service, such as keystead".to_owned(),
        );
    }
}

/// A scheme, a host and perhaps a port, and nothing else.
fn is_origin(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|host| {
        !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-:[]_".contains(c))
    })
}
