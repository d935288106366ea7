//! Teams: making them, inviting people, making service accounts, taking anybody away.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::accounts::{self, CreateServiceAccountInput, CreateServiceAccountPayload};
use super::answer::absent;
use super::entities::Entity;
use super::ids::{self, Kind};
use super::users::User;
use super::{Asked, asked};
use crate::db::ids::quoted;
use crate::dialects::in_words;
use crate::error::{Code, Error, Result};
use crate::graphql::scalars::Timestamp;
use crate::invitations;
use crate::invitations::model::{InvitationStatus, NewInvitation};
use crate::permissions::model::TeamRole;
use crate::teams::model::{NewMember, NewMembership, NewTeam, Team};
use crate::teams::ops::members;
use crate::{teams, users};

/// A team that is wanted.
#[derive(InputObject)]
pub struct CreateTeamInput {
    /// Its name, which becomes its slug.
    team_name: String,
    /// Who is to administer it; if not given, you.
    team_admin_user_name: Option<String>,
}

/// A team that was made.
#[derive(SimpleObject)]
pub struct CreateTeamPayload {
    /// The team.
    entity: Option<Entity>,
}

/// Somebody who is wanted in a team: a user by its name, or anybody by an address.
#[derive(InputObject)]
pub struct CreateInviteInput {
    /// The team.
    entity_name: String,
    /// The address.
    email: Option<String>,
    /// The user name.
    username: Option<String>,
    /// Whether it is to administer the team.
    admin: Option<bool>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CreateInvitePayload {
    /// The member, or the invitation.
    invite: Option<Invite>,
}

/// A place in a team: one that is taken, or one that waits.
#[derive(SimpleObject)]
pub struct Invite {
    /// Names it to `deleteInvite`.
    id: ID,
    /// The name of the user, or the address.
    name: String,
    /// The address.
    email: Option<String>,
    /// Since when.
    created_at: Option<Timestamp>,
    /// The user, if there is one already.
    to_user: Option<User>,
}

/// A place in a team that is to be free.
#[derive(InputObject)]
pub struct DeleteInviteInput {
    /// The id of the member, or of the invitation.
    id: Option<String>,
    /// The team.
    entity_name: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DeleteInvitePayload {
    /// Always true: what fails is an error.
    success: Option<bool>,
}

/// What can be done to teams.
#[derive(Default)]
pub struct TeamMutations;

#[Object]
impl TeamMutations {
    /// Makes a team that lies below no other.
    async fn create_team(
        &self,
        context: &Context<'_>,
        input: CreateTeamInput,
    ) -> Option<Result<CreateTeamPayload>> {
        let made = create_team(asked(context), input).await;
        let made = made.map_err(|error| {
            let words = [
                ("input.slug", "teamName"),
                ("input.name", "teamName"),
                ("a team with the slug", "a team named"),
            ];
            in_words(error, &words)
        });
        Some(made.map(|team| CreateTeamPayload {
            entity: Some(Entity::team(Arc::new(team))),
        }))
    }

    /// Makes a user a member of a team at once; whoever is not known is invited.
    async fn create_invite(
        &self,
        context: &Context<'_>,
        input: CreateInviteInput,
    ) -> Option<Result<CreateInvitePayload>> {
        let made = invite(asked(context), input).await;
        let made = made.map_err(|error| in_words(error, &[("input.email", "email")]));
        Some(made.map(|invite| CreateInvitePayload {
            invite: Some(invite),
        }))
    }

    /// Takes a member, an invitation or a service account away from a team.
    async fn delete_invite(
        &self,
        context: &Context<'_>,
        input: DeleteInviteInput,
    ) -> Option<Result<DeleteInvitePayload>> {
        let gone = delete_invite(asked(context), input).await;
        let gone =
            gone.map_err(|error| in_words(error, &[(", or say allowTeamsWithoutAdmin: true", "")]));
        Some(gone.map(|()| DeleteInvitePayload {
            success: Some(true),
        }))
    }

    /// Makes a service account in a team, with a key.
    async fn create_service_account(
        &self,
        context: &Context<'_>,
        input: CreateServiceAccountInput,
    ) -> Option<Result<CreateServiceAccountPayload>> {
        let made = accounts::create(asked(context), input).await;
        Some(made.map(|user| CreateServiceAccountPayload {
            user: Some(User(Arc::new(user))),
        }))
    }
}

async fn create_team(asked: &Asked, input: CreateTeamInput) -> Result<Team> {
    let members = match &input.team_admin_user_name {
        None => None,
        Some(name) => {
            let user = users::ops::by_username(&asked.ctx, name).await?;
            let user = user.ok_or_else(|| absent("teamAdminUserName", "user", name))?;
            Some(vec![NewMember {
                user: user.id,
                role: TeamRole::Admin,
                expires_at: None,
            }])
        }
    };
    let new = NewTeam {
        slug: input.team_name.clone(),
        name: input.team_name,
        description: None,
        parent: None,
        metadata: None,
        members,
    };
    teams::ops::create(&asked.ctx, new).await
}

async fn invite(asked: &Asked, input: CreateInviteInput) -> Result<Invite> {
    let ctx = &asked.ctx;
    let known = match (&input.email, &input.username) {
        (Some(email), None) => users::ops::by_email(ctx, email).await?,
        (None, Some(name)) => {
            let user = users::ops::by_username(ctx, name).await?;
            Some(user.ok_or_else(|| absent("username", "user", name))?)
        }
        _ => {
            return Err(Error::bad_input(
                "input",
                "Give either an email address or a username.",
            ));
        }
    };
    let team = asked.team_named("entityName", &input.entity_name).await?;
    let role = match input.admin.unwrap_or_default() {
        true => TeamRole::Admin,
        false => TeamRole::Member,
    };
    let Some(user) = known else {
        let email = input.email.unwrap_or_default();
        return invite_address(asked, &team, role, email).await;
    };
    let new = NewMember {
        user: user.id,
        role,
        expires_at: None,
    };
    let membership = members::add(ctx, team.id, new).await.map_err(|mut error| {
        if error.code == Code::AlreadyExists {
            let (name, team) = (quoted(&user.username), quoted(&team.slug));
            error.message = format!("The user {name} belongs to the team {team} already.");
        }
        error
    })?;
    Ok(Invite {
        id: ids::write(Kind::User, user.id).into(),
        name: user.shown_name().to_owned(),
        email: user.email.clone(),
        created_at: Some(Timestamp(membership.since)),
        to_user: Some(User(user)),
    })
}

async fn invite_address(
    asked: &Asked,
    team: &Team,
    role: TeamRole,
    email: String,
) -> Result<Invite> {
    // The client sends again what it got no answer to: nobody shall have two letters of it.
    let waiting = asked.waiting(team.id).await?;
    let same = |address: &Option<String>| {
        let address = address.as_deref().unwrap_or_default();
        address.to_lowercase() == email.trim().to_lowercase()
    };
    if waiting.iter().any(|invitation| same(&invitation.email)) {
        let (email, team) = (quoted(&email), quoted(&team.slug));
        let message = format!("The address {email} is invited to the team {team} already.");
        return Err(Error::already_exists("email", message));
    }
    let new = NewInvitation {
        email: Some(email),
        memberships: Some(vec![NewMembership {
            team: team.id,
            role,
        }]),
        ..NewInvitation::default()
    };
    let made = invitations::ops::create(&asked.ctx, new).await?.invitation;
    Ok(Invite {
        id: ids::write(Kind::Invite, made.id).into(),
        name: made.email.clone().unwrap_or_default(),
        email: made.email,
        created_at: Some(Timestamp(made.created_at)),
        to_user: None,
    })
}

async fn delete_invite(asked: &Asked, input: DeleteInviteInput) -> Result<()> {
    let (Some(id), Some(name)) = (&input.id, &input.entity_name) else {
        return Err(Error::bad_input(
            "input",
            "Give the id of a member or of an invitation, and the name of its team.",
        ));
    };
    let (kind, uuid) = ids::read("id", id)?;
    let team = asked.team_named("entityName", name).await?;
    match kind {
        Kind::User => accounts::remove(asked, &team, uuid).await,
        Kind::Invite => {
            let found = invitations::ops::by_ids(&asked.ctx.db, vec![uuid]).await?;
            let now = asked.ctx.now();
            let of_team = found.get(&uuid).is_some_and(|invitation| {
                invitation.team_ids.contains(&team.id)
                    && invitation.status(now) == InvitationStatus::Pending
                    && invitations::ops::may_read(&asked.ctx, invitation)
            });
            if !of_team {
                return Err(absent("id", "member or invitation", id));
            }
            invitations::ops::revoke(&asked.ctx, uuid).await.map(drop)
        }
        Kind::Entity | Kind::ApiKey | Kind::Organization => Err(Error::bad_input(
            "id",
            format!(
                "{} is neither the id of a member nor that of an invitation.",
                quoted(id)
            ),
        )),
    }
}
