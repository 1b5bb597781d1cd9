//! A client that does what no library lets it do: bytes on a socket, and the answers as bytes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::peer::PATIENCE;

/// A connection to a broker.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    version: u8,
}

/// What a client introduces itself with.
#[derive(Default)]
pub(crate) struct Hello<'a> {
    pub(crate) id: &'a str,
    /// 5 unless it is 4.
    pub(crate) version: u8,
    /// Seconds that its session is kept.
    pub(crate) expiry: u32,
    pub(crate) will: Option<(&'a str, Vec<u8>)>,
    pub(crate) login: Option<(&'a str, &'a str)>,
}

fn text(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length, bytes].concat()
}

fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = value >= 128;
        bytes.push(u8::try_from(value % 128).unwrap() | if more { 0x80 } else { 0 });
        value /= 128;
        if !more {
            return bytes;
        }
    }
}

fn packet(head: u8, body: &[u8]) -> Vec<u8> {
    [&[head], &*number(body.len()), body].concat()
}

impl Raw {
    /// Opens the line and says nothing.
    pub(crate) async fn open(broker: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(broker).await.unwrap(), version: 5 }
    }

    /// Introduces itself; returns the reason code of the CONNACK too.
    pub(crate) async fn hello(broker: SocketAddr, hello: Hello<'_>) -> (Self, u8) {
        let mut raw = Self::open(broker).await;
        raw.version = if hello.version == 4 { 4 } else { 5 };
        let clean = hello.expiry == 0;
        let flag = |set: bool, bits: u8| if set { bits } else { 0 };
        let flags = flag(clean, 2) | flag(hello.will.is_some(), 0x24) | flag(hello.login.is_some(), 0xc0);
        let mut body = [text("MQTT"), vec![raw.version, flags, 0, 0]].concat();
        if raw.version == 5 {
            body.extend([5, 0x11]);
            body.extend(hello.expiry.to_be_bytes());
        }
        body.extend(text(hello.id));
        if let Some((topic, payload)) = hello.will {
            if raw.version == 5 {
                body.push(0);
            }
            body.extend([text(topic), text(payload)].concat());
        }
        if let Some((name, password)) = hello.login {
            body.extend([text(name), text(password)].concat());
        }
        raw.send(&packet(0x10, &body)).await;
        let answer = raw.answer().await.unwrap_or_default();
        (raw, answer.get(3).copied().unwrap_or(0xff))
    }

    /// One that is let in.
    pub(crate) async fn of(broker: SocketAddr, id: &str) -> Self {
        let (raw, code) = Self::hello(broker, Hello { id, ..Hello::default() }).await;
        assert_eq!(code, 0, "{id}");
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // It may have been closed: the answer tells.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next packet with its header, or nothing when the line is closed.
    pub(crate) async fn answer(&mut self) -> Option<Vec<u8>> {
        timeout(PATIENCE, self.packet()).await.expect("no answer")
    }

    async fn packet(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![self.stream.read_u8().await.ok()?];
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.stream.read_u8().await.ok()?;
            bytes.push(byte);
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        bytes.extend(body);
        Some(bytes)
    }

    /// The next packet, if one comes soon.
    pub(crate) async fn soon(&mut self) -> Option<Vec<u8>> {
        timeout(Duration::from_millis(300), self.packet()).await.ok().flatten()
    }

    /// A PUBLISH packet; `properties` are encoded, without their length.
    pub(crate) fn publish(&self, topic: &str, payload: &[u8], qos: u8, retain: bool, properties: &[u8]) -> Vec<u8> {
        let mut body = text(topic);
        if qos > 0 {
            body.extend([0, 1]);
        }
        if self.version == 5 {
            body.extend([number(properties.len()), properties.to_vec()].concat());
        }
        body.extend(payload);
        packet(0x30 | qos << 1 | u8::from(retain), &body)
    }

    /// Publishes a retained message with QoS 1; returns the reason code: 0 where there is none.
    pub(crate) async fn retain(&mut self, topic: &str, payload: &[u8]) -> u8 {
        let packet = self.publish(topic, payload, 1, true, &[]);
        self.send(&packet).await;
        let answer = self.answer().await.expect("closed");
        answer.get(4).copied().unwrap_or(0)
    }

    /// Subscribes; returns the code of each filter.
    pub(crate) async fn subscribe(&mut self, filters: &[&str], qos: u8) -> Vec<u8> {
        let mut body = vec![0, 9];
        if self.version == 5 {
            body.push(0);
        }
        for filter in filters {
            body.extend(text(filter));
            body.push(qos);
        }
        self.send(&packet(0x82, &body)).await;
        let answer = self.answer().await.expect("closed");
        answer[answer.len() - filters.len()..].to_vec()
    }
}
