//! Sending: from a parcel to an SMTP server, or to a file.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Mail, Security, Settings, Smtp, Way};
use super::templates::Templates;
use crate::error::{Error, Result, with_causes};
use crate::outbox::model::Refusal;

/// How long each step of SMTP may take.
const STEP: Duration = Duration::from_secs(20);
/// Replies that speak of the connection, the login or the sender's rights, not of this mail (RFC 4954, RFC 5321): an operator can mend
/// what they complain of.
const NOT_OF_THE_MAIL: [u16; 6] = [421, 454, 530, 534, 535, 538];

/// Who sends mails.
pub struct Post {
    from: Mailbox,
    public_url: String,
    templates: Templates,
    way: Open,
}

enum Open {
    Folder(PathBuf),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

impl Post {
    /// A post with those settings. Nothing is connected to yet.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the setting that cannot be used.
    pub fn new(settings: &Settings) -> Result<Self> {
        let from: Mailbox = settings.from.parse().map_err(|_| {
            Error::bad_input(
                "mail_from",
                "mail_from is no address; write it as Keystead <keystead@example.com>.",
            )
        })?;
        let templates = Templates::load(settings.templates.as_deref()).map_err(|why| {
            Error::bad_input("mail_templates", format!("mail_templates has {why}."))
        })?;
        let way = match &settings.way {
            Way::Folder(folder) => Open::Folder(folder.clone()),
            Way::Smtp(smtp) => Open::Smtp(Box::new(transport(smtp, from.email.domain())?)),
        };
        Ok(Post {
            from,
            public_url: settings.public_url.clone(),
            templates,
            way,
        })
    }

    /// Makes one attempt at sending a parcel.
    ///
    /// # Errors
    /// Why it failed, and whether it would again; no part of the mail but the server's reply.
    pub async fn deliver(
        &self,
        parcel: Uuid,
        payload: &[u8],
        now: DateTime<Utc>,
    ) -> std::result::Result<(), Refusal> {
        let mail: Mail = serde_json::from_slice(payload)
            .map_err(|error| Refusal::for_good(format!("the parcel is no mail: {error}")))?;
        let message = self.message(parcel, mail, now)?;
        match &self.way {
            Open::Folder(folder) => {
                let file = folder.join(format!(
                    "{}-{}.eml",
                    now.format("%Y%m%dT%H%M%SZ"),
                    parcel.simple()
                ));
                keep(folder, &file, parcel, &message.formatted()).map_err(|error| {
                    Refusal::for_now(format!("{} cannot be written: {error}", file.display()))
                })?;
                tracing::info!(file = %file.display(), "no smtp_host is set: a mail was written to a file");
            }
            Open::Smtp(transport) => {
                transport.send(message).await.map_err(|error| {
                    let code = error.status().map(u16::from);
                    let of_the_mail = code.is_none_or(|code| !NOT_OF_THE_MAIL.contains(&code));
                    let why = with_causes(&error).replace(['\r', '\n'], " ");
                    if error.is_permanent() && of_the_mail {
                        Refusal::for_good(why)
                    } else {
                        Refusal::for_now(why)
                    }
                })?;
            }
        }
        Ok(())
    }

    fn message(
        &self,
        parcel: Uuid,
        mail: Mail,
        now: DateTime<Utc>,
    ) -> std::result::Result<Message, Refusal> {
        let address: Address = mail
            .to
            .parse()
            .map_err(|_| Refusal::for_good("the address cannot be read"))?;
        let mut values = mail.values;
        values.insert("to".into(), json!(mail.to));
        values.insert(
            "name".into(),
            mail.name.clone().map_or(Value::Null, Value::String),
        );
        values.insert("public_url".into(), json!(self.public_url));
        // An operator may mend a template of the operator's own.
        let written = self
            .templates
            .write(mail.template, &values)
            .map_err(Refusal::for_now)?;
        let domain = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(mail.name, address))
            .subject(written.subject)
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{}@{domain}>", parcel.simple())))
            // RFC 3834: no absence notices in return.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".into(),
            ))
            .multipart(MultiPart::alternative_plain_html(
                written.text,
                written.html,
            ))
            .map_err(|error| Refusal::for_good(format!("the mail cannot be written: {error}")))
    }
}

/// Writes a file that nobody else can read, and that is whole when it is there.
fn keep(folder: &Path, file: &Path, parcel: Uuid, text: &[u8]) -> std::io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let new = folder.join(format!(".{}.new", parcel.simple()));
    let mut writing = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    writing.write_all(text)?;
    writing.sync_all()?;
    std::fs::rename(&new, file)
}

fn transport(smtp: &Smtp, domain: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let tls = || {
        let mut parameters = TlsParameters::builder(smtp.host.clone());
        if let Some(path) = &smtp.roots {
            let bad = |why: String| {
                Error::bad_input(
                    "smtp_roots",
                    format!("smtp_roots is {}, which {why}.", path.display()),
                )
            };
            let pem =
                std::fs::read(path).map_err(|error| bad(format!("cannot be read: {error}")))?;
            let certificate = Certificate::from_pem(&pem)
                .map_err(|_| bad("holds no certificates in PEM".into()))?;
            parameters = parameters
                .certificate_store(CertificateStore::None)
                .add_root_certificate(certificate);
        }
        parameters.build().map_err(|error| {
            Error::bad_input(
                "smtp_host",
                format!("TLS to smtp_host cannot be set up: {error}."),
            )
        })
    };
    let security = match smtp.security {
        Security::Starttls => Tls::Required(tls()?),
        Security::Tls => Tls::Wrapper(tls()?),
        Security::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(security)
        .hello_name(ClientId::Domain(domain.to_owned()))
        .timeout(Some(STEP));
    if let Some((user, password)) = &smtp.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}
