//! Templates: a text whose first line is `Subject: …`, and a page of HTML, in the language of Jinja.

use std::path::Path;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

macro_rules! templates {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, [$($value:literal),*];)+) => {
        /// What a mail says. Besides the values of each, templates know `to` (the address), `name` (of whom it goes to, or null) and
        /// `public_url`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Template { $($(#[doc = $doc])+ $variant,)+ }

        impl Template {
            /// Every template.
            pub const ALL: &'static [Template] = &[$(Template::$variant),+];

            /// The name of its files, before `.txt` and `.html`.
            pub fn name(self) -> &'static str {
                match self { $(Template::$variant => $name),+ }
            }

            /// The values that it is given.
            pub fn values(self) -> &'static [&'static str] {
                match self { $(Template::$variant => &[$($value),*]),+ }
            }

            fn embedded(self) -> [&'static str; 2] {
                match self {
                    $(Template::$variant => [
                        include_str!(concat!("../../assets/mail/", $name, ".txt")),
                        include_str!(concat!("../../assets/mail/", $name, ".html")),
                    ]),+
                }
            }
        }
    };
}

templates! {
    /// Somebody is invited. `inviter`: who invites, or null; `purpose`: to what, as it follows "invites you to", such as "join the team
    /// Research"; `link`; `expires`: until when it holds, as text.
    Invitation = "invitation", ["inviter", "purpose", "link", "expires"];
    /// Somebody asks for access. `requester`: who; `wants`: what, as it follows "asks for"; `until`: until when, as text, or null for good;
    /// `justification`; `request`: its id.
    AccessRequested = "access_requested", ["requester", "wants", "until", "justification", "request"];
    /// A request for access was reviewed. `decision`: "approved" or "denied"; `wants`: what was asked for or, where it was approved, what was
    /// given; `until`: until when, as text, or null; `reviewer`; `reason`, or null; `request`: its id.
    AccessReviewed = "access_reviewed", ["decision", "wants", "until", "reviewer", "reason", "request"];
    /// Somebody wants to sign in by a link. `link`; `expires`: until when it holds, as text.
    MagicLink = "magic_link", ["link", "expires"];
    /// A second factor was added. `username`: whose; `factor`: which, as it follows "your".
    SecondFactorAdded = "second_factor_added", ["username", "factor"];
    /// A second factor was removed by somebody else. `username`: whose; `factor`: which, as it follows "your"; `by`: who removed it.
    SecondFactorRemoved = "second_factor_removed", ["username", "factor", "by"];
    /// A password was changed. `username`: whose; `by`: who changed it, or null for the user itself.
    PasswordChanged = "password_changed", ["username", "by"];
}

const ENDINGS: [&str; 2] = [".txt", ".html"];

/// A mail as it is read.
pub struct Written {
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The page.
    pub html: String,
}

/// All templates, each known to be complete.
pub struct Templates(Environment<'static>);

impl Templates {
    /// The embedded templates; files of the same names in `folder` replace them.
    ///
    /// # Errors
    /// Which file cannot be read or used, and why: each is written once with samples of its values.
    pub fn load(folder: Option<&Path>) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });
        for template in Template::ALL {
            for (ending, embedded) in ENDINGS.into_iter().zip(template.embedded()) {
                let name = format!("{}{ending}", template.name());
                let own = folder.map(|folder| folder.join(&name));
                let text = match own.as_deref().filter(|file| file.exists()) {
                    None => embedded.to_owned(),
                    Some(file) => std::fs::read_to_string(file)
                        .map_err(|error| format!("{name}, which cannot be read: {error}"))?,
                };
                environment
                    .add_template_owned(name.clone(), text)
                    .map_err(|error| format!("{name}, which cannot be used: {}", told(&error)))?;
            }
        }
        let templates = Templates(environment);
        for template in Template::ALL {
            let mut values: Map<String, Value> = template
                .values()
                .iter()
                .map(|value| ((*value).to_owned(), json!("sample")))
                .collect();
            for known in ["to", "name", "public_url"] {
                values.insert(known.to_owned(), json!("sample"));
            }
            templates.write(*template, &values)?;
        }
        Ok(templates)
    }

    /// Writes a mail.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn write(
        &self,
        template: Template,
        values: &Map<String, Value>,
    ) -> Result<Written, String> {
        let [text, html] = ENDINGS.map(|ending| {
            let name = format!("{}{ending}", template.name());
            self.0
                .get_template(&name)
                .and_then(|file| file.render(Serde(values)))
                .map_err(|error| format!("{name}, which cannot be used: {}", told(&error)))
        });
        let text = text?;
        let (first, text) = text.split_once('\n').unwrap_or((&text, ""));
        let subject = first.strip_prefix("Subject:").map(str::trim);
        let subject = subject
            .filter(|subject| !subject.is_empty())
            .ok_or_else(|| {
                format!(
                    "{}.txt, which must begin with a line 'Subject: …'",
                    template.name()
                )
            })?;
        Ok(Written {
            subject: subject.to_owned(),
            text: text.trim_start().to_owned(),
            html: html?,
        })
    }
}

/// The error and its line, without the text around it: that may hold values.
fn told(error: &minijinja::Error) -> String {
    let line = error
        .line()
        .map_or_else(String::new, |line| format!(" in line {line}"));
    let detail = error
        .detail()
        .map_or_else(String::new, |detail| format!(" ({detail})"));
    format!("{}{detail}{line}", error.kind())
}
