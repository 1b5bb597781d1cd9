//! TLS towards the broker: which authorities are trusted and which certificate we show.
//!
//! No check can be skipped: a broker with a certificate of its own making is trusted by naming it in `mqtt.ca_file`.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::files;
use super::options_error::OptionsError;

/// Chooses the one crypto provider of the process. Two in one dependency graph and no choice make rustls panic at the
/// first connection, so everything that may speak TLS calls this first; calling it again does nothing.
pub fn install_crypto_provider() {
    // An error says that one is installed already: that of whoever uses this crate as a library, or ours.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The PEM files of `[mqtt]`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Files<'a> {
    /// The trusted authorities; absent: those of the system.
    pub(super) authorities: Option<&'a Path>,
    pub(super) certificate: Option<&'a Path>,
    pub(super) key: Option<&'a Path>,
}

/// For `mqtts://`. A certificate without a key, or a key without a certificate, is left out.
pub(super) fn client_config(files: Files<'_>) -> Result<Arc<ClientConfig>, OptionsError> {
    install_crypto_provider();
    let roots = match files.authorities {
        Some(file) => roots(file)?,
        None => system_roots()?,
    };
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let (Some(chain), Some(key)) = (files.certificate, files.key) else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let chain = certificates("mqtt.client_cert_file", chain)?;
    let wrong_key = |problem: String| OptionsError::new("mqtt.client_key_file", problem);
    let pem = files::read(key).map_err(wrong_key)?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|problem| wrong_key(format!("no private key in {}: {problem}", key.display())))?;
    let tls = builder
        .with_client_auth_cert(chain, key)
        .map_err(|problem| wrong_key(format!("it does not fit the certificate: {problem}")))?;
    Ok(Arc::new(tls))
}

fn roots(file: &Path) -> Result<RootCertStore, OptionsError> {
    let mut roots = RootCertStore::empty();
    // A bundle may hold a few that can't be parsed; one that can is enough here, the handshake decides.
    let (added, _) = roots.add_parsable_certificates(certificates("mqtt.ca_file", file)?);
    if added == 0 {
        return Err(OptionsError::new("mqtt.ca_file", format!("no usable certificate in {}", file.display())));
    }
    Ok(roots)
}

/// The authorities of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name instead.
fn system_roots() -> Result<RootCertStore, OptionsError> {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(|name| std::env::var_os(name).is_some());
    let found = match bundle().filter(|_| named.is_none()) {
        Some(bundle) => rustls_native_certs::load_certs_from_paths(Some(&bundle), None),
        None => rustls_native_certs::load_native_certs(),
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    // Of several problems the first says enough.
    let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
    let problem = match named {
        Some(name) => format!("no usable certificate where the environment variable {name} says{why}"),
        None => format!("this system's authorities were not found{why}"),
    };
    Err(OptionsError::new("mqtt.ca_file", format!("{problem}: name a PEM file of yours")))
}

/// The one file with the authorities of this system. Its folder also holds what is no authority: the certificate that
/// Debian makes for the computer itself, for one.
fn bundle() -> Option<std::path::PathBuf> {
    #[cfg(all(unix, not(target_os = "macos")))]
    return openssl_probe::probe().cert_file;
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    None
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, OptionsError> {
    let refuse = |problem: String| OptionsError::new(key, problem);
    let pem = files::read(path).map_err(refuse)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found =
        found.map_err(|problem| refuse(format!("cannot read certificates from {}: {problem}", path.display())))?;
    if found.is_empty() {
        return Err(refuse(format!("no certificate in {}: expected PEM", path.display())));
    }
    Ok(found)
}
