//! Inputs of queries on the audit trail.

use async_graphql::{Enum, ID, InputObject};

use crate::audit::model::{ActionFilter, AuditFilter};
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::graphql::input::OrderDirection;
use crate::graphql::scalars::Timestamp;

/// Which audit events to list or follow; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "AuditFilter")]
pub struct AuditFilterInput {
    /// Only events about this object: the id of a user, an API key, a team, a role or a permission, deleted or not.
    target: Option<ID>,
    /// Only what this user did.
    actor: Option<ID>,
    /// Only what was done with this API key.
    api_key: Option<ID>,
    /// Only this action, such as `user.create`; with a dot at the end all actions on that noun, such as `user.`.
    action: Option<String>,
    /// Only at or after this moment.
    from: Option<Timestamp>,
    /// Only before this moment.
    before: Option<Timestamp>,
    /// Only what this request did: the `requestId` of an answer's errors, or the header `X-Request-Id`.
    request_id: Option<String>,
}

impl AuditFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of the wrong kind, an action that none can be, or a request id that is too long.
    pub fn read(self) -> Result<AuditFilter> {
        let id =
            |kind, field, id: Option<ID>| id.map(|id| Id::parse_as(kind, field, &id)).transpose();
        if let Some(id) = self.request_id.as_ref().filter(|id| id.len() > 200) {
            let message = format!(
                "filter.requestId has {} bytes. It may have at most 200.",
                id.len()
            );
            return Err(Error::bad_input("filter.requestId", message));
        }
        if let Some(id) = &self.request_id
            && id.contains(char::is_control)
        {
            let message = format!(
                "{} is not the id of a request: it holds a control character.",
                quoted(id)
            );
            return Err(Error::bad_input("filter.requestId", message));
        }
        Ok(AuditFilter {
            target: self
                .target
                .map(|id| Id::parse("filter.target", &id))
                .transpose()?,
            actor: id(Kind::User, "filter.actor", self.actor)?,
            api_key: id(Kind::ApiKey, "filter.apiKey", self.api_key)?,
            action: self
                .action
                .as_deref()
                .map(|action| ActionFilter::read("filter.action", action))
                .transpose()?,
            from: self.from.map(|at| at.0),
            before: self.before.map(|at| at.0),
            request_id: self.request_id,
        })
    }
}

/// What a list of audit events is ordered by.
#[derive(Enum, Copy, Clone, Eq, PartialEq, Default)]
pub enum AuditOrderField {
    /// The time they happened.
    #[default]
    At,
}

/// The order of a list of audit events.
#[derive(InputObject)]
pub struct AuditOrder {
    /// What to order by.
    #[graphql(default)]
    pub field: AuditOrderField,
    /// In which direction.
    #[graphql(default_with = "OrderDirection::Desc")]
    pub direction: OrderDirection,
}
