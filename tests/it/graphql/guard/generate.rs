//! Documents from a seed: made over a schema to be valid, and then, here and there, not.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::schema::ExtendedType;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};

use super::mutate;

/// The document number `seed` over `schema`.
pub fn document(schema: &Schema, seed: u64) -> String {
    let mut rng = StdRng::seed_from_u64(seed);
    let slips = *[0.0, 0.0, 0.004, 0.02, 0.06].choose(&mut rng).unwrap();
    let mut generator = Generator {
        schema,
        rng,
        slips,
        fragments: Vec::new(),
        used: BTreeSet::new(),
        defaults: Vec::new(),
        left: 40,
    };
    let text = generator.document();
    if generator.rng.random_bool(0.12) {
        mutate::mutate(&text, &mut generator.rng)
    } else {
        text
    }
}

struct Fragment {
    name: String,
    on: String,
    used: BTreeSet<(String, String)>,
    text: String,
    spread: bool,
}

pub struct Generator<'a> {
    pub schema: &'a Schema,
    pub rng: StdRng,
    /// How often, of all decisions, a wrong one is taken.
    slips: f64,
    fragments: Vec<Fragment>,
    /// Variables of the definition at hand: name and type.
    pub used: BTreeSet<(String, String)>,
    /// Variables with a default.
    pub defaults: Vec<(String, String)>,
    /// Fields that may still be made.
    left: usize,
}

impl Generator<'_> {
    pub fn slip(&mut self) -> bool {
        self.slips > 0.0 && self.rng.random_bool(self.slips)
    }

    pub fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p)
    }

    pub fn one_of<T: Clone>(&mut self, from: &[T]) -> T {
        from.choose(&mut self.rng).cloned().expect("not empty")
    }

    fn composites(&self) -> Vec<String> {
        let is = |ty: &ExtendedType| ty.is_object() || ty.is_interface() || ty.is_union();
        let types = self.schema.types.iter().filter(|(_, ty)| is(ty));
        types.map(|(name, _)| name.to_string()).collect()
    }

    fn document(&mut self) -> String {
        let composites = self.composites();
        for number in 0..self.rng.random_range(0..4) {
            let on = self.one_of(&composites);
            if on.starts_with("__") {
                continue;
            }
            self.used.clear();
            let directives = self.directives("FRAGMENT_DEFINITION");
            let text = self.selections(&on, 1);
            let name = format!("F{number}");
            let used = std::mem::take(&mut self.used);
            self.fragments.push(Fragment {
                text: format!("fragment {name} on {on}{directives} {text}"),
                name,
                on,
                used,
                spread: false,
            });
        }
        let count = if self.chance(0.15) { 2 } else { 1 };
        let mut parts: Vec<String> = (0..count).map(|n| self.operation(n, count)).collect();
        for fragment in &self.fragments {
            if fragment.spread || self.rng.random_bool(self.slips) {
                parts.push(fragment.text.clone());
            }
        }
        parts.shuffle(&mut self.rng);
        parts.join("\n")
    }

    fn operation(&mut self, number: usize, count: usize) -> String {
        let roots = &self.schema.schema_definition;
        // graphql-js leaves an operation for which the schema has no type to the executor; the guard refuses it.
        let (kind, root) = match (
            self.rng.random_range(0..10),
            &roots.mutation,
            &roots.subscription,
        ) {
            (0 | 1, Some(root), _) => ("mutation", root.name.to_string()),
            (2, _, Some(root)) => ("subscription", root.name.to_string()),
            _ => (
                "query",
                roots
                    .query
                    .as_ref()
                    .map_or("Query".to_owned(), |root| root.name.to_string()),
            ),
        };
        self.used.clear();
        self.left = 40;
        let location = kind.to_uppercase();
        let directives = self.directives(&location);
        let selections = if kind == "subscription" && !self.slip() {
            self.single(&root)
        } else {
            self.selections(&root, 0)
        };
        let name = if count > 1 || self.chance(0.3) {
            let number = if self.slip() { 0 } else { number };
            format!(" Op{number}")
        } else {
            String::new()
        };
        let mut variables = Vec::new();
        for (name, ty) in std::mem::take(&mut self.used) {
            if self.slip() {
                continue;
            }
            let default = self.defaults.iter().find(|(known, _)| *known == name);
            let default = default.map_or(String::new(), |(_, value)| format!(" = {value}"));
            let directives = self.directives("VARIABLE_DEFINITION");
            variables.push(format!("${name}: {ty}{default}{directives}"));
        }
        if self.slip() {
            variables.push("$unused: Int".to_owned());
        }
        let variables = if variables.is_empty() {
            String::new()
        } else {
            format!("({})", variables.join(", "))
        };
        format!("{kind}{name}{variables}{directives} {selections}")
    }

    fn fields(&self, ty: &str) -> Vec<FieldDefinition> {
        let fields = match self.schema.types.get(ty) {
            Some(ExtendedType::Object(ty)) => &ty.fields,
            Some(ExtendedType::Interface(ty)) => &ty.fields,
            _ => return Vec::new(),
        };
        fields
            .values()
            .map(|field| field.as_ref().clone())
            .collect()
    }

    fn single(&mut self, ty: &str) -> String {
        let fields = self.fields(ty);
        let field = self.one_of(&fields);
        format!("{{ {} }}", self.field(&field, 0))
    }

    fn selections(&mut self, ty: &str, depth: usize) -> String {
        let fields = self.fields(ty);
        let mut parts = Vec::new();
        for _ in 0..self.rng.random_range(1..5) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let roll = self.rng.random_range(0..10);
            let part = match roll {
                0 => format!("__typename{}", self.directives("FIELD")),
                1 | 2 => self.spread(ty),
                3 if depth < 5 => self.inline(ty, depth),
                _ if fields.is_empty() => {
                    if depth < 5 {
                        self.inline(ty, depth)
                    } else {
                        "__typename".to_owned()
                    }
                }
                _ => {
                    let mut choice: Vec<&FieldDefinition> = fields.iter().collect();
                    if depth >= 4 {
                        choice.retain(|field| self.is_leaf(field.ty.inner_named_type()));
                    }
                    match choice.choose(&mut self.rng) {
                        Some(field) => {
                            let field = (*field).clone();
                            self.field(&field, depth)
                        }
                        None => "__typename".to_owned(),
                    }
                }
            };
            parts.push(part);
        }
        if parts.is_empty() {
            parts.push("__typename".to_owned());
        }
        format!("{{ {} }}", parts.join(" "))
    }

    fn is_leaf(&self, ty: &str) -> bool {
        matches!(
            self.schema.types.get(ty),
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)) | None
        )
    }

    fn field(&mut self, field: &FieldDefinition, depth: usize) -> String {
        let many_arguments = !field.arguments.is_empty() && self.chance(0.7);
        let alias = if many_arguments {
            // Else most documents would conflict in arguments, and nothing else would be tried.
            format!("k{}: ", self.rng.random_range(0..500))
        } else if self.chance(0.12) {
            format!("{}: ", self.one_of(&["a", "b", "c", "d", "e", "f", "g"]))
        } else {
            String::new()
        };
        let name = if self.slip() {
            "wings"
        } else {
            field.name.as_str()
        };
        let arguments = self.arguments(
            &field
                .arguments
                .iter()
                .map(|a| (**a).clone())
                .collect::<Vec<_>>(),
        );
        let directives = self.directives("FIELD");
        let inner = field.ty.inner_named_type();
        let below = if self.is_leaf(inner) == self.slip() {
            format!(" {}", self.selections(inner, depth + 1))
        } else {
            String::new()
        };
        format!("{alias}{name}{arguments}{directives}{below}")
    }

    fn spread(&mut self, ty: &str) -> String {
        let fits: Vec<usize> = (0..self.fragments.len())
            .filter(|n| self.fragments[*n].on == ty || self.rng.random_bool(0.02 + self.slips))
            .collect();
        let Some(number) = fits.choose(&mut self.rng).copied() else {
            return "__typename".to_owned();
        };
        let fragment = &mut self.fragments[number];
        fragment.spread = true;
        self.used.extend(fragment.used.iter().cloned());
        let name = fragment.name.clone();
        let name = if self.slip() {
            "Nowhere".to_owned()
        } else {
            name
        };
        format!("...{name}{}", self.directives("FRAGMENT_SPREAD"))
    }

    fn inline(&mut self, ty: &str, depth: usize) -> String {
        let fits: Vec<String> = match self.schema.types.get(ty) {
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(|m| m.name.to_string()).collect()
            }
            Some(ExtendedType::Interface(_)) => {
                let types = self.schema.types.iter();
                types
                    .filter(|(_, def)| match def {
                        ExtendedType::Object(o) => {
                            o.implements_interfaces.iter().any(|i| i.name == ty)
                        }
                        _ => false,
                    })
                    .map(|(name, _)| name.to_string())
                    .chain([ty.to_owned()])
                    .collect()
            }
            _ => vec![ty.to_owned()],
        };
        let on = if self.slip() {
            let all = self.composites();
            self.one_of(&all)
        } else {
            self.one_of(&fits)
        };
        let condition = if self.chance(0.2) {
            String::new()
        } else {
            format!(" on {on}")
        };
        let below = if condition.is_empty() { ty } else { &on };
        let directives = self.directives("INLINE_FRAGMENT");
        let below = self.selections(below, depth + 1);
        format!("...{condition}{directives} {below}")
    }

    fn directives(&mut self, location: &str) -> String {
        let mut text = String::new();
        while self.chance(0.06) || self.slip() {
            let names: Vec<String> = self
                .schema
                .directive_definitions
                .values()
                .filter(|def| {
                    def.locations.iter().any(|l| l.name() == location)
                        || self.rng.random_bool(self.slips)
                })
                .map(|def| def.name.to_string())
                .collect();
            let Some(name) = names.choose(&mut self.rng).cloned() else {
                break;
            };
            let def = &self.schema.directive_definitions[name.as_str()];
            let inputs: Vec<InputValueDefinition> =
                def.arguments.iter().map(|a| (**a).clone()).collect();
            let constant = location == "VARIABLE_DEFINITION";
            let arguments = if constant {
                self.constants(&inputs)
            } else {
                self.arguments(&inputs)
            };
            text.push_str(&format!(" @{name}{arguments}"));
        }
        text
    }
}
