//! Inputs of queries and mutations on invitations.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, TimeDelta, Utc};

use super::types::InvitationStatus;
use crate::authn::cookie::Cookies;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::factors::graphql::{PasskeyInput, offered};
use crate::graphql::scalars::Duration;
use crate::invitations::model::{Acceptance, InvitationFilter, NewInvitation};
use crate::secrets::Secret;
use crate::users::graphql::{InstanceRole, MembershipInput, memberships};

/// Which invitations to list; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "InvitationFilter")]
pub struct InvitationFilterInput {
    /// Only those that stand so now.
    status: Option<InvitationStatus>,
    /// Only those into this team.
    team: Option<ID>,
    /// Only those for this address, without regard to case.
    email: Option<String>,
    /// Only those that this user answers for.
    invited_by: Option<ID>,
}

impl InvitationFilterInput {
    /// The filter as operations take it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of another kind, or an address that is too long.
    pub fn read(self) -> Result<InvitationFilter> {
        let id = |kind, field: &str, id: Option<ID>| {
            id.map(|id| Id::parse_as(kind, field, &id)).transpose()
        };
        if let Some(length) = self
            .email
            .as_ref()
            .map(String::len)
            .filter(|length| *length > 254)
        {
            let message = format!("filter.email has {length} bytes. An address has at most 254.");
            return Err(Error::bad_input("filter.email", message));
        }
        Ok(InvitationFilter {
            status: self.status.map(Into::into),
            team: id(Kind::Team, "filter.team", self.team)?,
            email: self.email.map(|email| email.replace('\0', "\u{fffd}")),
            invited_by: id(Kind::User, "filter.invitedBy", self.invited_by)?,
        })
    }
}

/// Somebody to be invited: either a user that exists, or an address.
#[derive(InputObject)]
pub struct CreateInvitationInput {
    /// A user that exists: it comes in with the names and the password that it then says. Needs `user.write` at it, and all that it holds.
    user: Option<ID>,
    /// The address of a person who becomes a user.
    email: Option<String>,
    /// What the new user will be to the instance; left out: as the policy says. You cannot give more than you hold.
    role: Option<InstanceRole>,
    /// The teams it is into, at most 100; left out: as the policy says. Needs `team.write` at each.
    memberships: Option<Vec<MembershipInput>>,
    /// How long it is good, in ISO 8601: `P7D`, which is what it is if left out, at least `PT1M`, at most `P90D`.
    expires_in: Option<Duration>,
}

impl CreateInvitationInput {
    /// The invitation as the operation takes it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id of another kind.
    pub fn read(self, now: DateTime<Utc>) -> Result<NewInvitation> {
        let user = self
            .user
            .map(|id| Id::parse_as(Kind::User, "input.user", &id));
        let teams = self
            .memberships
            .map(|list| memberships("input.memberships", list));
        Ok(NewInvitation {
            user: user.transpose()?,
            email: self.email,
            role: self.role.map(Into::into),
            memberships: teams.transpose()?,
            lifetime: lifetime(now, self.expires_in),
        })
    }
}

/// How long that is from now on; what ends after the year 9999 is too long for anything.
pub fn lifetime(now: DateTime<Utc>, length: Option<Duration>) -> Option<TimeDelta> {
    length.map(|length| length.after(now).map_or(TimeDelta::MAX, |end| end - now))
}

/// Which invitation to send again.
#[derive(InputObject)]
pub struct ResendInvitationInput {
    /// The invitation.
    pub id: ID,
    /// How long it is good from now on, in ISO 8601: `P7D`, which is what it is if left out, at least `PT1M`, at most `P90D`.
    pub expires_in: Option<Duration>,
}

/// Which invitation to take back.
#[derive(InputObject)]
pub struct RevokeInvitationInput {
    /// The invitation.
    pub id: ID,
}

/// Somebody who accepts an invitation. Whoever is signed in says the token alone.
#[derive(InputObject)]
pub struct AcceptInvitationInput {
    /// The token of the link, `ksi_…`.
    #[graphql(secret)]
    token: String,
    /// Of a new user: the name it signs in with, 1–64 of letters, digits and . _ - @ +; left out: its address.
    username: Option<String>,
    /// The display name, 1–200 characters.
    name: Option<String>,
    /// The given name, 1–200 characters.
    given_name: Option<String>,
    /// The family name, 1–200 characters.
    family_name: Option<String>,
    /// The password: at least as long as the policy says, at most 72 bytes.
    #[graphql(secret)]
    password: Option<String>,
    /// Where the invitation is for a user who has a second factor: the six digits that the app shows, or a recovery code.
    #[graphql(secret)]
    otp: Option<String>,
    /// In place of a code: what a passkey of that user has signed.
    passkey: Option<PasskeyInput>,
    /// For pages of this server's own address: the browser keeps the secret of the session in a cookie that no script can read.
    #[graphql(default = false)]
    pub cookie: bool,
}

impl AcceptInvitationInput {
    /// What the operation takes.
    pub fn read(self, cookies: Option<Cookies>) -> Acceptance {
        Acceptance {
            token: Secret::new(self.token),
            username: self.username,
            name: self.name,
            given_name: self.given_name,
            family_name: self.family_name,
            password: self.password.map(Secret::new),
            offered: offered(self.otp, self.passkey),
            cookies,
        }
    }
}
