//! What the settings say of mails and webhooks, and of what seals secrets.

use super::Config;
use crate::mail::model::{Security, Settings, Smtp, Way};
use crate::mail::post::Post;
use crate::secrets::{SEALING_KEY_MIN, Sealer};
use crate::webhooks::courier::Courier;
use crate::webhooks::model::Settings as WebhookSettings;
use std::fmt;
use std::str::FromStr;

/// How the connection to the SMTP server is encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SmtpSecurity(pub Security);

const NAMES: [(&str, Security, u16); 3] = [
    ("starttls", Security::Starttls, 587),
    ("tls", Security::Tls, 465),
    ("none", Security::None, 25),
];

impl FromStr for SmtpSecurity {
    type Err = String;

    fn from_str(text: &str) -> Result<SmtpSecurity, String> {
        let found = NAMES.into_iter().find(|(name, _, _)| *name == text);
        found
            .map(|(_, security, _)| SmtpSecurity(security))
            .ok_or_else(|| "starttls, tls or none".to_owned())
    }
}

impl fmt::Display for SmtpSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMES.into_iter().find(|(_, of, _)| *of == self.0);
        f.write_str(found.map_or("starttls", |(name, _, _)| name))
    }
}

impl SmtpSecurity {
    fn usual_port(self) -> u16 {
        let found = NAMES.into_iter().find(|(_, of, _)| *of == self.0);
        found.map_or(587, |(_, _, port)| port)
    }
}

/// Whether a host is this machine, by its name or address: what is sent to it stays here.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

impl Config {
    /// How mails are sent.
    #[must_use]
    pub fn mail(&self) -> Settings {
        let way = if self.smtp_host.is_empty() {
            Way::Folder(self.data_dir.join("mail"))
        } else {
            let login = (
                self.smtp_user.clone(),
                self.smtp_password.expose().to_owned(),
            );
            Way::Smtp(Smtp {
                host: self.smtp_host.clone(),
                port: match self.smtp_port {
                    0 => self.smtp_security.usual_port(),
                    port => port,
                },
                security: self.smtp_security.0,
                login: Some(login).filter(|(user, _)| !user.is_empty()),
                roots: self.smtp_roots.clone(),
            })
        };
        let from = match self.mail_from.as_str() {
            "" => Settings::default().from,
            from => from.to_owned(),
        };
        Settings {
            from,
            public_url: self.public_url(),
            templates: self.mail_templates.clone(),
            way,
        }
    }

    /// How webhooks are delivered.
    pub(super) fn webhooks(&self) -> WebhookSettings {
        WebhookSettings {
            networks: self.webhook_networks.clone(),
            roots: self.webhook_roots.clone(),
        }
    }

    /// What seals secrets that are stored.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        match self.sealing_key.expose() {
            "" => Sealer::with_file(self.data_dir.join("sealing.key")),
            key => Sealer::with_key(key),
        }
    }

    /// What is wrong with the settings of mails, of webhooks and of what seals secrets: the setting, and what follows its name.
    pub(super) fn mail_problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if !self.smtp_host.is_empty() && self.mail_from.is_empty() {
            let message =
                "is not set, and smtp_host needs it; write it as Keystead <keystead@example.com>";
            found.push(("mail_from", message.to_owned()));
        }
        if self.smtp_security.0 == Security::None
            && !is_here(&self.smtp_host)
            && !self.smtp_host.is_empty()
        {
            let message = "is none, and smtp_host is another machine; mails hold links that let people in, so it must be starttls or tls";
            found.push(("smtp_security", message.to_owned()));
        }
        if self.smtp_user.is_empty() != self.smtp_password.is_empty() {
            let missing = if self.smtp_user.is_empty() {
                "smtp_user"
            } else {
                "smtp_password"
            };
            found.push((
                missing,
                "is not set, and the other of smtp_user and smtp_password is".to_owned(),
            ));
        }
        if let Some(folder) = self
            .mail_templates
            .as_deref()
            .filter(|folder| !folder.is_dir())
        {
            found.push((
                "mail_templates",
                format!("is {}, which is no folder", folder.display()),
            ));
        }
        let key = self.sealing_key.expose();
        if !key.is_empty() && key.len() < SEALING_KEY_MIN {
            let message = format!(
                "has {} characters; it must have {SEALING_KEY_MIN} or more",
                key.len()
            );
            found.push(("sealing_key", message));
        }
        if let Err(error) = Courier::new(&self.webhooks()) {
            let why = error.message.trim_start_matches("webhook_roots ");
            found.push(("webhook_roots", why.trim_end_matches('.').to_owned()));
        }
        if found.is_empty()
            && let Err(error) = Post::new(&self.mail())
        {
            let said = |setting: &'static str| {
                let why = error.message.strip_prefix(setting)?.trim_start();
                Some((setting, why.trim_end_matches('.').to_owned()))
            };
            let settings = ["mail_from", "mail_templates", "smtp_roots"];
            let unsaid = || ("smtp_host", format!("cannot be used: {}", error.message));
            found.push(settings.into_iter().find_map(said).unwrap_or_else(unsaid));
        }
        found
    }
}
