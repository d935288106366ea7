//! Service accounts: made in a team with a key that is shown to their maker, and taken away with it.

use async_graphql::{InputObject, SimpleObject};
use uuid::Uuid;

use super::Asked;
use super::users::{User, username};
use crate::api_keys;
use crate::api_keys::model::{ApiKeyFilter, ApiKeySort, NewApiKey};
use crate::ctx::Whole;
use crate::db::pages::{MAX_PAGE, PageRequest};
use crate::dialects::in_words;
use crate::error::{Code, Error, Result};
use crate::permissions::model::TeamRole;
use crate::teams::model::{NewMembership, Team};
use crate::teams::ops::members;
use crate::users;
use crate::users::model::{NewUser, UserKind};

/// A service account that is wanted.
#[derive(InputObject)]
pub struct CreateServiceAccountInput {
    /// Its team.
    pub entity_name: String,
    /// What it is for, which becomes its display name.
    pub description: String,
}

/// A service account that was made.
#[derive(SimpleObject)]
pub struct CreateServiceAccountPayload {
    /// The account. Its key is among the members of its team, for you and for a minute.
    pub user: Option<User>,
}

/// Makes an account in a team, and a key of the team's for it.
pub async fn create(asked: &Asked, input: CreateServiceAccountInput) -> Result<users::model::User> {
    let team = asked.team_named("entityName", &input.entity_name).await?;
    let description = input.description.trim().to_owned();
    let user = NewUser {
        name: Some(description.clone()),
        kind: UserKind::Service,
        memberships: Some(vec![NewMembership {
            team: team.id,
            role: TeamRole::Member,
        }]),
        ..NewUser::named(account_name(asked, &team, &description))
    };
    let key = NewApiKey {
        description: Some(description),
        team: Some(team.id),
        ..NewApiKey::default()
    };
    let whole = Whole::begin(&asked.ctx, "create_service_account").await?;
    let done = async {
        let (user, made) = users::ops::create_with_key(&whole.ctx, user, Some(key)).await?;
        let (key, secret) = made.ok_or_else(|| Error::internal("an account without its key"))?;
        api_keys::ops::show_again(&whole.ctx, &key, &secret).await?;
        Ok(user)
    };
    let done = done.await;
    let words = [
        ("input.name", "description"),
        ("input.apiKey.description", "description"),
    ];
    let done = done.map_err(|error| in_words(error, &words));
    whole.end(done).await
}

/// A user name for a service account: of its team, of what it is for, and of six letters that nobody else has.
fn account_name(asked: &Asked, team: &Team, description: &str) -> String {
    const OWN: usize = 6;
    let words = username(&format!("{}-{description}", team.slug)).to_lowercase();
    let mut name: String = words.chars().take(64 - OWN - 1).collect();
    name.push('-');
    name.push_str(&asked.ctx.random.letters::<OWN>());
    name
}

/// Takes a user away from a team; of a service account the team's keys too, so that what was given to it here works no more. The account
/// itself stays, and whatever else it has.
pub async fn remove(asked: &Asked, team: &Team, user: Uuid) -> Result<()> {
    let found = asked.loaders.users.load(user).await?;
    let is_service = found.is_some_and(|user| user.kind == UserKind::Service.as_str());
    if !is_service {
        let gone = members::remove(&asked.ctx, team.id, user, false).await;
        return gone.map(drop).map_err(unnamed);
    }
    let whole = Whole::begin(&asked.ctx, "remove_service_account").await?;
    let done = async {
        let ctx = &whole.ctx;
        let filter = ApiKeyFilter {
            owner: Some(user),
            team: Some(team.id),
            ..ApiKeyFilter::default()
        };
        members::remove(ctx, team.id, user, false)
            .await
            .map_err(unnamed)?;
        loop {
            let request = PageRequest::first(MAX_PAGE);
            let page =
                api_keys::ops::list(ctx, &filter, ApiKeySort::CreatedAt, false, &request).await?;
            for key in &page.items {
                api_keys::ops::delete(ctx, key.id).await?;
            }
            if !page.has_next {
                return Ok(());
            }
        }
    };
    let done = done.await;
    whole.end(done).await
}

/// The client knows no ids of Keystead's own.
fn unnamed(mut error: Error) -> Error {
    if error.code == Code::NotFound && error.field.as_deref() == Some("input.user") {
        error.message = "There is no such member of this team, or you may not see it.".into();
        error.field = Some("id".into());
    }
    error
}
