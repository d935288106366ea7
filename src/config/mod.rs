//! Every setting: its name, its default, what it means, and what is wrong with a bad value.
//!
//! A setting has one name everywhere: `pool_size` in `keystead.toml`, `KEYSTEAD_POOL_SIZE` in the environment, `--pool-size` on the
//! command line. A flag beats the environment, which beats the file, which beats the default.

mod check;
mod load;
mod mail;
mod policy;
mod print;
mod setting;
mod values;

pub use load::{ConfigError, Loaded, Sources};
pub use mail::SmtpSecurity;
pub use setting::{Setting, defaults};
pub use values::{Hidden, LogFormat, Size, Span, Switch};

use crate::db::{Endpoint, PoolSettings};
use crate::error::{Error, Result};
use crate::graphql::guard::Limits;
use crate::graphql::settings::Settings as ApiSettings;
use crate::graphql::trusted::TrustedDocuments;
use crate::http;
use crate::mail::model::Security;
use crate::permissions::model::{InstanceRole, TeamRole};
use crate::policy::model::KeyField;
use crate::replicas::ReplicaSettings;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

macro_rules! settings {
    ($($group:literal { $( $(#[doc = $doc:literal])+ $(#[serde($serde:meta)])? $name:ident: $type:ty = $default:expr $(, $secret:ident)?; )+ })+) => {
        /// All settings, checked.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($( $(#[doc = $doc])+ $(#[serde($serde)])? pub $name: $type, )+)+
        }

        impl Default for Config {
            fn default() -> Self {
                Config { $($( $name: $default, )+)+ }
            }
        }

        /// Every setting, in the order in which they are printed.
        pub const SETTINGS: &[Setting] = &[
            $($( Setting {
                name: stringify!($name),
                group: $group,
                description: concat!($($doc, "\n"),+),
                secret: false $(|| stringify!($secret).len() > 0)?,
                kind: stringify!($type),
            }, )+)+
        ];
    };
}

settings! {
    "Server" {
        /// The address and port to listen on. `0.0.0.0:4000` listens on every IPv4 address of the machine.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 4000));
        /// The address under which clients reach this server, for example `https://keystead.example.com`.
        /// Empty: `http://` (or `https://`) and the address it listens on.
        public_url: String = String::new();
        /// The folder for the private Postgres and the administrator's first key.
        data_dir: PathBuf = PathBuf::from(".keystead");
        /// The file with the certificate chain (PEM) for TLS; needs `tls_key` too. Empty: no TLS.
        #[serde(with = "values::optional_path")]
        tls_certificate: Option<PathBuf> = None;
        /// The file with the private key (PEM) of the certificate.
        #[serde(with = "values::optional_path")]
        tls_key: Option<PathBuf> = None;
        /// Networks of the proxies in front, whose `X-Forwarded-For` is believed, for example `["10.0.0.0/8"]`.
        #[serde(deserialize_with = "values::list")]
        trusted_proxies: Vec<IpNet> = Vec::new();
        /// Origins of web pages that may call this server, for example `["https://app.example.com"]`; `["*"]` means any.
        #[serde(deserialize_with = "values::list")]
        cors_origins: Vec<String> = Vec::new();
        /// The largest request body. 1KiB to 64MiB.
        body_limit: Size = Size::mebibytes(1);
        /// Connections of clients at most; more wait to be accepted. 1 to 1000000.
        max_connections: usize = 10_000;
        /// How long a connection may idle, and the head of a request may take to arrive. 1s to 1h.
        idle_timeout: Span = Span::seconds(60);
        /// How long the body of a request may take to arrive. 1s to 10m.
        body_timeout: Span = Span::seconds(20);
        /// How long one operation may take; what it began is then rolled back. 1s to 10m.
        request_timeout: Span = Span::seconds(30);
        /// How long requests in progress may still take after a signal to stop. 0s to 10m.
        shutdown_timeout: Span = Span::seconds(25);
        /// Whether `/metrics` answers, to everybody who can reach this server.
        metrics: bool = true;
    }
    "Database" {
        /// The Postgres server (15 or later) to use, as a URL: `postgresql://user:password@host:5432/database`.
        /// The environment's `DATABASE_URL` sets it as well. Empty: a private Postgres in `data_dir`.
        database_url: Hidden = Hidden::default(), secret;
        /// Connections to the database at most. 1 to 1000.
        pool_size: u32 = 16;
        /// How long a request waits for a free connection. 10ms to 1m.
        pool_wait: Span = Span::seconds(5);
        /// How long one statement may run. 100ms to 10m.
        statement_timeout: Span = Span::seconds(10);
    }
    "Memory of keys" {
        /// How much each server remembers of keys that it has identified, so that it need not ask the database again; `0` means nothing.
        /// It is used only under a lease. At most 64GiB.
        auth_cache_size: Size = Size::mebibytes(64);
        /// How long a lease lasts. A change waits so long, and no longer, for a server that does not answer. 500ms to 1m.
        lease: Span = Span::seconds(2);
        /// Where the connection goes that listens for changes, if `database_url` is a pooler in transaction mode: the URL of the
        /// database itself. Empty: where all others go.
        listen_url: Hidden = Hidden::default(), secret;
    }
    "GraphQL" {
        /// Whether the page at `/` is GraphiQL: `true`, `false`, or `auto`: only with the private Postgres.
        graphiql: Switch = Switch::Auto;
        /// Whether everybody may read the schema by introspection: `true`, `false`, or `auto`: only with the private Postgres.
        /// Administrators always may.
        introspection: Switch = Switch::Auto;
        /// Whether clients may register queries by their hash (automatic persisted queries).
        persisted_queries: bool = true;
        /// A file with the only operations that may run: a JSON object of their SHA-256 and their text, as Apollo and Relay write it.
        /// Empty: every operation may run.
        #[serde(with = "values::optional_path")]
        trusted_documents: Option<PathBuf> = None;
        /// Whether this is a subgraph of an Apollo federation: users, teams and API keys are then entities that other subgraphs
        /// name by their id.
        federation: bool = false;
        /// Operations in one HTTP request (a batch) at most. 1 to 100.
        batch_limit: usize = 10;
        /// Levels of fields in one operation at most. 1 to 100.
        graphql_max_depth: u64 = 20;
        /// The cost of one operation at most; every answer tells its cost in `extensions`. 1 to 1000000.
        graphql_max_cost: u64 = 20_000;
    }
    "Limits" {
        /// Operations a minute by one user, through whichever credential; 0 means no limit.
        requests_per_actor: u32 = 6_000;
        /// Operations a minute from one address without a valid credential; 0 means no limit.
        requests_per_address: u32 = 600;
        /// Points of cost a minute by one user, or by one address without a valid credential; 0 means no limit.
        cost_per_minute: u32 = 1_000_000;
    }
    "Verifying" {
        /// Keys that one service may have verified at `/v1/verify` a minute; 0 means no limit.
        checks_per_actor: u32 = 0;
        /// What requests through a reverse proxy need, for `/v1/authorize`: in the file tables `[[authorize]]` with `prefix`, and perhaps
        /// `methods`, `host`, `privilege`, `path` and `requests`. The first that matches decides; what none matches is refused.
        authorize: Vec<http::Rule> = Vec::new();
        /// A file with the public keys of those who may report leaked keys at `/v1/leaked`: PEM, or the JSON document that GitHub
        /// serves its keys in, https://api.github.com/meta/public_keys/secret_scanning. Empty: nobody may.
        #[serde(with = "values::optional_path")]
        leak_report_keys: Option<PathBuf> = None;
    }
    "Reservations" {
        /// How long a reservation made by `/v1/verify` stands without being settled. 1s to 1d.
        reservation_lifetime: Span = Span::seconds(60);
        /// Whether what was reserved and not settled in that time is given back; otherwise it counts as spent.
        release_unsettled: bool = false;
        /// How long usage events are kept; their sums stay. 0: for ever. 0s, or 32d to 3650d.
        usage_retention: Span = Span::seconds(400 * 86_400);
    }
    "Usage" {
        /// The largest body of `POST /v1/usage`. 1KiB to 64MiB.
        usage_body_limit: Size = Size::mebibytes(16);
    }
    "Passwords" {
        /// The cost of bcrypt: each step doubles the time. 4 to 15.
        password_cost: u32 = 12;
        /// Characters that a new password must have at least. 12 to 72.
        password_min_length: usize = 12;
    }
    "Policy, until `updatePolicy` changes it" {
        /// What new users are to the instance where nothing else is said: `MEMBER` or `VIEWER`.
        default_role: InstanceRole = InstanceRole::Member;
        /// Instance roles that may make keys which belong to no team, for example `["ADMIN", "MEMBER"]`. Empty: whoever holds `apiKey.write`.
        #[serde(deserialize_with = "values::list")]
        personal_key_makers: Vec<InstanceRole> = Vec::new();
        /// Team roles that may make a team's keys, for example `["ADMIN"]`. Empty: whoever holds `apiKey.write`.
        #[serde(deserialize_with = "values::list")]
        team_key_makers: Vec<TeamRole> = Vec::new();
        /// What every new key must have: `DESCRIPTION`, `EXPIRES_AT`, `ALLOWED_CIDRS`, `PERMISSIONS`.
        #[serde(deserialize_with = "values::list")]
        key_required_fields: Vec<KeyField> = Vec::new();
        /// How long the secret of an API key may live at most, for example `90d`. `0s`: for ever.
        key_max_lifetime: Span = Span::seconds(0);
        /// API keys of one user at most; 0 means no limit. At most 1000000.
        max_keys_per_user: u32 = 0;
        /// Instance roles that must have a second factor to sign in, for example `["ADMIN"]`. Empty: nobody must.
        #[serde(deserialize_with = "values::list")]
        second_factor_roles: Vec<InstanceRole> = Vec::new();
    }
    "Mail" {
        /// The server that mails are sent through (SMTP). Empty: they are written to files in the folder `mail` of `data_dir`.
        smtp_host: String = String::new();
        /// Its port. 0: what is usual for `smtp_security`: 587, 465 or 25.
        smtp_port: u16 = 0;
        /// How the connection to it is encrypted: `starttls`, `tls` from the start, or `none`, for a server on the same machine only.
        smtp_security: SmtpSecurity = SmtpSecurity(Security::Starttls);
        /// The user name to sign in there with. Empty: none.
        smtp_user: String = String::new();
        /// The password to sign in there with.
        smtp_password: Hidden = Hidden::default(), secret;
        /// A file with the certificates (PEM) that its certificate is checked against. Empty: those of the system.
        #[serde(with = "values::optional_path")]
        smtp_roots: Option<PathBuf> = None;
        /// From whom mails come, for example `Keystead <keystead@example.com>`. Needed with `smtp_host`.
        mail_from: String = String::new();
        /// A folder with templates that replace the built-in ones of the same names.
        #[serde(with = "values::optional_path")]
        mail_templates: Option<PathBuf> = None;
    }
    "Webhooks" {
        /// Networks that are not public and that webhooks may be delivered to all the same, with `http://` too, for example
        /// `["10.1.0.0/16"]`. Whoever may make webhooks can then send requests there.
        #[serde(deserialize_with = "values::list")]
        webhook_networks: Vec<IpNet> = Vec::new();
        /// A file with the certificates (PEM) that receivers' are checked against. Empty: those of the system.
        #[serde(with = "values::optional_path")]
        webhook_roots: Option<PathBuf> = None;
    }
    "Secrets that are stored" {
        /// What seals secrets that must be read again, such as what signs webhooks: 32 characters or more, the same for every server on
        /// the database. Empty: the file `sealing.key` in `data_dir`, made when it is first needed. What was sealed is lost with it.
        sealing_key: Hidden = Hidden::default(), secret;
    }
    "Sessions" {
        /// A session that is not used for so long ends. 10m to 400d.
        session_idle_timeout: Span = Span::seconds(86_400);
        /// So long after it was begun a session ends, however much it is used. 10m to 400d.
        session_lifetime: Span = Span::seconds(14 * 86_400);
    }
    "Magic links" {
        /// Whether people may sign in by links that are sent to them by mail.
        magic_links: bool = false;
        /// Only addresses of these domains are sent one, for example `["example.com"]`. Empty: those of all users.
        #[serde(deserialize_with = "values::list")]
        magic_link_domains: Vec<String> = Vec::new();
        /// Whether an address of these domains that belongs to nobody becomes a user with the policy's defaults. Needs `magic_link_domains`.
        magic_link_new_users: bool = false;
    }
    "Logs" {
        /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`) or a filter such as `info,keystead::db=debug`.
        log: String = "info".to_owned();
        /// How it is written: `json`, `pretty`, or `auto`: pretty on a terminal, else JSON.
        log_format: LogFormat = LogFormat::Auto;
    }
    "Traces" {
        /// The address of an OpenTelemetry collector that takes traces as OTLP over HTTP (protobuf), for example
        /// `http://127.0.0.1:4318` or `https://collector.example.com`; `/v1/traces` is added to it.
        /// The environment's `OTEL_EXPORTER_OTLP_ENDPOINT` sets it as well. Empty: no traces.
        otlp_endpoint: String = String::new();
        /// The name of this service in traces. The environment's `OTEL_SERVICE_NAME` sets it as well.
        otlp_service_name: String = "keystead".to_owned();
        /// The share of requests that are traced, 0 to 1. A request with a `traceparent` is traced if that says so.
        otlp_sample: f64 = 1.0;
    }
}

/// The span as times are added to; the settings' ranges keep it small.
fn long(span: Span) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(span.get()).unwrap_or(chrono::TimeDelta::MAX)
}

impl Config {
    /// Whether Keystead runs a Postgres of its own.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.database_url.is_empty()
    }

    /// The address under which clients reach the server, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> String {
        if self.public_url.is_empty() {
            let scheme = if self.tls_certificate.is_some() {
                "https"
            } else {
                "http"
            };
            format!("{scheme}://{}", self.listen)
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// Whether GraphiQL is served.
    #[must_use]
    pub fn serves_graphiql(&self) -> bool {
        self.graphiql.or(self.is_private())
    }

    /// Whether everybody may introspect.
    #[must_use]
    pub fn allows_introspection(&self) -> bool {
        self.introspection.or(self.is_private())
    }

    /// The pool's part.
    #[must_use]
    pub fn pool(&self) -> PoolSettings {
        PoolSettings {
            size: self.pool_size,
            wait: self.pool_wait.get(),
            statement_timeout: self.statement_timeout.get(),
        }
    }

    /// HTTP's part.
    #[must_use]
    pub fn http(&self) -> http::Settings {
        let tls = self.tls_certificate.as_ref().zip(self.tls_key.as_ref());
        http::Settings {
            body_limit: usize::try_from(self.body_limit.bytes()).unwrap_or(usize::MAX),
            usage_body_limit: usize::try_from(self.usage_body_limit.bytes()).unwrap_or(usize::MAX),
            cors_origins: self.cors_origins.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            graphiql: self.serves_graphiql(),
            metrics: self.metrics,
            head_timeout: self.idle_timeout.get(),
            body_timeout: self.body_timeout.get(),
            stop_timeout: self.shutdown_timeout.get(),
            max_connections: self.max_connections,
            checks_per_actor: self.checks_per_actor,
            authorize: http::Rules::new(&self.authorize).unwrap_or_default(),
            leak_reporters: self
                .leak_report_keys
                .as_ref()
                .map_or_else(http::Reporters::default, |path| {
                    http::Reporters::read(path).unwrap_or_default()
                }),
            tls: tls.map(|(certificate, key)| http::TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            ..http::Settings::default()
        }
    }

    /// How a lease is held, and where.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when `listen_url` cannot be read.
    pub fn replicas(&self) -> Result<ReplicaSettings> {
        let listen = Some(self.listen_url.expose()).filter(|url| !url.is_empty());
        Ok(ReplicaSettings {
            lease: self.lease.get(),
            listen: listen.map(Endpoint::parse).transpose()?,
        })
    }

    /// The GraphQL API's part, with the trusted documents read from their file.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when that file cannot be read or is no list of documents.
    pub fn api(&self) -> Result<ApiSettings> {
        let trusted = match &self.trusted_documents {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| {
                    Error::bad_input(
                        "trusted_documents",
                        format!("{} cannot be read: {e}", path.display()),
                    )
                })?;
                Some(TrustedDocuments::parse(&text)?)
            }
        };
        Ok(ApiSettings {
            introspection: self.allows_introspection(),
            limits: Limits {
                max_depth: self.graphql_max_depth,
                max_cost: self.graphql_max_cost,
                ..Limits::default()
            },
            deadline: self.request_timeout.get(),
            max_batch: self.batch_limit,
            requests_per_actor: self.requests_per_actor,
            requests_per_address: self.requests_per_address,
            cost_per_minute: self.cost_per_minute,
            persisted_queries: self.persisted_queries,
            federation: self.federation,
            trusted,
            ..ApiSettings::default()
        })
    }
}
