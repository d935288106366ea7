//! TLS in the server itself: rustls, with certificate and key read again on SIGHUP.

use std::path::Path;
use std::sync::{Arc, RwLock};

use chrono::{DateTime, Utc};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

use super::TlsFiles;
use crate::error::{Error, Result};

/// The certificate in use.
#[derive(Clone)]
pub struct Tls {
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Reads certificate and key, and from now on again whenever the process gets a SIGHUP; a pair that cannot be used then
    /// leaves the one before.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the file and what is wrong with it.
    pub fn load(files: &TlsFiles) -> Result<Tls> {
        let config = Arc::new(RwLock::new(read(files)?));
        let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
            .map_err(|error| Error::internal(error.to_string()))?;
        let (files, place) = (files.clone(), Arc::downgrade(&config));
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                let Some(place) = place.upgrade() else {
                    return;
                };
                match read(&files) {
                    Ok(fresh) => {
                        *place
                            .write()
                            .unwrap_or_else(|poisoned| poisoned.into_inner()) = fresh;
                        tracing::info!("certificate and key were read again");
                    }
                    Err(error) => {
                        tracing::error!(cause = error.message, "the certificate was not changed")
                    }
                }
            }
        });
        Ok(Tls { config })
    }

    /// Does the handshake.
    ///
    /// # Errors
    /// When the client does not.
    pub async fn accept<S>(&self, stream: S) -> std::io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self
            .config
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone();
        TlsAcceptor::from(config).accept(stream).await
    }
}

/// Reads certificate and key as the server would, and says what is wrong with them.
///
/// # Errors
/// `BAD_USER_INPUT` in `tls_certificate` or `tls_key`, naming the file and what is wrong with it.
pub fn check(files: &TlsFiles) -> Result<()> {
    read(files).map(|_| ())
}

/// From when until when the chain in the file can be used: the latest begin and the earliest end of its certificates.
///
/// # Errors
/// `BAD_USER_INPUT` in `tls_certificate`, when there is none or one of them cannot be read.
pub fn validity(files: &TlsFiles) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let path = &files.certificate;
    let bad = || {
        let message = format!("{}: its dates cannot be read", path.display());
        Error::bad_input("tls_certificate", message)
    };
    let moment = |time: &Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
        seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0))
    };
    let mut whole = None;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|_| bad())? {
        let certificate = certificate.map_err(|_| bad())?;
        let read = Certificate::from_der(&certificate).map_err(|_| bad())?;
        let dates = &read.tbs_certificate.validity;
        let (from, until) = moment(&dates.not_before)
            .zip(moment(&dates.not_after))
            .ok_or_else(bad)?;
        whole = Some(match whole {
            None => (from, until),
            Some((begin, end)) => (from.max(begin), until.min(end)),
        });
    }
    whole.ok_or_else(bad)
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>> {
    let bad = |field: &str, path: &Path, reason: String| {
        Error::bad_input(field, format!("{}: {reason}", path.display()))
    };
    let (certificate, key) = (&files.certificate, &files.key);
    let no_certificate = "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)";
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| bad("tls_certificate", certificate, said(&error, no_certificate)))?;
    if chain.is_empty() {
        return Err(bad("tls_certificate", certificate, no_certificate.into()));
    }
    let no_key = "it holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1, not encrypted)";
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| bad("tls_key", key, said(&error, no_key)))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let other = format!(
                    "it is not the key of the certificate in {}",
                    certificate.display()
                );
                bad("tls_key", key, other)
            }
            rustls::Error::InvalidCertificate(_) => {
                bad("tls_certificate", certificate, error.to_string())
            }
            _ => bad("tls_key", key, error.to_string()),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What is wrong with a file, without any of it: it may be the private key.
fn said(error: &pem::Error, nothing: &str) -> String {
    match error {
        pem::Error::Io(error) => format!("it cannot be read: {error}"),
        pem::Error::NoItemsFound => nothing.to_owned(),
        _ => "it is no valid PEM".to_owned(),
    }
}
