//! Registries: who may do what at a path, as the client sees it.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{CREATE_TEAM, INVITE, app_with_team, data, id_of, masked, refused};
use crate::support::{Client, TestApp};

const REGISTRY: &str = "fragment R on Project { __typename id internalId name entity { name organization { name } } description createdAt
    updatedAt access allowAllArtifactTypes: allowAllArtifactTypesInRegistry artifactTypes(includeAll: true) { edges { node { name } } } }";
const USERS: &str = "query RegistryUserMembers($project: String!, $entity: String!) { project(name: $project, entityName: $entity) {
    members { id name username email role { name } } } }";
const TEAMS: &str = "query RegistryTeamMembers($project: String!, $entity: String!) { project(name: $project, entityName: $entity) {
    teamMembers { team { __typename id name isTeam entityType members { __typename id role name } } role { name } } } }";
const ADD: &str = "mutation CreateRegistryMembers($input: CreateProjectMembersInput!) { result: createProjectMembers(input: $input) { success } }";
const REMOVE: &str = "mutation DeleteRegistryMembers($input: DeleteProjectMembersInput!) { result: deleteProjectMembers(input: $input) { success } }";
const USER_ROLE: &str = "mutation UpdateUserRegistryRole($input: UpdateProjectMemberInput!) { result: updateProjectMember(input: $input) { success } }";
const TEAM_ROLE: &str = "mutation UpdateTeamRegistryRole($input: UpdateProjectTeamMemberInput!) { result: updateProjectTeamMember(input: $input) { success } }";
const DELETE: &str =
    "mutation DeleteRegistry($id: String!) { deleteModel(input: {id: $id}) { success } }";

fn upsert() -> String {
    format!(
        "mutation UpsertRegistry($input: UpsertModelInput!) {{ upsertModel(input: $input) {{ inserted project {{ ...R }} }} }} {REGISTRY}"
    )
}

fn rename() -> String {
    format!(
        "mutation RenameRegistry($input: RenameProjectInput!) {{ renameProject(input: $input) {{ inserted project {{ ...R }} }} }} {REGISTRY}"
    )
}

fn fetch() -> String {
    format!(
        "query FetchRegistry($name: String, $entity: String) {{ entity(name: $entity) {{ project(name: $name) {{ ...R }} }} }} {REGISTRY}"
    )
}

fn fetch_all() -> String {
    format!("query FetchRegistries($organization: String!, $filters: JSONString, $cursor: String, $perPage: Int, $order: String) {{
        organization(name: $organization) {{ orgEntity {{ projects(filters: $filters, after: $cursor, first: $perPage, order: $order) {{
            pageInfo {{ __typename endCursor hasNextPage }} edges {{ node {{ ...R }} }} }} }} }} }} {REGISTRY}")
}

/// What the client sends to make one.
fn wanted(name: &str, access: &str) -> Value {
    json!({"input": {"name": format!("wandb-registry-{name}"), "entityName": "acme", "access": access, "description": null,
        "allowAllArtifactTypesInRegistry": true, "artifactTypes": null, "id": null, "owner": null}})
}

async fn create(client: &Client, name: &str, access: &str) -> String {
    let made = data(client, &upsert(), wanted(name, access)).await;
    assert_eq!(made["upsertModel"]["inserted"], true);
    made["upsertModel"]["project"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Who holds which role.
async fn held(client: &Client, name: &str) -> Vec<String> {
    let of = json!({"project": format!("wandb-registry-{name}"), "entity": "acme"});
    let users = data(client, USERS, of.clone()).await;
    let teams = data(client, TEAMS, of).await;
    let users = users["project"]["members"].as_array().unwrap().iter();
    let teams = teams["project"]["teamMembers"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    let mut told: Vec<String> = users
        .map(|one| format!("{} {}", text(&one["username"]), text(&one["role"]["name"])))
        .collect();
    told.extend(teams.map(|one| {
        format!(
            "{} {}",
            text(&one["team"]["name"]),
            text(&one["role"]["name"])
        )
    }));
    told
}

#[tokio::test]
async fn a_registry_is_what_is_held_at_its_path() {
    let app = app_with_team("acme").await;
    let admin = app.admin();
    let made = data(&admin, &upsert(), wanted("models", "PRIVATE")).await;
    insta::assert_json_snapshot!("registry", masked(made));
    assert_eq!(held(&admin, "models").await, ["admin admin", "acme viewer"]);
    let native = "{ permissions(filter: {pathPrefix: \"/registries\"}) { nodes { path propagate role { name }
        principal { ... on User { username } ... on Team { slug } } } } }";
    insta::assert_json_snapshot!("native_permissions", admin.data(native, json!({})).await);
    let of = json!({"name": "wandb-registry-models", "entity": "acme"});
    let found = data(&admin, &fetch(), of).await;
    assert_eq!(found["entity"]["project"]["access"], "PRIVATE");
    // What is held natively makes one too.
    let input = json!({"input": {"principal": app_user(&app, "admin").await, "path": "/registries/acme/more%20data", "roles": [{"role": "READ"}]}});
    admin
        .data("mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added } }", input)
        .await;
    assert_eq!(held(&admin, "more data").await, ["admin restricted_viewer"]);
    let all = data(
        &admin,
        &fetch_all(),
        json!({"organization": "acme", "filters": "{}", "perPage": 1}),
    )
    .await;
    let page = &all["organization"]["orgEntity"]["projects"];
    assert_eq!(
        page["pageInfo"],
        json!({"__typename": "PageInfo", "endCursor": "models", "hasNextPage": true})
    );
    let rest = json!({"organization": "acme", "filters": null, "cursor": "models", "perPage": 1});
    let all = data(&admin, &fetch_all(), rest).await;
    let page = &all["organization"]["orgEntity"]["projects"];
    assert_eq!(page["edges"][0]["node"]["name"], "wandb-registry-more data");
    assert_eq!(page["pageInfo"]["hasNextPage"], false);
    let named = json!({"organization": "acme", "filters": "{\"name\": \"wandb-registry-models\"}"});
    let all = data(&admin, &fetch_all(), named).await;
    assert_eq!(
        all["organization"]["orgEntity"]["projects"]["edges"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

async fn app_user(app: &TestApp, name: &str) -> String {
    let found = keystead::users::ops::by_username(&app.ctx(), name)
        .await
        .unwrap();
    found.unwrap().typed_id().to_string()
}

#[tokio::test]
async fn members_come_change_and_go() {
    let app = app_with_team("acme").await;
    let admin = app.admin();
    let (user, bob) = app.user("bob", InstanceRole::Member).await;
    data(&admin, CREATE_TEAM, json!({"teamName": "vision"})).await;
    data(&admin, INVITE, json!({"entity": "acme", "username": "bob"})).await;
    let found = data(&admin, "{ entity(name: \"vision\") { id } }", json!({})).await;
    let (bob_id, vision) = (id_of("User", user.id), found["entity"]["id"].clone());
    let id = create(&admin, "models", "RESTRICTED").await;
    let of = json!({"name": "wandb-registry-models", "entity": "acme"});
    assert_eq!(
        data(&bob, &fetch(), of.clone()).await["entity"]["project"],
        Value::Null
    );
    let both = json!({"input": {"projectId": id, "userIds": [bob_id], "teamIds": [vision]}});
    assert_eq!(
        data(&admin, ADD, both.clone()).await,
        json!({"result": {"success": true}})
    );
    assert_eq!(
        held(&admin, "models").await,
        ["admin admin", "bob viewer", "vision viewer"]
    );
    assert_eq!(
        data(&bob, &fetch(), of).await["entity"]["project"]["access"],
        "RESTRICTED"
    );
    for role in ["admin", "member", "viewer", "restricted_viewer"] {
        let input = json!({"input": {"projectId": id, "userId": bob_id, "userProjectRole": role}});
        data(&admin, USER_ROLE, input).await;
        let input = json!({"input": {"projectId": id, "teamId": vision, "teamProjectRole": role}});
        data(&admin, TEAM_ROLE, input).await;
        let told = [format!("bob {role}"), format!("vision {role}")];
        assert_eq!(held(&admin, "models").await[1..], told);
        // The one question gives the same answer.
        let may = json!({"p": app_user(&app, "bob").await, "privilege": "registry.use"});
        let check = "query($p: ID!, $privilege: String!) { checkPermission(principal: $p, privilege: $privilege, path: \"/registries/acme/models/x\") { allowed } }";
        let allowed = admin.data(check, may).await["checkPermission"]["allowed"].clone();
        assert_eq!(allowed, json!(role != "restricted_viewer"), "{role}");
    }
    let team = data(
        &admin,
        TEAMS,
        json!({"project": "wandb-registry-models", "entity": "acme"}),
    )
    .await;
    insta::assert_json_snapshot!("team_members", masked(team));
    data(&admin, REMOVE, both.clone()).await;
    assert_eq!(held(&admin, "models").await, ["admin admin"]);
    insta::assert_snapshot!(refused(&admin, REMOVE, both).await, @"404 NOT_FOUND: One of the users or teams does not belong to the registry, or you may not see it.");
}

#[tokio::test]
async fn who_may_look_is_changed_and_a_name_too() {
    let app = app_with_team("acme").await;
    let admin = app.admin();
    let id = create(&admin, "models", "RESTRICTED").await;
    for (access, told) in [
        ("PRIVATE", vec!["admin admin", "acme viewer"]),
        ("PRIVATE", vec!["admin admin", "acme viewer"]),
        ("RESTRICTED", vec!["admin admin"]),
    ] {
        let again = data(&admin, &upsert(), wanted("models", access)).await;
        assert_eq!(again["upsertModel"]["inserted"], false);
        assert_eq!(again["upsertModel"]["project"]["access"], access);
        assert_eq!(held(&admin, "models").await, told);
    }
    let input = json!({"input": {"entityName": "acme", "oldProjectName": "wandb-registry-models", "newProjectName": "wandb-registry-best"}});
    let moved = data(&admin, &rename(), input.clone()).await;
    assert_eq!(
        moved["renameProject"]["project"]["name"],
        "wandb-registry-best"
    );
    assert_eq!(held(&admin, "best").await, ["admin admin"]);
    insta::assert_snapshot!(refused(&admin, &rename(), input).await, @"404 NOT_FOUND: There is no registry 'models', or you may not see it.");
    // The id is of the name.
    insta::assert_snapshot!(refused(&admin, DELETE, json!({"id": id})).await, @"404 NOT_FOUND: There is no registry 'models', or you may not see it.");
    let id = moved["renameProject"]["project"]["id"].clone();
    assert_eq!(
        data(&admin, DELETE, json!({"id": id})).await["deleteModel"]["success"],
        true
    );
    let left = admin
        .data(
            "{ permissions(filter: {pathPrefix: \"/registries\"}) { totalCount } }",
            json!({}),
        )
        .await;
    assert_eq!(left["permissions"]["totalCount"], 0);
}

#[tokio::test]
async fn what_cannot_be_done_to_registries() {
    let app = app_with_team("acme").await;
    let admin = app.admin();
    let (user, bob) = app.user("bob", InstanceRole::Member).await;
    let (other, _) = app.user("carol", InstanceRole::Member).await;
    data(
        &admin,
        INVITE,
        json!({"entity": "acme", "username": "bob", "admin": true}),
    )
    .await;
    let id = create(&admin, "models", "PRIVATE").await;
    let bob_id = id_of("User", user.id);
    let mut told = Vec::new();
    let with = |field: &str, value: Value| {
        let mut wanted = wanted("data", "PRIVATE");
        wanted["input"][field] = value;
        wanted
    };
    for (name, client, variables) in [
        (
            "by who may not give anything there",
            &bob,
            wanted("data", "PRIVATE"),
        ),
        ("a description", &admin, with("description", json!("d"))),
        (
            "types",
            &admin,
            with("artifactTypes", json!([{"name": "model"}])),
        ),
        (
            "not all types",
            &admin,
            with("allowAllArtifactTypesInRegistry", json!(false)),
        ),
        ("another access", &admin, with("access", json!("USER_READ"))),
        ("a project", &admin, with("name", json!("cats"))),
        ("no name", &admin, with("name", json!("wandb-registry-"))),
        ("dots", &admin, with("name", json!("wandb-registry-.."))),
        (
            "a long name",
            &admin,
            with("name", json!(format!("wandb-registry-{}", "x".repeat(600)))),
        ),
        (
            "no organisation",
            &admin,
            with("entityName", json!("nothing")),
        ),
        ("nothing", &admin, json!({"input": {}})),
    ] {
        told.push(format!(
            "{name}: {}",
            refused(client, &upsert(), variables).await
        ));
    }
    let both = |users: Value, teams: Value| json!({"input": {"projectId": id, "userIds": users, "teamIds": teams}});
    for (name, client, variables) in [
        (
            "who is not seen",
            &bob,
            both(json!([id_of("User", other.id)]), json!([])),
        ),
        ("by a viewer", &bob, both(json!([bob_id]), json!([]))),
        ("nobody", &admin, both(json!([]), Value::Null)),
        (
            "one that is there and one that is not",
            &admin,
            both(
                json!([bob_id, id_of("User", uuid::Uuid::from_u128(9))]),
                json!([]),
            ),
        ),
        (
            "a team as a user",
            &admin,
            both(json!([id_of("Entity", user.id)]), json!([])),
        ),
        (
            "a user as a team",
            &admin,
            both(json!([]), json!([id_of("User", user.id)])),
        ),
        (
            "a user's place",
            &admin,
            both(json!([]), json!([id_of("Entity", user.id)])),
        ),
        ("no id", &admin, both(json!([""]), json!([]))),
        (
            "too many",
            &admin,
            both(json!(vec![bob_id.clone(); 101]), json!([])),
        ),
        (
            "no registry",
            &admin,
            json!({"input": {"projectId": "x", "userIds": [bob_id], "teamIds": []}}),
        ),
    ] {
        told.push(format!(
            "adding, {name}: {}",
            refused(client, ADD, variables).await
        ));
    }
    let role = |who: &str, role: &str| json!({"input": {"projectId": id, "userId": who, "userProjectRole": role}});
    for (name, variables) in [
        ("none", role(&bob_id, "viewer")),
        ("unknown", role(&bob_id, "owner")),
        ("empty", role(&bob_id, "")),
        ("Keystead's own", role(&bob_id, "MANAGE")),
    ] {
        told.push(format!(
            "a role, {name}: {}",
            refused(&admin, USER_ROLE, variables).await
        ));
    }
    for (name, filters) in [
        ("a pattern", "{\"name\": {\"$regex\": \"m\"}}"),
        ("no JSON", "{"),
        ("a field", "{\"id\": 1}"),
    ] {
        let variables = json!({"organization": "acme", "filters": filters});
        told.push(format!(
            "filters, {name}: {}",
            refused(&admin, &fetch_all(), variables).await
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(
        held(&admin, "models").await,
        ["admin admin", "acme viewer"],
        "what failed has changed nothing"
    );
}

#[tokio::test]
async fn there_are_no_other_projects() {
    let app = app_with_team("acme").await;
    let admin = app.admin();
    let read_only = "query IsProjectReadOnly($entity: String!, $project: String!) { project(entityName: $entity, name: $project) { readOnly } }";
    let found = data(
        &admin,
        read_only,
        json!({"entity": "acme", "project": "cats"}),
    )
    .await;
    assert_eq!(found["project"], Value::Null);
    create(&admin, "models", "PRIVATE").await;
    let of = json!({"entity": "acme", "project": "wandb-registry-models"});
    assert_eq!(
        data(&admin, read_only, of).await["project"]["readOnly"],
        false
    );
    let models = "query($e: String) { models(entityName: $e, first: 50) { pageInfo { hasNextPage } edges { node { id user { id } } } } }";
    let found = data(&admin, models, json!({"e": "acme"})).await;
    assert_eq!(
        found["models"],
        json!({"pageInfo": {"hasNextPage": false}, "edges": []})
    );
    assert!(
        refused(&admin, models, json!({"e": "nothing"}))
            .await
            .starts_with("404")
    );
}
