//! The database a command works on: the one that is configured, or the private one, started for as long as it is needed.

use super::output::Failure;
use keystead::app::App;
use keystead::config::Config;
use keystead::db::Endpoint;
use keystead::db::embedded::{Durability, Embedded, EmbeddedError};

/// An app, and the private Postgres below it if there is one.
pub struct Database {
    pub app: App,
    pub(super) private: Option<Embedded>,
}

/// The database for a server, which starts the private one itself. It is not migrated.
pub async fn start(config: &Config) -> Result<Database, Failure> {
    if !config.is_private() {
        return database(config, None, config.database_url.expose()).await;
    }
    let private = Embedded::start(&config.data_dir, Durability::Full).await?;
    let url = private.database_url("keystead");
    database(config, Some(private), &url).await
}

/// The database for any other command: a private one that a server has started is used beside it. It is not migrated.
pub async fn open(config: &Config) -> Result<Database, Failure> {
    if !config.is_private() {
        return start(config).await;
    }
    match Embedded::start(&config.data_dir, Durability::Full).await {
        Ok(private) => {
            let url = private.database_url("keystead");
            database(config, Some(private), &url).await
        }
        Err(e @ EmbeddedError::AlreadyRunning { .. }) => {
            match Embedded::url_of_running(&config.data_dir) {
                Some(url) => database(config, None, &url).await,
                None => Err(e.into()),
            }
        }
        Err(e) => Err(e.into()),
    }
}

async fn database(
    config: &Config,
    private: Option<Embedded>,
    url: &str,
) -> Result<Database, Failure> {
    let app = App::builder(Endpoint::parse(url)?)
        .pool(config.pool())
        .policy(config.policy())
        .api(config.api()?)
        .replicas(config.replicas()?)
        .sealer(config.sealer())
        .mail(config.mail())
        .memory(config.auth_cache_size.bytes())
        .build()
        .await?;
    Ok(Database { app, private })
}

impl Database {
    /// Ends what [`open`] started.
    pub async fn close(self) -> Result<(), Failure> {
        drop(self.app);
        match self.private {
            Some(private) => Ok(private.stop().await?),
            None => Ok(()),
        }
    }
}
