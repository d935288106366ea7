//! Arguments, variables and literals of generated documents.

use apollo_compiler::ast::{InputValueDefinition, Type};
use apollo_compiler::schema::ExtendedType;
use rand::Rng;
use rand::seq::IndexedRandom;

use super::generate::Generator;

impl Generator<'_> {
    pub fn constants(&mut self, inputs: &[InputValueDefinition]) -> String {
        let required = inputs.iter().filter(|i| i.is_required());
        let given: Vec<String> = required
            .map(|input| format!("{}: {}", input.name, self.literal(&input.ty, 4)))
            .collect();
        if given.is_empty() {
            String::new()
        } else {
            format!("({})", given.join(", "))
        }
    }

    pub fn arguments(&mut self, inputs: &[InputValueDefinition]) -> String {
        let mut given = Vec::new();
        for input in inputs {
            if (input.is_required() && !self.slip()) || self.chance(0.25) {
                let has_default = input.default_value.is_some();
                let value = self.value(&input.ty, has_default, 0);
                given.push(format!("{}: {value}", input.name));
                if self.slip() {
                    given.push(format!("{}: {value}", input.name));
                }
            }
        }
        if self.slip() {
            given.push("extra: 1".to_owned());
        }
        if given.is_empty() {
            String::new()
        } else {
            format!("({})", given.join(", "))
        }
    }

    /// A literal, or a variable, of the type.
    fn value(&mut self, ty: &Type, has_default: bool, depth: usize) -> String {
        if !self.chance(0.2) {
            return self.literal(ty, depth);
        }
        let mut ty = ty.clone();
        if self.slip() {
            ty = Type::Named(apollo_compiler::name!("String"));
        } else if self.slip() {
            ty = ty.nullable();
        } else if !ty.is_non_null() && self.chance(0.3) {
            ty = ty.non_null();
        }
        let mut name = format!("v{}", self.rng.random_range(0..1000));
        if ty.is_non_null() && (has_default || self.chance(0.1)) {
            ty = ty.nullable();
            if !has_default || self.chance(0.5) {
                name = format!("w{}", self.rng.random_range(0..1000));
                let value = if self.slip() {
                    "null".to_owned()
                } else {
                    self.literal(&ty.clone().non_null(), 3)
                };
                self.defaults.retain(|(known, _)| *known != name);
                self.defaults.push((name.clone(), value));
                self.used.retain(|(known, _)| *known != name);
            }
        }
        if let Some((_, known)) = self.used.iter().find(|(known, _)| *known == name) {
            ty = Type::parse(known.clone(), "type").unwrap_or(ty);
        }
        self.used.insert((name.clone(), ty.to_string()));
        format!("${name}")
    }

    fn literal(&mut self, ty: &Type, depth: usize) -> String {
        if self.slip() {
            return self
                .one_of(&[
                    "null",
                    "\"x\"",
                    "1",
                    "1.5",
                    "true",
                    "HAPPY",
                    "[]",
                    "{}",
                    "[[1]]",
                    "{ id: 1 }",
                    "99999999999",
                    "-0",
                ])
                .to_owned();
        }
        if !ty.is_non_null() && self.chance(0.08) {
            return "null".to_owned();
        }
        if ty.is_list() && (depth > 4 || !self.chance(0.15)) {
            let count = if depth > 3 {
                0
            } else {
                self.rng.random_range(0..3)
            };
            let items: Vec<String> = (0..count)
                .map(|_| self.value_below(ty.item_type(), false, depth + 1))
                .collect();
            return format!("[{}]", items.join(", "));
        }
        let schema = self.schema;
        let name = ty.inner_named_type();
        match schema.types.get(name) {
            Some(ExtendedType::Enum(def)) => {
                let values: Vec<String> = def.values.keys().map(ToString::to_string).collect();
                self.one_of(&values)
            }
            Some(ExtendedType::InputObject(def)) => {
                let fields: Vec<InputValueDefinition> =
                    def.fields.values().map(|f| f.as_ref().clone()).collect();
                self.object(&fields, def.directives.has("oneOf"), depth)
            }
            _ => match name.as_str() {
                "Int" => self.one_of(&["0", "1", "-7", "2147483647"]).to_owned(),
                "Float" => self.one_of(&["0", "1.5", "-2e10"]).to_owned(),
                "Boolean" => self.one_of(&["true", "false"]).to_owned(),
                "ID" => self.one_of(&["1", "\"x\""]).to_owned(),
                "String" => self
                    .one_of(&["\"\"", "\"x\"", "\"\"\"x\"\"\"", "\"\\u00e9\""])
                    .to_owned(),
                _ => self
                    .one_of(&["1", "\"x\"", "{ a: [1, { b: X }] }", "[true]", "null"])
                    .to_owned(),
            },
        }
    }

    fn value_below(&mut self, ty: &Type, has_default: bool, depth: usize) -> String {
        if depth > 3 {
            self.literal(ty, depth)
        } else {
            self.value(ty, has_default, depth)
        }
    }

    fn object(&mut self, fields: &[InputValueDefinition], one_of: bool, depth: usize) -> String {
        let mut chosen: Vec<&InputValueDefinition> = if one_of {
            fields.choose(&mut self.rng).into_iter().collect()
        } else {
            let p = if depth > 2 { 0.05 } else { 0.3 };
            let rng = &mut self.rng;
            fields
                .iter()
                .filter(|f| f.is_required() || rng.random_bool(p))
                .collect()
        };
        if self.slip() {
            chosen.extend(fields.choose(&mut self.rng));
        }
        if self.slip() {
            chosen.pop();
        }
        let mut parts = Vec::new();
        for field in chosen {
            let has_default = field.default_value.is_some();
            let ty = if one_of && !self.slip() {
                (*field.ty).clone().non_null()
            } else {
                (*field.ty).clone()
            };
            parts.push(format!(
                "{}: {}",
                field.name,
                self.value_below(&ty, has_default, depth + 1)
            ));
        }
        if self.slip() {
            parts.push("extra: 1".to_owned());
        }
        format!("{{ {} }}", parts.join(", "))
    }
}
