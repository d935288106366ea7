//! How much one request may ask for.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// The caps of the guard. Counts are per document unless it says per operation; "expanded" counts a fragment once for
/// each time it is spread, as an executor would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the document. At most 16 MiB.
    pub max_bytes: usize,
    /// Tokens of the document; comments, commas and white space are none.
    pub max_tokens: usize,
    /// Brackets of any kind, `{ [ (`, open at one time. At most 200.
    pub max_nesting: usize,
    /// Operations and fragments together. At most 1,000.
    pub max_definitions: usize,
    /// Variables of one operation.
    pub max_variables: usize,
    /// Fields with an alias in one operation, expanded.
    pub max_aliases: u64,
    /// Fields at the root of one query or subscription, expanded.
    pub max_root_fields: u64,
    /// Fields at the root of one mutation, expanded.
    pub max_mutation_root_fields: u64,
    /// Directives in one operation, expanded.
    pub max_directives: u64,
    /// `__typename` in one operation, expanded.
    pub max_typename: u64,
    /// Fragment spreads in one operation, expanded.
    pub max_spreads: u64,
    /// Fields in one operation, expanded.
    pub max_fields: u64,
    /// Fields nested in one operation, expanded. At most 100.
    pub max_depth: u64,
    /// Fields, inline fragments and spreads nested in one operation, expanded. At most 200.
    pub max_expanded_nesting: u64,
    /// Steps that comparing fields of one name and variables with their uses may take.
    pub max_validation_work: u64,
    /// Cost of one operation; see [`super::cost`].
    pub max_cost: u64,
    /// The page size where `first` and `last` are absent: what the lists themselves use.
    pub default_page: u64,
    /// The greatest page size the lists allow.
    pub max_page: u64,
    /// Lists and objects inside each other in one variable. serde_json itself stops at 128 while it reads.
    pub max_variables_nesting: usize,
    /// Values in all variables together, each list, object and item counted.
    pub max_variables_values: usize,
    /// Bytes of all strings and keys in all variables together.
    pub max_variables_bytes: usize,
    /// Bytes of documents and their verdicts that are kept.
    pub cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 * 1024,
            max_tokens: 10_000,
            max_nesting: 64,
            max_definitions: 100,
            max_variables: 100,
            max_aliases: 100,
            max_root_fields: 30,
            max_mutation_root_fields: 10,
            max_directives: 200,
            max_typename: 500,
            max_spreads: 500,
            max_fields: 2_000,
            max_depth: 20,
            max_expanded_nesting: 64,
            max_validation_work: 200_000,
            max_cost: 20_000,
            default_page: 20,
            max_page: 100,
            max_variables_nesting: 32,
            max_variables_values: 10_000,
            max_variables_bytes: 256 * 1024,
            cache_bytes: 8 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Checks the values that protect the process itself, whatever the operator wants.
    ///
    /// # Errors
    /// A sentence that names the setting, its value and the greatest that is safe.
    pub fn check(&self) -> Result<(), String> {
        let ceilings = [
            ("max_bytes", self.max_bytes as u64, 16 * 1024 * 1024),
            ("max_nesting", self.max_nesting as u64, 200),
            ("max_definitions", self.max_definitions as u64, 1_000),
            ("max_depth", self.max_depth, 100),
            ("max_expanded_nesting", self.max_expanded_nesting, 200),
            (
                "max_variables_nesting",
                self.max_variables_nesting as u64,
                128,
            ),
        ];
        for (name, value, ceiling) in ceilings {
            if value > ceiling {
                return Err(format!(
                    "{name} is {value}, but more than {ceiling} is not safe: the stack of a worker would not hold it"
                ));
            }
        }
        if self.default_page > self.max_page {
            return Err(format!(
                "default_page is {}, greater than max_page, which is {}",
                self.default_page, self.max_page
            ));
        }
        Ok(())
    }
}

/// One cap: its name in the configuration, its value, and how to say it.
#[derive(Clone, Copy)]
pub(super) struct Cap {
    pub name: &'static str,
    pub limit: u64,
    /// What is counted, in the plural.
    pub what: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

impl Cap {
    pub(super) fn hold(self, found: u64) -> Result<(), Refusal> {
        if found > self.limit {
            return Err(self.refuse(found));
        }
        Ok(())
    }

    pub(super) fn refuse(self, found: u64) -> Refusal {
        let Self {
            name,
            limit,
            what,
            advice,
        } = self;
        let found_text = if found == u64::MAX {
            "far more".to_owned()
        } else {
            found.to_string()
        };
        Refusal::limit(
            name,
            limit,
            found,
            format!(
                "The request has {found_text} {what}, and at most {limit} are allowed ({name}). {advice}"
            ),
        )
    }
}

macro_rules! caps {
    ($($method:ident $field:ident $name:literal $what:literal $advice:literal;)*) => {
        impl Limits {
            $(pub(super) fn $method(&self) -> Cap {
                Cap { name: $name, limit: self.$field as u64, what: $what, advice: $advice }
            })*
        }
    };
}

caps! {
    bytes max_bytes "max_bytes" "bytes" "Pass values as variables, or send several requests.";
    tokens max_tokens "max_tokens" "tokens or more" "Pass values as variables, or send several requests.";
    nesting max_nesting "max_nesting" "brackets or more open at one time" "Pass nested values as variables.";
    definitions max_definitions "max_definitions" "operations and fragments" "Send only those that are used.";
    variables max_variables "max_variables" "variables in one operation" "Use one variable of an input type.";
    aliases max_aliases "max_aliases" "aliased fields, fragments counted each time they are spread" "Ask for a list, or send several requests.";
    root_fields max_root_fields "max_root_fields" "fields at the root" "Send several requests.";
    mutation_root_fields max_mutation_root_fields "max_mutation_root_fields" "mutations in one operation" "Send several requests.";
    directives max_directives "max_directives" "directives, fragments counted each time they are spread" "Leave out what is not needed.";
    typename max_typename "max_typename" "`__typename` fields, fragments counted each time they are spread" "Leave out what is not needed.";
    spreads max_spreads "max_spreads" "fragment spreads, each counted as often as what holds it" "Leave out what is not needed.";
    fields max_fields "max_fields" "fields, fragments counted each time they are spread" "Ask for fewer fields, or send several requests.";
    depth max_depth "max_depth" "levels of fields" "Ask for what lies deeper by its id, in a second request.";
    expanded_nesting max_expanded_nesting "max_expanded_nesting" "levels of fields, inline fragments and spreads" "Flatten the fragments.";
    work max_validation_work "max_validation_work" "pairs of fields and variables or more to compare" "Give fields that differ their own alias, and split the document.";
    cost max_cost "max_cost" "points of cost" "Ask for smaller pages (`first`), or for fewer nested lists.";
    variables_nesting max_variables_nesting "max_variables_nesting" "levels or more in one variable" "Flatten the value.";
    variables_values max_variables_values "max_variables_values" "values or more in its variables" "Send several requests.";
    variables_bytes max_variables_bytes "max_variables_bytes" "bytes or more of text in its variables" "Send several requests.";
}
