//! Mutations on invitations.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use futures_util::future::try_join_all;

use super::inputs::{
    AcceptInvitationInput, CreateInvitationInput, ResendInvitationInput, RevokeInvitationInput,
    lifetime,
};
use super::types::Invitation;
use crate::ctx::Actor;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::{enter, request};
use crate::invitations::model::Accepted;
use crate::invitations::ops;
use crate::sessions;
use crate::sessions::graphql::Session;
use crate::teams::graphql::Team;
use crate::users::graphql::User;

/// What `createInvitation` answers.
#[derive(SimpleObject)]
pub struct CreateInvitationPayload {
    /// The invitation.
    invitation: Invitation,
    /// The link to hand over. It is shown this once and cannot be read again.
    link: String,
    /// Whether a mail with the link is being sent.
    mailed: bool,
}

/// What `resendInvitation` answers.
#[derive(SimpleObject)]
pub struct ResendInvitationPayload {
    /// The invitation as it is now.
    invitation: Invitation,
    /// The new link; the one before is not good any more. It is shown this once and cannot be read again.
    link: String,
    /// Whether a mail with the link is being sent.
    mailed: bool,
}

/// What `revokeInvitation` answers.
#[derive(SimpleObject)]
pub struct RevokeInvitationPayload {
    /// The invitation as it is now.
    invitation: Invitation,
}

/// What `acceptInvitation` answers.
pub struct AcceptInvitationPayload(Accepted);

/// What `acceptInvitation` answers.
#[Object]
impl AcceptInvitationPayload {
    /// Who has come in.
    async fn user(&self) -> User {
        User(Arc::new(self.0.user.clone()))
    }

    /// The teams that the user belongs to by this invitation.
    async fn joined(&self, context: &Context<'_>) -> Result<Vec<Team>> {
        let loaders = &request(context).loaders;
        let teams = self.0.joined.iter().map(|id| loaders.teams.load(*id));
        let teams = try_join_all(teams).await?;
        Ok(teams.into_iter().flatten().map(Team).collect())
    }

    /// The session that was begun; null for one who was signed in.
    async fn session(&self) -> Option<Session> {
        let (session, _) = self.0.session.as_ref()?;
        Some(Session(Arc::new(session.clone())))
    }

    /// The secret of the session, for the header `Authorization: Bearer kss_…`. It is shown this once and cannot be read again. Null where
    /// it went into a cookie, and for one who was signed in.
    async fn secret(&self) -> Option<String> {
        let (_, secret) = self.0.session.as_ref()?;
        secret.as_ref().map(|secret| secret.expose().to_owned())
    }

    /// Whether the user must have a second factor and has none: until it has set one up, the session may do nothing else.
    async fn must_enrol_second_factor(&self) -> bool {
        self.0.actor.as_ref().is_some_and(Actor::must_enrol)
    }
}

/// Mutations on invitations.
#[derive(Default)]
pub struct InvitationMutations;

#[Object]
impl InvitationMutations {
    /// Invites somebody by a link that is good once: a user that exists, with `user.write` at it and all that it holds; or an address, with
    /// `user.write` at `/users`, or, for a user with the policy's role, with `team.write` at every team it is into. It gives nothing that
    /// you do not hold, now and when it is accepted. Where mail is set up, the link is sent.
    async fn create_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and to what.")] input: CreateInvitationInput,
    ) -> Result<CreateInvitationPayload> {
        let ctx = &request(context).ctx;
        let made = ops::create(ctx, input.read(ctx.now())?).await?;
        Ok(CreateInvitationPayload {
            invitation: Invitation(Arc::new(made.invitation)),
            link: made.link.expose().to_owned(),
            mailed: made.mailed,
        })
    }

    /// Gives an invitation that was not accepted another link and another end, and sends it where mail is set up. You answer for it from
    /// then on. Needs `invitation.write` at it or at one of its teams, unless it is yours, and what it takes to make it.
    async fn resend_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload> {
        let id = Id::parse_as(Kind::Invitation, "input.id", &input.id)?;
        let ctx = &request(context).ctx;
        let lifetime = lifetime(ctx.now(), input.expires_in);
        let made = ops::resend(ctx, id, lifetime).await?;
        Ok(ResendInvitationPayload {
            invitation: Invitation(Arc::new(made.invitation)),
            link: made.link.expose().to_owned(),
            mailed: made.mailed,
        })
    }

    /// Takes an invitation back that was not accepted: its link is not good any more. Needs `invitation.write` at it or at one of its
    /// teams, unless it is yours. Declarative: doing it again changes nothing.
    async fn revoke_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload> {
        let id = Id::parse_as(Kind::Invitation, "input.id", &input.id)?;
        let invitation = ops::revoke(&request(context).ctx, id).await?;
        Ok(RevokeInvitationPayload {
            invitation: Invitation(Arc::new(invitation)),
        })
    }

    /// Accepts an invitation with the token of its link. Without a credential: makes the user, or gives the one that it is for its names and
    /// its password, and signs it in. With one: joins the teams with the user that you are. Every token that is not good has the same
    /// answer; of two who present one, one is accepted.
    async fn accept_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token, and who comes in.")] input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let request = request(context);
        let cookies = sessions::ops::cookies(&request.ctx, "input.cookie", input.cookie)?;
        let accepted = ops::accept(&request.ctx, input.read(cookies))
            .await
            .map_err(|error| request.refused(error))?;
        if let Some(actor) = &accepted.actor {
            enter(context, actor.clone());
        }
        Ok(AcceptInvitationPayload(accepted))
    }
}
