//! Mutations on access requests.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::inputs::{RequestAccessInput, ReviewAccessRequestInput, WithdrawAccessRequestInput};
use super::types::AccessRequest;
use crate::access_requests::ops;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::request;

/// What `requestAccess` answers.
#[derive(SimpleObject)]
pub struct RequestAccessPayload {
    /// The request, which waits to be reviewed.
    access_request: AccessRequest,
}

/// What `reviewAccessRequest` answers.
#[derive(SimpleObject)]
pub struct ReviewAccessRequestPayload {
    /// The request as it is now.
    access_request: AccessRequest,
}

/// What `withdrawAccessRequest` answers.
#[derive(SimpleObject)]
pub struct WithdrawAccessRequestPayload {
    /// The request as it is now.
    access_request: AccessRequest,
}

/// Mutations on access requests.
#[derive(Default)]
pub struct AccessRequestMutations;

#[Object]
impl AccessRequestMutations {
    /// Asks for access for yourself. Nothing is given until somebody approves; whoever could give it by hand sees the request and is told.
    /// It waits for 30 days at most, and 20 of yours at once. A restricted key cannot ask.
    async fn request_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What, why, and until when.")] input: RequestAccessInput,
    ) -> Result<RequestAccessPayload> {
        let made = ops::request(&request(context).ctx, input.read()?).await?;
        Ok(RequestAccessPayload {
            access_request: AccessRequest(Arc::new(made)),
        })
    }

    /// Approves a request, in whole, or less, or shorter, or denies it with a reason. Approving is the same as giving by hand: it needs
    /// `permission.write` at every path, or `team.write` at the team, and all that is given. Of two who review at once one decides. Nobody
    /// reviews a request of their own.
    async fn review_access_request(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and what becomes of it.")] input: ReviewAccessRequestInput,
    ) -> Result<ReviewAccessRequestPayload> {
        let id = Id::parse_as(Kind::AccessRequest, "input.id", &input.id)?;
        let reviewed = ops::review(&request(context).ctx, id, input.into()).await?;
        Ok(ReviewAccessRequestPayload {
            access_request: AccessRequest(Arc::new(reviewed)),
        })
    }

    /// Takes a request of your own back that nobody has reviewed. Declarative: doing it again changes nothing.
    async fn withdraw_access_request(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: WithdrawAccessRequestInput,
    ) -> Result<WithdrawAccessRequestPayload> {
        let id = Id::parse_as(Kind::AccessRequest, "input.id", &input.id)?;
        let withdrawn = ops::withdraw(&request(context).ctx, id).await?;
        Ok(WithdrawAccessRequestPayload {
            access_request: AccessRequest(Arc::new(withdrawn)),
        })
    }
}
