//! TLS towards the broker: which authorities are trusted and which certificate we show.
//!
//! Refuses to skip any check: a broker with a certificate of its own making is trusted by naming it in `mqtt.ca_file`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::options::{OptionsError, error};
use crate::config::Mqtt;

/// Where systems keep the authorities they trust, in one file.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// Chooses the one crypto provider of the process. Two in one dependency graph and no choice make rustls panic at the
/// first connection, so everything that may speak TLS calls this first; calling it again does nothing.
pub fn install_crypto_provider() {
    // An error says that one is installed already: that of whoever uses this crate as a library, or ours.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// For `mqtts://`, from the three files of `[mqtt]`.
pub(super) fn client_config(config: &Mqtt) -> Result<Arc<ClientConfig>, OptionsError> {
    install_crypto_provider();
    let builder = ClientConfig::builder().with_root_certificates(roots(config.ca_file.as_deref())?);
    let tls = match (&config.client_cert_file, &config.client_key_file) {
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => {
            return Err(error("mqtt.client_key_file", "it is missing, and mqtt.client_cert_file is set"));
        }
        (None, Some(_)) => {
            return Err(error("mqtt.client_cert_file", "it is missing, and mqtt.client_key_file is set"));
        }
        (Some(chain), Some(key)) => {
            let chain = certificates("mqtt.client_cert_file", chain)?;
            let key_file = "mqtt.client_key_file";
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|problem| error(key_file, format!("no private key in {}: {problem}", key.display())))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|problem| error(key_file, format!("it does not fit the certificate: {problem}")))?
        }
    };
    Ok(Arc::new(tls))
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, OptionsError> {
    let (path, hint) = match file {
        Some(path) => (path.to_owned(), ""),
        None => (system_roots()?, " (the system's authorities; mqtt.ca_file names others)"),
    };
    let mut roots = RootCertStore::empty();
    // A system's bundle may hold a few that can't be parsed; one that can is enough here, the handshake decides.
    let (added, _) = roots.add_parsable_certificates(certificates("mqtt.ca_file", &path)?);
    if added == 0 {
        return Err(error("mqtt.ca_file", format!("no usable certificate in {}{hint}", path.display())));
    }
    Ok(roots)
}

fn system_roots() -> Result<PathBuf, OptionsError> {
    std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .or_else(|| SYSTEM_ROOTS.iter().map(PathBuf::from).find(|path| path.is_file()))
        .ok_or_else(|| error("mqtt.ca_file", "this system's authorities were not found: name a PEM file of yours"))
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, OptionsError> {
    let unreadable = |problem| error(key, format!("cannot read certificates from {}: {problem}", path.display()));
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if found.is_empty() {
        return Err(error(key, format!("no certificate in {}: expected PEM", path.display())));
    }
    Ok(found)
}
