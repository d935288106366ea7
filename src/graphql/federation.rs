//! Keystead as a subgraph of an Apollo federation, where the operator wants it: users, teams and API keys are entities that
//! other subgraphs name by their `id`.
//!
//! async-graphql's own federation is switched on by the types; here a setting decides. The engine always knows the two
//! fields, but while the setting is off the guard's schema has none of them and introspection does not show them.

use std::sync::LazyLock;

use async_graphql::{
    Context, InputValueError, InputValueResult, Name, Object, Scalar, ScalarType, SimpleObject,
    Union, Value,
};
use futures_util::future::join_all;

use super::{Request, request, schema};
use crate::api_keys::graphql::ApiKey;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::teams::graphql::Team;
use crate::users::graphql::User;

/// Representations in one `_entities` request at most.
const MAX_REPRESENTATIONS: usize = 1_000;

/// Whether this schema is a subgraph: in the schema's data.
pub struct Federated(pub bool);

fn federated(context: &Context<'_>) -> bool {
    context
        .data::<Federated>()
        .is_ok_and(|Federated(federated)| *federated)
}

/// What a gateway knows of an entity: the name of its type, and its key.
pub struct Representation {
    typename: String,
    id: String,
}

/// What a gateway knows of an entity: `{"__typename": "User", "id": "user_…"}`.
#[Scalar(name = "_Any")]
impl ScalarType for Representation {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Object(fields) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        match (text("__typename"), text("id")) {
            (Some(typename), Some(id)) => Ok(Representation { typename, id }),
            _ => Err(InputValueError::custom(
                "A representation names its type and its key: {\"__typename\": \"User\", \"id\": \"user_…\"}.",
            )),
        }
    }

    fn to_value(&self) -> Value {
        let field = |name: &str, text: &str| (Name::new(name), Value::String(text.to_owned()));
        Value::Object(
            [field("__typename", &self.typename), field("id", &self.id)]
                .into_iter()
                .collect(),
        )
    }
}

/// What other subgraphs can refer to.
#[derive(Union)]
#[graphql(name = "_Entity")]
pub enum Entity {
    /// A person or a service account.
    User(User),
    /// A team.
    Team(Team),
    /// An API key.
    ApiKey(ApiKey),
}

/// What a composition needs of this subgraph.
#[derive(SimpleObject)]
#[graphql(name = "_Service")]
struct Service {
    /// The schema with its entities' keys.
    sdl: &'static str,
}

/// The two queries of a subgraph.
#[derive(Default)]
pub struct FederationQueries;

#[Object]
impl FederationQueries {
    /// What a composition needs of this subgraph. Needs no credential.
    #[graphql(name = "_service", visible = "federated")]
    async fn service(&self) -> Service {
        Service { sdl: &SUBGRAPH }
    }

    /// The entities with those keys, in their order; null where there is none or you may not see it.
    #[graphql(name = "_entities", visible = "federated")]
    async fn entities(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Types and keys, at most 1,000.")] representations: Vec<Representation>,
    ) -> Result<Vec<Option<Result<Entity>>>> {
        if representations.len() > MAX_REPRESENTATIONS {
            let message = format!(
                "{} representations are asked for. At most {MAX_REPRESENTATIONS} go in one request.",
                representations.len()
            );
            return Err(Error::bad_input("representations", message));
        }
        let request = request(context);
        let entities = representations.iter().map(|known| load(request, known));
        Ok(join_all(entities)
            .await
            .into_iter()
            .map(Result::transpose)
            .collect())
    }
}

async fn load(request: &Request, known: &Representation) -> Result<Option<Entity>> {
    let field = "representations.id";
    let id = |kind| Id::parse_as(kind, field, &known.id);
    match known.typename.as_str() {
        "User" => Ok(User::load(request, id(Kind::User)?)
            .await?
            .map(Entity::User)),
        "Team" => Ok(Team::load(request, id(Kind::Team)?)
            .await?
            .map(Entity::Team)),
        "ApiKey" => Ok(ApiKey::load(request, id(Kind::ApiKey)?)
            .await?
            .map(Entity::ApiKey)),
        _ => Err(Error::bad_input(
            "representations.__typename",
            "That type is no entity of Keystead. User, Team and ApiKey are.",
        )),
    }
}

static SUBGRAPH: LazyLock<String> = LazyLock::new(|| subgraph(&schema::sdl()));

/// The schema as a composition wants it: the entities' keys, and what other subgraphs may define too.
fn subgraph(sdl: &str) -> String {
    let marked = |line: &str| {
        let mark = match line.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["type", "User" | "Team" | "ApiKey"] => "@key(fields: \"id\")",
            ["type", "PageInfo"] => "@shareable",
            _ => return format!("{line}\n"),
        };
        format!("{} {mark} {{\n", line.trim_end_matches(['{', ' ']))
    };
    let mut text: String = sdl.lines().map(marked).collect();
    text.push_str(
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \"@shareable\"])\n",
    );
    text
}
