//! Queries on users.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::inputs::{UserBy, UserFilterInput, UserOrder};
use super::types::{User, UserConnection};
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::connection::{Place, page_request};
use crate::graphql::input::OrderDirection;
use crate::graphql::lean::AtHand;
use crate::graphql::{Request, request};
use crate::users::model::UserSort;
use crate::users::ops;

/// Queries on users.
#[derive(Default)]
pub struct UserQueries;

#[Object]
impl UserQueries {
    /// One user, by id, user name or e-mail address; null if there is none or you may not see it.
    async fn user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which user: give exactly one of the fields.")] by: UserBy,
    ) -> Option<Result<User>> {
        find(request(context), by).await.transpose()
    }

    /// Users: those you may see.
    #[expect(clippy::too_many_arguments, reason = "Relay's four and the list's two")]
    async fn users(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which users; conditions are joined by AND.")] filter: Option<
            UserFilterInput,
        >,
        #[graphql(desc = "In which order; oldest first if not given.")] order_by: Option<UserOrder>,
    ) -> Result<AtHand<UserConnection>> {
        let (sort, descending) = match order_by {
            Some(order) => (order.field.into(), order.direction == OrderDirection::Desc),
            None => (UserSort::CreatedAt, false),
        };
        let list = list_name(sort, descending);
        let page = page_request(context, list, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let users = ops::list(&request(context).ctx, &filter, sort, descending, &page).await?;
        Ok(UserConnection::of(
            users,
            |user| Place::new(list, ops::cursor(user, sort)),
            |user| User(Arc::new(user)),
        ))
    }
}

async fn find(request: &Request, by: UserBy) -> Result<Option<User>> {
    match by {
        UserBy::Id(id) => User::load(request, Id::parse_as(Kind::User, "by.id", &id)?).await,
        UserBy::Username(name) => Ok(ops::by_username(&request.ctx, &name).await?.map(User)),
        UserBy::Email(email) => Ok(ops::by_email(&request.ctx, &email).await?.map(User)),
    }
}

/// The name that cursors of this order carry.
fn list_name(sort: UserSort, descending: bool) -> &'static str {
    match (sort, descending) {
        (UserSort::CreatedAt, false) => "users:createdAt",
        (UserSort::CreatedAt, true) => "users:createdAt:desc",
        (UserSort::Username, false) => "users:username:TEXT",
        (UserSort::Username, true) => "users:username:desc:TEXT",
    }
}
