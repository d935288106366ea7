//! What this server says of itself.

use async_graphql::{Object, SimpleObject, value};

use super::scalars::JsonString;

/// What this server says of itself.
pub struct ServerInfo;

/// What this server says of itself.
#[Object]
impl ServerInfo {
    /// What there is that the client asks for by name. What is not listed is not there.
    async fn features(&self) -> Vec<Option<ServerFeature>> {
        let named = |name: &&str| {
            Some(ServerFeature {
                name: (*name).to_owned(),
                is_enabled: true,
            })
        };
        FEATURES.iter().map(named).collect()
    }

    /// Which clients work here, as those before 0.26 ask: an object with the oldest and the newest.
    async fn cli_version_info(&self) -> Option<JsonString> {
        Some(JsonString::open(value!({
            "min_cli_version": OLDEST,
            "max_cli_version": NEWEST,
        })))
    }

    /// The version of this server, as older clients ask.
    async fn latest_local_version_info(&self) -> Option<LocalVersionInfo> {
        Some(LocalVersionInfo {
            out_of_date: false,
            latest_version_string: VERSION.into(),
            version_on_this_instance_string: VERSION.into(),
        })
    }
}

/// What the client asks for before it does something with registries.
const FEATURES: [&str; 2] = [
    "ARTIFACT_REGISTRY_SEARCH",
    "INCLUDE_ARTIFACT_TYPES_IN_REGISTRY_CREATION",
];

/// Clients whose documents are known to be those of this schema.
const OLDEST: &str = "0.16.6";
const NEWEST: &str = "0.31.0";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of this server.
#[derive(SimpleObject)]
pub struct LocalVersionInfo {
    /// Always false.
    out_of_date: bool,
    /// This server's.
    latest_version_string: String,
    /// This server's.
    version_on_this_instance_string: String,
}

/// Something that there is.
#[derive(SimpleObject)]
pub struct ServerFeature {
    /// Its name.
    name: String,
    /// Whether it is there.
    is_enabled: bool,
}

/// Queries on the server.
#[derive(Default)]
pub struct ServerQueries;

#[Object]
impl ServerQueries {
    /// What this server says of itself.
    async fn server_info(&self) -> Option<ServerInfo> {
        Some(ServerInfo)
    }
}
