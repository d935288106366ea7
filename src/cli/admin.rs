//! `keystead admin`: what the operator may do without a key, because the database is his.

use super::database;
use super::output::{self, Failure};
use clap::{Args, Subcommand};
use keystead::api_keys::model::NewApiKey;
use keystead::api_keys::ops::generate;
use keystead::config::Loaded;
use keystead::ctx::{Actor, Ctx, RequestInfo};
use keystead::permissions::model::InstanceRole;
use keystead::users::model::{NewUser, User};
use keystead::users::ops;
use std::process::ExitCode;

/// What `admin` can do.
#[derive(Subcommand)]
pub enum Admin {
    /// Make an administrator, and print its new API key.
    Create(Create),
    /// Print a new API key for a user who exists.
    Key(Key),
}

/// What `admin create` takes.
#[derive(Args)]
pub struct Create {
    /// The name of the new user.
    #[arg(long, value_name = "NAME")]
    username: String,
    /// Its e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Its name as people write it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// What `admin key` takes.
#[derive(Args)]
pub struct Key {
    /// The user whose key it is.
    #[arg(long, value_name = "NAME")]
    username: String,
    /// The key's name; it must be new among the user's keys. Default: one made from the key.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Does it. The key alone goes to the standard output.
pub async fn run(loaded: Loaded, admin: Admin) -> Result<ExitCode, Failure> {
    output::log_quietly(&loaded);
    let database = database::open(&loaded.config).await?;
    let ctx = database.app.ctx(Actor::Keystead, RequestInfo::default());
    let done = match database.app.migrate().await {
        Ok(_) => act(&ctx, admin).await,
        Err(error) => Err(error.into()),
    };
    drop(ctx);
    database.close().await?;
    let key = done?;
    output::print(format_args!("{key}\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(ctx: &Ctx, admin: Admin) -> Result<String, Failure> {
    match admin {
        Admin::Create(create) => {
            let new = NewUser {
                email: create.email,
                name: create.name,
                role: Some(InstanceRole::Admin),
                memberships: Some(Vec::new()),
                ..NewUser::named(create.username)
            };
            let user = ops::create(ctx, new).await?;
            let key = new_key(ctx, &user, None).await?;
            output::note(format_args!(
                "`{}` is an administrator now. Its API key, shown this once:",
                user.username
            ));
            Ok(key)
        }
        Admin::Key(key) => {
            let user = ops::by_username(ctx, &key.username)
                .await?
                .ok_or_else(|| Failure::new(format!("there is no user `{}`", key.username)))?;
            let secret = new_key(ctx, &user, key.name).await?;
            if !user.enabled {
                output::note(format_args!(
                    "`{}` is disabled: the key works once it is enabled.",
                    user.username
                ));
            }
            output::note(format_args!(
                "A new API key of `{}`, shown this once:",
                user.username
            ));
            Ok(secret)
        }
    }
}

/// Makes an unrestricted key of that user and returns its secret.
pub async fn new_key(ctx: &Ctx, owner: &User, name: Option<String>) -> Result<String, Failure> {
    let new = NewApiKey {
        owner: Some(owner.id),
        name,
        ..NewApiKey::default()
    };
    let (_, secret) = generate(ctx, new).await?;
    Ok(secret.expose().to_owned())
}
