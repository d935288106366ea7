//! Organisations: teams that lie below no other.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{INVITE, app_with_team, data, masked, refused};
use crate::support::TestApp;

const ORGANIZATION: &str =
    "query FetchOrganization($org: String!) { organization(name: $org) { id name
    orgEntity { __typename id name entityType } } }";
const OF_ENTITY: &str =
    "query FetchOrgInfoFromEntity($entity: String!) { entity(name: $entity) { organization { ...O }
    user { organizations { ...O } } } } fragment O on Organization { name orgEntity { name } }";

/// A team below another.
async fn below(app: &TestApp, slug: &str, above: &str) {
    let found = app
        .admin()
        .data(
            &format!("{{ team(by: {{slug: \"{above}\"}}) {{ id }} }}"),
            json!({}),
        )
        .await;
    let input = json!({"slug": slug, "name": slug, "parent": found["team"]["id"], "members": []});
    let create = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    app.admin().data(create, json!({"input": input})).await;
}

#[tokio::test]
async fn an_organisation_is_a_team_without_another_above() {
    let app = app_with_team("acme").await;
    below(&app, "research", "acme").await;
    below(&app, "vision", "research").await;
    let admin = app.admin();
    let found = data(&admin, ORGANIZATION, json!({"org": "acme"})).await;
    insta::assert_json_snapshot!("organization", masked(found));
    let of = json!({"name": "acme", "orgEntity": {"name": "acme"}});
    for team in ["acme", "research", "vision"] {
        let found = data(&admin, OF_ENTITY, json!({"entity": team})).await;
        assert_eq!(
            found["entity"],
            json!({"organization": of, "user": null}),
            "{team}"
        );
    }
    let own = data(&admin, OF_ENTITY, json!({"entity": "admin"})).await;
    assert_eq!(
        own["entity"],
        json!({"organization": null, "user": {"organizations": [of]}})
    );
    let told = [
        refused(&admin, ORGANIZATION, json!({"org": "research"})).await,
        refused(&admin, ORGANIZATION, json!({"org": "admin"})).await,
        refused(&admin, ORGANIZATION, json!({"org": ""})).await,
        refused(&admin, ORGANIZATION, json!({"org": null})).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_lies_above_is_seen_by_whom_may_see_it() {
    let app = app_with_team("acme").await;
    below(&app, "research", "acme").await;
    let (_, bob) = app.user("bob", InstanceRole::Member).await;
    let admin = app.admin();
    data(
        &admin,
        INVITE,
        json!({"entity": "research", "username": "bob"}),
    )
    .await;
    let found = data(&bob, OF_ENTITY, json!({"entity": "research"})).await;
    assert_eq!(found["entity"]["organization"], Value::Null);
    let own = data(&bob, OF_ENTITY, json!({"entity": "bob"})).await;
    assert_eq!(own["entity"]["user"]["organizations"], json!([]));
    let hidden = refused(&bob, ORGANIZATION, json!({"org": "acme"})).await;
    assert!(hidden.starts_with("404 NOT_FOUND"), "{hidden}");
    data(&admin, INVITE, json!({"entity": "acme", "username": "bob"})).await;
    let found = data(&bob, OF_ENTITY, json!({"entity": "research"})).await;
    assert_eq!(found["entity"]["organization"]["name"], "acme");
}

#[tokio::test]
async fn what_is_not_there_of_organisations_is_empty() {
    let app = app_with_team("acme").await;
    let document =
        "{ organization(name: \"acme\") { featureFlags(rampIDType: OrgName) { rampKey isEnabled }
        advancedRegistryFeatures { advancedSearch } coreWeaveOrganizationId } }";
    let found = data(&app.admin(), document, json!({})).await;
    assert_eq!(
        found["organization"],
        json!({"featureFlags": [], "advancedRegistryFeatures": {"advancedSearch": false}, "coreWeaveOrganizationId": null})
    );
}
