//! Queries on invitations.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::inputs::InvitationFilterInput;
use super::types::{Invitation, InvitationConnection, InvitationOffer};
use crate::error::Result;
use crate::graphql::connection::{Place, page_request};
use crate::graphql::lean::AtHand;
use crate::graphql::request;
use crate::invitations::ops;
use crate::secrets::Secret;

/// The name that cursors of the list carry.
const INVITATIONS: &str = "invitations";

/// Queries on invitations.
#[derive(Default)]
pub struct InvitationQueries;

#[Object]
impl InvitationQueries {
    /// Who invites, and to what: for whoever holds the token. Needs no credential. Every token that is not good has the same answer.
    async fn invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token of the link, `ksi_…`.", secret)] token: String,
    ) -> Option<Result<InvitationOffer>> {
        let request = request(context);
        let found = ops::by_token(&request.ctx, &Secret::new(token)).await;
        let found = found.map(InvitationOffer::of);
        Some(found.map_err(|error| request.refused(error)))
    }

    /// Invitations, newest first: your own, and those you may see by `invitation.read` at `/invitations` or at a team they are into.
    async fn invitations(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which invitations; conditions are joined by AND.")] filter: Option<
            InvitationFilterInput,
        >,
    ) -> Result<AtHand<InvitationConnection>> {
        let page = page_request(context, INVITATIONS, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let found = ops::list(&request(context).ctx, &filter, &page).await?;
        Ok(InvitationConnection::of(
            found,
            |row| Place::new(INVITATIONS, ops::cursor(row)),
            |row| Invitation(Arc::new(row)),
        ))
    }
}
