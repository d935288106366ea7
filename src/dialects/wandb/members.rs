//! Who belongs to a team, as the client lists it: members and invitations that wait in one list, newest last.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Asked;
use super::ids::{self, Kind};
use super::pages::Rows;
use crate::api_keys;
use crate::error::Result;
use crate::invitations;
use crate::invitations::model::{Invitation, InvitationFilter, InvitationStatus};
use crate::permissions::model::TeamRole;
use crate::teams::model::{Membership, Team};
use crate::users::model::{User, UserKind};

/// Somebody in a team's list.
#[derive(SimpleObject, Clone)]
pub struct Member {
    /// Names it to `deleteInvite`.
    id: Option<String>,
    /// Whether it administers the team.
    admin: Option<bool>,
    /// `admin` or `member`.
    role: Option<String>,
    /// Whether it is an invitation that waits.
    pending: Option<bool>,
    /// The e-mail address.
    email: Option<String>,
    /// The name it signs in with.
    username: Option<String>,
    /// The display name, or else the user name; of an invitation the address.
    name: String,
    /// Always null: there are no pictures.
    photo_url: Option<String>,
    /// `USER` or `SERVICE`.
    account_type: Option<String>,
    /// The secret of a service account's key: for who has made it, for a minute.
    api_key: Option<String>,
}

impl Member {
    /// A user in its own place.
    pub fn person(user: &User) -> Self {
        Member::user(user, true)
    }

    fn user(user: &User, admin: bool) -> Self {
        let is_service = user.kind == UserKind::Service.as_str();
        Member {
            id: Some(ids::write(Kind::User, user.id)),
            admin: Some(admin),
            role: Some(role(admin).into()),
            pending: Some(false),
            email: user.email.clone(),
            username: Some(user.username.clone()),
            name: user.shown_name().to_owned(),
            photo_url: None,
            account_type: Some(if is_service { "SERVICE" } else { "USER" }.into()),
            api_key: None,
        }
    }

    fn invited(invitation: &Invitation, team: Uuid) -> Self {
        let mut teams = invitation.team_ids.iter().zip(&invitation.team_roles);
        let admin = teams.any(|(id, role)| *id == team && role == TeamRole::Admin.as_str());
        let email = invitation.email.clone();
        Member {
            id: Some(ids::write(Kind::Invite, invitation.id)),
            admin: Some(admin),
            role: Some(role(admin).into()),
            pending: Some(true),
            name: email.clone().unwrap_or_default(),
            email,
            username: None,
            photo_url: None,
            account_type: Some("USER".into()),
            api_key: None,
        }
    }
}

fn role(admin: bool) -> &'static str {
    if admin { "admin" } else { "member" }
}

impl Asked {
    /// Who belongs to a team, and who is invited to it, as far as the caller may see it.
    pub(super) async fn members(&self, team: &Arc<Team>) -> Result<Vec<Member>> {
        let (members, waiting) =
            futures_util::try_join!(self.members_of(team.id), self.waiting(team.id))?;
        let people = members.iter().map(|row| row.user_id);
        let people = self.loaders.users.load_many(people).await?;
        let secrets = self.secrets(team.id, &members, &people).await?;
        let mut listed: Vec<(DateTime<Utc>, Uuid, Member)> = Vec::new();
        for (row, user) in members.iter().zip(&people) {
            let Some(user) = user else { continue };
            let mut member = Member::user(user, row.role == TeamRole::Admin.as_str());
            member.api_key = secrets.get(&user.id).cloned();
            listed.push((row.since, user.id, member));
        }
        for invitation in &waiting {
            let member = Member::invited(invitation, team.id);
            listed.push((invitation.created_at, invitation.id, member));
        }
        listed.sort_by_key(|(at, id, _)| (*at, *id));
        Ok(listed.into_iter().map(|(.., member)| member).collect())
    }

    /// The invitations to a team that wait, as far as the caller may see them.
    pub(super) async fn waiting(&self, team: Uuid) -> Result<Vec<Invitation>> {
        let filter = InvitationFilter {
            status: Some(InvitationStatus::Pending),
            team: Some(team),
            ..InvitationFilter::default()
        };
        let mut all = Rows::new();
        while let Some(request) = all.next() {
            let page = invitations::ops::list(&self.ctx, &filter, &request).await?;
            all.take(&page, invitations::ops::cursor);
        }
        Ok(all.all())
    }

    /// The secrets that are shown once more, by the service accounts that have the keys. Asked for only where an account joined so lately
    /// that there can be one.
    async fn secrets(
        &self,
        team: Uuid,
        members: &[Membership],
        people: &[Option<Arc<User>>],
    ) -> Result<HashMap<Uuid, String>> {
        let since = self.ctx.now() - api_keys::ops::SHOWN_AGAIN;
        let lately = members.iter().zip(people).any(|(row, user)| {
            row.since > since
                && user
                    .as_ref()
                    .is_some_and(|user| user.kind == UserKind::Service.as_str())
        });
        if !lately {
            return Ok(HashMap::new());
        }
        let shown = api_keys::ops::shown_again(&self.ctx, team).await?;
        let told = shown
            .into_iter()
            .map(|(owner, secret)| (owner, secret.expose().to_owned()));
        Ok(told.collect())
    }
}
