//! Users: who is calling, looking for others, making them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::entities::{Entity, EntityConnection};
use super::ids::{self, Kind};
use super::keys::{ApiKeyConnection, ApiKeyEdge};
use super::organizations::Organization;
use super::scalars::JsonString;
use super::{Asked, asked};
use crate::db::pages::{MAX_PAGE, PageRequest};
use crate::dialects::in_words;
use crate::error::{Code, Error, Result};
use crate::graphql::scalars::Timestamp;
use crate::permissions::model::InstanceRole;
use crate::text;
use crate::users::model::{self, NewUser, UserFilter, UserSort};
use crate::users::ops;

/// A person or a service account.
#[derive(Clone)]
pub struct User(pub Arc<model::User>);

/// A person or a service account.
#[Object]
impl User {
    /// Base64 of `User:` and a number.
    pub async fn id(&self) -> ID {
        ids::write(Kind::User, self.0.id).into()
    }

    /// The display name, or else the user name.
    async fn name(&self) -> &str {
        self.0.shown_name()
    }

    /// The name it signs in with.
    async fn username(&self) -> Option<&str> {
        Some(&self.0.username)
    }

    /// The e-mail address.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Whether it administers the instance.
    async fn admin(&self) -> Option<bool> {
        Some(self.0.role == InstanceRole::Admin.as_str())
    }

    /// Always an empty object.
    async fn flags(&self) -> Option<JsonString> {
        Some(JsonString::empty())
    }

    /// The name of the personal entity, which is the user name.
    async fn entity(&self) -> Option<&str> {
        Some(&self.0.username)
    }

    /// Always null: who is deleted is not there.
    async fn deleted_at(&self) -> Option<Timestamp> {
        None
    }

    /// The keys that you may see, without their secrets.
    async fn api_keys(&self, context: &Context<'_>) -> Option<Result<ApiKeyConnection>> {
        let keys = asked(context).keys_of(self.0.id).await;
        Some(keys.map(|keys| ApiKeyConnection {
            edges: keys.iter().map(|key| ApiKeyEdge::listed(key)).collect(),
        }))
    }

    /// The personal entity, and the teams that you may see.
    async fn teams(&self, context: &Context<'_>) -> Option<Result<EntityConnection>> {
        let teams = asked(context).teams_of(self.0.id).await;
        Some(teams.map(|teams| {
            let teams = teams.into_iter().map(|team| Entity::team(Arc::new(team)));
            let own = Entity::person(self.0.clone());
            EntityConnection::of(std::iter::once(own).chain(teams))
        }))
    }

    /// The root teams above the teams of this user, as far as you may see them.
    async fn organizations(&self, context: &Context<'_>) -> Result<Vec<Organization>> {
        let asked = asked(context);
        let teams = asked.teams_of(self.0.id).await?;
        asked.organizations_of(&teams).await
    }
}

/// Users that were found.
#[derive(SimpleObject)]
pub struct UserConnection {
    /// They, with nothing beside them.
    pub edges: Vec<UserEdge>,
}

/// A user that was found.
#[derive(SimpleObject)]
pub struct UserEdge {
    /// The user.
    pub node: Option<User>,
}

impl Asked {
    /// Who is calling.
    pub(super) async fn viewer(&self) -> Result<User> {
        let id = self.ctx.holder()?.user_id;
        let found = self.loaders.users.load(id).await?;
        let gone = || {
            Error::new(
                Code::Unauthenticated,
                "The user that is calling has just been deleted.",
            )
        };
        found.map(User).ok_or_else(gone)
    }
}

/// Queries on users.
#[derive(Default)]
pub struct UserQueries;

#[Object]
impl UserQueries {
    /// Who is calling.
    async fn viewer(&self, context: &Context<'_>) -> Option<Result<User>> {
        Some(asked(context).viewer().await)
    }

    /// The user with that name or address first, then those of whose names or address a word begins so: 100 at most.
    async fn users(
        &self,
        context: &Context<'_>,
        query: Option<String>,
    ) -> Option<Result<UserConnection>> {
        Some(search(asked(context), query.as_deref().unwrap_or_default()).await)
    }
}

/// Bytes that can be looked for at most, as in Keystead's own API.
const LONGEST_QUERY: usize = 200;

async fn search(asked: &Asked, query: &str) -> Result<UserConnection> {
    let ctx = &asked.ctx;
    if query.len() > LONGEST_QUERY {
        let length = query.len();
        let message = format!("The query has {length} bytes. It may have at most {LONGEST_QUERY}.");
        return Err(Error::bad_input("query", message));
    }
    let filter = UserFilter {
        search: Some(query.to_owned()).filter(|words| !words.is_empty()),
        ..UserFilter::default()
    };
    let request = PageRequest::first(MAX_PAGE);
    let listing = ops::list(ctx, &filter, UserSort::Username, false, &request);
    let (exact, page) = futures_util::try_join!(asked.exactly(query), listing)?;
    let mut found: Vec<Arc<model::User>> = exact.into_iter().collect();
    for user in page.items {
        if found.first().is_none_or(|first| first.id != user.id) {
            found.push(Arc::new(user));
        }
    }
    let edges = found.into_iter().map(|user| UserEdge {
        node: Some(User(user)),
    });
    Ok(UserConnection {
        edges: edges.collect(),
    })
}

impl Asked {
    /// The user with that name, or else with that address.
    pub(super) async fn exactly(&self, query: &str) -> Result<Option<Arc<model::User>>> {
        if query.is_empty() {
            return Ok(None);
        }
        // An address may be a user name too.
        match ops::by_username(&self.ctx, query).await? {
            None if query.contains('@') => ops::by_email(&self.ctx, query).await,
            found => Ok(found),
        }
    }
}

/// Who is to be made.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// The e-mail address.
    email: String,
    /// Whether it is to administer the instance.
    admin: Option<bool>,
}

/// What was made.
#[derive(SimpleObject)]
pub struct CreateUserPayload {
    /// The user.
    user: Option<User>,
}

/// What can be done to users.
#[derive(Default)]
pub struct UserMutations;

#[Object]
impl UserMutations {
    /// Makes a user; its name is made of its address.
    async fn create_user(
        &self,
        context: &Context<'_>,
        input: CreateUserInput,
    ) -> Option<Result<CreateUserPayload>> {
        let made = create(asked(context), input).await;
        let named = made.map_err(|error| in_words(error, &[("input.email", "email")]));
        Some(named.map(|user| CreateUserPayload {
            user: Some(User(Arc::new(user))),
        }))
    }
}

async fn create(asked: &Asked, input: CreateUserInput) -> Result<model::User> {
    // Its name is made of it.
    text::email("email", &input.email)?;
    let before = input.email.rsplit_once('@').map(|(before, _)| before);
    let short = username(before.unwrap_or(&input.email));
    let made = ops::create(&asked.ctx, new_user(&input, short)).await;
    match made {
        // Somebody else with another address is called so.
        Err(error) if error.field.as_deref() == Some("input.username") => {
            let whole = username(&input.email);
            ops::create(&asked.ctx, new_user(&input, whole)).await
        }
        made => made,
    }
}

fn new_user(input: &CreateUserInput, username: String) -> NewUser {
    NewUser {
        email: Some(input.email.clone()),
        role: input
            .admin
            .unwrap_or_default()
            .then_some(InstanceRole::Admin),
        ..NewUser::named(username)
    }
}

/// Characters of a user name at most.
const LONGEST_NAME: usize = 64;

/// A user name out of a text: what it may not have is a hyphen there.
pub(super) fn username(text: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || "._-@+".contains(c) {
        true => c,
        false => '-',
    };
    text.trim().chars().map(plain).take(LONGEST_NAME).collect()
}
