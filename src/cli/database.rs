//! The database a command works on: the one that is configured, or the private one, started for as long as it is needed.

use super::output::Failure;
use keystead::app::App;
use keystead::config::Config;
use keystead::db::Endpoint;
use keystead::db::embedded::{Durability, Embedded, EmbeddedError};

/// An app, and the private Postgres below it if there is one.
pub struct Database {
    pub app: App,
    private: Option<Embedded>,
}

/// Finds or starts the database; one that a server beside us has started is used with it. It is not migrated.
pub async fn open(config: &Config) -> Result<Database, Failure> {
    let (private, endpoint) = if config.is_private() {
        match Embedded::start(&config.data_dir, Durability::Full).await {
            Ok(embedded) => {
                let url = embedded.database_url("keystead");
                (Some(embedded), Endpoint::parse(&url)?)
            }
            Err(e @ EmbeddedError::AlreadyRunning { .. }) => {
                match Embedded::url_of_running(&config.data_dir) {
                    Some(url) => (None, Endpoint::parse(&url)?),
                    None => return Err(e.into()),
                }
            }
            Err(e) => return Err(e.into()),
        }
    } else {
        (None, Endpoint::parse(config.database_url.expose())?)
    };
    Ok(Database {
        app: app(config, endpoint).await?,
        private,
    })
}

/// An app as the settings say.
pub async fn app(config: &Config, endpoint: Endpoint) -> Result<App, Failure> {
    let app = App::builder(endpoint)
        .pool(config.pool())
        .policy(config.policy());
    Ok(app.build().await?)
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
