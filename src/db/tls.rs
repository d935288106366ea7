//! TLS to the database: what a connection string asks for, beyond what the driver reads of it, and whose certificates are
//! believed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// What libpq's `sslmode` and `sslrootcert` ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Whether there is no way without TLS.
    pub required: bool,
    /// Whose certificates are believed: those of this file alone; `None`: the system's.
    pub roots: Option<PathBuf>,
}

/// Takes `sslrootcert`, and the modes that the driver does not know, out of a connection string (a URL, or keywords).
///
/// `verify-full` is what Keystead always does with a certificate; `verify-ca` is done no more loosely.
///
/// # Errors
/// What is wrong, as a sentence that follows the setting's name.
pub(super) fn take(url: &str) -> Result<(String, Asked), String> {
    let mut asked = Asked::default();
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let (before, options, separator) = if is_url {
        match url.split_once('?') {
            Some((before, options)) => (Some(before), options, '&'),
            None => (Some(url), "", '&'),
        }
    } else {
        (None, url, ' ')
    };
    let mut kept = Vec::new();
    for option in options
        .split(separator)
        .filter(|option| !(is_url && option.is_empty()))
    {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = if is_url {
            percent_encoding::percent_decode_str(value)
                .decode_utf8_lossy()
                .into_owned()
        } else {
            value.trim_matches('\'').to_owned()
        };
        match (name, value.as_str()) {
            ("sslrootcert", "" | "system") => {}
            ("sslrootcert", path) => asked.roots = Some(path.into()),
            ("sslmode", "verify-ca" | "verify-full") => {
                asked.required = true;
            }
            ("sslmode", "disable" | "prefer" | "require") => kept.push(option),
            ("sslmode", other) => {
                return Err(format!(
                    "has sslmode={}; it must be disable, prefer, require, verify-ca or verify-full",
                    other.escape_debug()
                ));
            }
            _ => kept.push(option),
        }
    }
    let options = kept.join(&separator.to_string());
    let rest = match before {
        None => options,
        Some(before) if options.is_empty() => before.to_owned(),
        Some(before) => format!("{before}?{options}"),
    };
    Ok((rest, asked))
}

/// TLS as a client that believes the certificates of that file alone, or the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` name
/// others).
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn client(roots: Option<&Path>) -> Result<ClientConfig, String> {
    let mut store = RootCertStore::empty();
    match roots {
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let wrong = |reason: String| format!("has sslrootcert={}: {reason}", path.display());
            let found = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| wrong(error.to_string()))?;
            if store.add_parsable_certificates(found).0 == 0 {
                return Err(wrong("it holds no certificate in PEM".to_owned()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(config)
}
