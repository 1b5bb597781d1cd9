//! The bytes between us and the broker: TCP, and TLS over it where the address asks for it.
//!
//! The client library is given a stream that is ready, so that what comes in can be looked at before the library sees it,
//! and so that one TLS library with one certificate verifier is all there is.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rumqttc_v5::{NetworkOptions, default_socket_connect};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::Address;
use super::options::Options;

const PLAIN_PORT: &str = "is this port a plain one? Then write mqtt:// in mqtt.url";

/// How the broker is reached.
#[derive(Clone)]
pub(super) struct Reach {
    address: Address,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Reach {
    pub(super) fn of(options: &Options) -> Self {
        Self { address: options.address.clone(), tls: options.tls.clone() }
    }

    /// A new connection, with the handshake of TLS behind it.
    ///
    /// # Errors
    /// In plain words, with a hint where there is one.
    pub(super) async fn connect(&self, network: NetworkOptions) -> io::Result<Stream> {
        let tcp = default_socket_connect(self.address.to_string(), network).await?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        let name = ServerName::try_from(self.address.host.clone()).map_err(io::Error::other)?;
        let secure = TlsConnector::from(tls.clone()).connect(name, tcp).await.map_err(|error| explain(&error))?;
        Ok(Stream::Secure(Box::new(secure)))
    }
}

/// A connection.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

fn explain(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let hints = [
        ("UnknownIssuer", "name the authority that signed the broker's certificate in mqtt.ca_file"),
        (
            "BadSignature",
            "none of the trusted authorities signed the broker's certificate: name the one that did in mqtt.ca_file",
        ),
        ("CaUsedAsEndEntity", "the broker shows the certificate of an authority: sign a server certificate with it"),
        ("not valid for name", "the host in mqtt.url must be a name that the broker's certificate holds"),
        ("InvalidContentType", PLAIN_PORT),
        ("eof", PLAIN_PORT),
        ("reset", PLAIN_PORT),
    ];
    let hint = hints.iter().find(|(sign, _)| text.contains(sign));
    let hint = hint.map_or(String::new(), |(_, hint)| format!("; {hint}"));
    io::Error::other(format!("no secure connection: {text}{hint}"))
}
