//! What is said of registries and of their members.

use async_graphql::{ID, InputObject};

/// A registry that is wanted, or how it is to be.
#[derive(InputObject)]
pub struct UpsertModelInput {
    /// Not used: a registry is found by its name.
    pub id: Option<String>,
    /// Its name, with the client's prefix.
    pub name: Option<String>,
    /// The organisation.
    pub entity_name: Option<String>,
    /// Nothing: there is no place for it.
    pub description: Option<String>,
    /// `PRIVATE`: the organisation's members may look at it; `RESTRICTED`: only who is added.
    pub access: Option<String>,
    /// Nothing: there is no place for it.
    pub views: Option<String>,
    /// Nothing: there is no place for it.
    pub owner: Option<ID>,
    /// Nothing: there is no place for it.
    pub framework: Option<String>,
    /// Nothing: there is no place for it.
    pub docker_image: Option<String>,
    /// Nothing: there is no place for it.
    pub repo: Option<String>,
    /// Nothing: there is no place for it.
    pub is_benchmark: Option<bool>,
    /// Nothing: there is no place for it.
    pub is_published: Option<bool>,
    /// Only true: there are no artifacts here whose types could be held to anything.
    pub allow_all_artifact_types_in_registry: Option<bool>,
    /// None: as above.
    pub artifact_types: Option<Vec<ArtifactTypeInput>>,
    /// Nothing: there is no place for it.
    pub icon: Option<ProjectIconInput>,
    /// Nothing: there is no place for it.
    pub rate_limits: Option<RateLimitsInput>,
    /// Not used.
    pub client_mutation_id: Option<String>,
}

/// A type of artifacts.
#[derive(InputObject)]
pub struct ArtifactTypeInput {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

/// A picture.
#[derive(InputObject)]
pub struct ProjectIconInput {
    /// Its name.
    pub name: String,
    /// Its colour.
    pub color: String,
}

/// How often may be asked.
#[derive(InputObject)]
pub struct RateLimitsInput {
    /// By anybody.
    pub graphql: Option<i32>,
    /// By the client.
    pub sdk_graphql: Option<i32>,
}

/// A registry that is to go.
#[derive(InputObject)]
pub struct DeleteModelInput {
    /// Its id.
    pub id: String,
}

/// A registry that is to have another name.
#[derive(InputObject)]
pub struct RenameProjectInput {
    /// The organisation.
    pub entity_name: String,
    /// Its name, with the client's prefix.
    pub old_project_name: String,
    /// Its new name, with the client's prefix.
    pub new_project_name: String,
    /// Not used.
    pub client_mutation_id: Option<String>,
}

/// Who is to be added to a registry.
#[derive(InputObject)]
pub struct CreateProjectMembersInput {
    /// The registry.
    pub project_id: ID,
    /// Users.
    pub user_ids: Option<Vec<ID>>,
    /// Teams.
    pub team_ids: Option<Vec<ID>>,
}

/// Who is to be taken away from a registry.
#[derive(InputObject)]
pub struct DeleteProjectMembersInput {
    /// The registry.
    pub project_id: ID,
    /// Users.
    pub user_ids: Option<Vec<ID>>,
    /// Teams.
    pub team_ids: Option<Vec<ID>>,
}

/// What a user is to be to a registry.
#[derive(InputObject)]
pub struct UpdateProjectMemberInput {
    /// The registry.
    pub project_id: ID,
    /// The user.
    pub user_id: ID,
    /// `admin`, `member`, `viewer` or `restricted_viewer`.
    pub user_project_role: String,
    /// Not used.
    pub client_mutation_id: Option<String>,
}

/// What a team is to be to a registry.
#[derive(InputObject)]
pub struct UpdateProjectTeamMemberInput {
    /// The registry.
    pub project_id: ID,
    /// The team.
    pub team_id: ID,
    /// `admin`, `member`, `viewer` or `restricted_viewer`.
    pub team_project_role: String,
    /// Not used.
    pub client_mutation_id: Option<String>,
}
