//! TLS in the server itself: rustls, with certificate and key read again on SIGHUP.

use std::sync::{Arc, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

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

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>> {
    let bad = |field: &str, path: &std::path::Path, reason: String| {
        Error::bad_input(field, format!("{}: {reason}.", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| bad("tls_certificate", &files.certificate, error.to_string()))?;
    if chain.is_empty() {
        let reason = "it holds no certificate in PEM".to_owned();
        return Err(bad("tls_certificate", &files.certificate, reason));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| bad("tls_key", &files.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| bad("tls_key", &files.key, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
