//! Two changes at once.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};
use tokio::join;

use crate::support::TestApp;

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("ok")
}

#[tokio::test]
async fn of_two_roles_with_one_name_one_is_made() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let make = "mutation($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }";
    for round in 0..5 {
        let role = |name: String| json!({"input": {"name": name, "privileges": ["model.use"]}});
        let (one, two) = join!(
            admin.gql(make, role(format!("own-{round}"))),
            admin.gql(make, role(format!("OWN-{round}")))
        );
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["ALREADY_EXISTS", "ok"], "round {round}");
    }
}

#[tokio::test]
async fn the_same_permission_given_twice_at_once_is_there_once() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let (ada, _) = app.user("ada", InstanceRole::Member).await;
    let ada = ada.typed_id().to_string();
    let give = "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { added permissions { id } } }";
    for round in 0..5 {
        let input = json!({"input": {"principal": ada, "path": format!("/models/{round}"), "roles": [{"role": "USE"}]}});
        let (one, two) = join!(admin.gql(give, input.clone()), admin.gql(give, input));
        assert_eq!((code(&one), code(&two)), ("ok", "ok"), "round {round}");
        let of = |answer: &Value| answer["data"]["updatePermission"].clone();
        let (one, two) = (of(&one), of(&two));
        assert_eq!(one["permissions"], two["permissions"], "round {round}");
        let added = [&one, &two].map(|answer| answer["added"].as_array().unwrap().len());
        assert_eq!(added.iter().sum::<usize>(), 1, "round {round}");
    }
    let held = admin
        .data("{ permissions { totalCount } }", json!({}))
        .await;
    assert_eq!(held["permissions"]["totalCount"], json!(5));
}
