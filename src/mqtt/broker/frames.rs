//! Packets out of a stream: their size is checked before anything is allocated, and memory grows with what arrived, not with
//! what was announced.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use mqtt5_protocol::packet::{FixedHeader, Packet};
use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::timeout;

/// What is read at once.
const CHUNK: usize = 4 * 1024;

/// The rest of a packet has so long to come.
const REST: Duration = Duration::from_secs(20);

/// Why no packet came.
#[derive(Debug, Error)]
pub(super) enum FrameError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the line was closed")]
    Closed,
    #[error("a packet of {size} bytes, the limit is {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("{0}")]
    Malformed(String),
    #[error("the rest of a packet did not come within {} s", REST.as_secs())]
    Stalled,
}

/// The reading half of a connection.
#[derive(Debug)]
pub(super) struct Frames {
    stream: OwnedReadHalf,
    buffer: BytesMut,
    /// Bytes of the largest packet.
    pub(super) limit: usize,
}

impl Frames {
    pub(super) fn new(stream: OwnedReadHalf, limit: usize) -> Self {
        Self { stream, buffer: BytesMut::new(), limit }
    }

    /// Waits for the next packet; returns it with its size in bytes.
    ///
    /// # Errors
    /// When there will be none. May be dropped and called again.
    pub(super) async fn next(&mut self, version: u8) -> Result<(Packet, usize), FrameError> {
        loop {
            if let Some((header, head)) = self.header()? {
                let size = head + header.remaining_length as usize;
                if size > self.limit {
                    return Err(FrameError::TooLarge { size, limit: self.limit });
                }
                while self.buffer.len() < size {
                    timeout(REST, self.read()).await.map_err(|_| FrameError::Stalled)??;
                }
                let mut packet = self.buffer.split_to(size);
                let mut body = packet.split_off(head);
                if self.buffer.is_empty() {
                    // Else one large packet would keep its memory for as long as the connection lives.
                    self.buffer = BytesMut::new();
                }
                let packet = Packet::decode_from_body_with_version(header.packet_type, &header, &mut body, version)
                    .map_err(|problem| FrameError::Malformed(problem.to_string()))?;
                return Ok((packet, size));
            }
            if self.buffer.is_empty() {
                self.read().await?;
            } else {
                timeout(REST, self.read()).await.map_err(|_| FrameError::Stalled)??;
            }
        }
    }

    /// Throws away what still comes, so that who is sending reads why it was cut off: a line that is closed with something
    /// unread takes the last words with it. Ends when the other side has closed, or after these bytes.
    pub(super) async fn discard(&mut self, most: usize) {
        let mut gone = 0;
        while gone < most {
            self.buffer.clear();
            if self.read().await.is_err() {
                return;
            }
            gone += self.buffer.len();
        }
    }

    async fn read(&mut self) -> Result<(), FrameError> {
        self.buffer.reserve(CHUNK);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(FrameError::Closed),
            _ => Ok(()),
        }
    }

    /// The fixed header and its length, once all of it is there.
    fn header(&self) -> Result<Option<(FixedHeader, usize)>, FrameError> {
        let Some(end) = self.buffer.iter().skip(1).take(4).position(|byte| byte & 0x80 == 0) else {
            return if self.buffer.len() >= 5 {
                Err(FrameError::Malformed("the length of a packet has more than 4 bytes".into()))
            } else {
                Ok(None)
            };
        };
        let head = end + 2;
        let header = FixedHeader::decode(&mut &self.buffer[..head]);
        header.map(|header| Some((header, head))).map_err(|problem| FrameError::Malformed(problem.to_string()))
    }
}
