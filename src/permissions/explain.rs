//! Decisions in words.

use super::check::{Decision, Reason, Refusal};
use super::facts::PermissionFact;
use super::model::Principal;
use super::path::Path;
use super::privilege::Privilege;

/// One sentence that says what was decided and why. `who` is what to call the principal: a user name, a slug, the name of a key.
pub fn explain(decision: &Decision, who: &str, privilege: &Privilege, path: &Path) -> String {
    let may = if decision.allowed { "may" } else { "may not" };
    let rows = rows(decision);
    let why = match decision.reason {
        Reason::InstanceAdmin => "an administrator of the instance holds everything".to_owned(),
        Reason::Granted => format!("it is included in {rows}"),
        Reason::Refused(refusal) => why_not(refusal, "the principal", &rows),
        Reason::OwnerRefused(refusal) => {
            format!(
                "a key holds at most what its owner holds, and {}",
                why_not(refusal, "the owner", &rows)
            )
        }
    };
    format!("{who} {may} {privilege} at {path}: {why}.")
}

fn why_not(refusal: Refusal, whom: &str, rows: &str) -> String {
    match refusal {
        Refusal::NoAccess => format!("{rows} takes everything away"),
        Refusal::NotIncluded => format!("it is not included in {rows}, which decides at this path"),
        Refusal::NothingApplies => "no permission applies at this path".to_owned(),
        Refusal::Disabled => format!("{whom} is disabled"),
        Refusal::Expired => format!("{whom} has expired"),
        Refusal::TeamDisabled => format!("the team of {whom} is disabled"),
        Refusal::Unknown => format!("{whom} is not known"),
    }
}

fn rows(decision: &Decision) -> String {
    let each: Vec<String> = decision
        .decided_by
        .iter()
        .map(|permission| row(permission))
        .collect();
    match each.as_slice() {
        [all_but_last @ .., last] if !all_but_last.is_empty() => {
            format!("{} and {last}", all_but_last.join(", "))
        }
        _ => each.concat(),
    }
}

fn row(permission: &PermissionFact) -> String {
    let through = match permission.principal {
        Principal::User(_) => "",
        Principal::Team(_) => " through a team",
        Principal::ApiKey(_) => " of the key",
    };
    format!(
        "the role {}{through} at {}",
        permission.role.name, permission.path
    )
}
