//! Shortens messages that are larger than anybody here wants to read, before the client library sees them.
//!
//! Over MQTT 3.1.1 a client can't tell the broker how much it takes, and the library ends the connection over a packet
//! above its limit. A retained one would come again on every connection, for ever. So the beginning of such a message is
//! let through, with its topic, its packet id and a payload still above the limit: the library acknowledges it, and
//! `client` drops it and tells its topic. The rest is read and thrown away.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, BufReader, ReadBuf};

use super::transport::Stream;

/// The longest topic, its length and a packet id: what of a PUBLISH is not payload.
const NOT_PAYLOAD: usize = 2 + 65_535 + 2;

/// The longest fixed header: a type and four digits of the length.
const HEADER: usize = 5;

/// While the rest of a message is thrown away, the broker can't answer pings: it is writing. So long as bytes come it
/// lives, and the library is told so this often. Below the shortest keep-alive.
const ALIVE: Duration = Duration::from_secs(2);

/// A PINGRESP.
const PONG: [u8; 2] = [0xD0, 0];

/// The largest packet that is handed on where messages of `limit` bytes are allowed.
pub(super) fn largest_kept(limit: u32) -> usize {
    limit as usize + NOT_PAYLOAD + 1
}

/// A connection over MQTT 3.1.1 whose PUBLISH packets are shortened to the largest that is kept.
#[derive(Debug)]
pub(super) struct Shortened<S = Stream> {
    stream: BufReader<S>,
    keep: usize,
    at: At,
    /// What is known of a fixed header.
    header: Vec<u8>,
    /// At most a header that waits to be handed on.
    ready: Vec<u8>,
}

/// Where in the stream of packets the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In a fixed header.
    Header,
    /// In a body of which so much is still to be handed on, and then so much to be thrown away.
    Body { keep: usize, skip: usize },
    /// In what is thrown away; when the library last heard that the broker lives.
    Rest { skip: usize, told: Instant },
    /// No longer known: the packet isn't one. The library has to say so.
    Lost,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shortened<S> {
    pub(super) fn new(stream: S, limit: u32) -> Self {
        Self {
            stream: BufReader::new(stream),
            keep: largest_kept(limit),
            at: At::Header,
            header: Vec::with_capacity(HEADER),
            ready: Vec::with_capacity(HEADER),
        }
    }

    /// Takes of what has been read already as much as there is room for.
    fn advance(&mut self, buffer: &mut ReadBuf<'_>) {
        loop {
            let length = self.ready.len().min(buffer.remaining());
            buffer.put_slice(&self.ready[..length]);
            self.ready.drain(..length);
            let read = self.stream.buffer();
            if read.is_empty() || buffer.remaining() == 0 {
                return;
            }
            let used = match &mut self.at {
                At::Header => {
                    self.header.push(read[0]);
                    self.header_grew();
                    1
                }
                At::Body { keep, .. } => {
                    let used = read.len().min(*keep).min(buffer.remaining());
                    buffer.put_slice(&read[..used]);
                    *keep -= used;
                    self.body_shrank();
                    used
                }
                At::Rest { skip, told } => {
                    let used = read.len().min(*skip);
                    *skip -= used;
                    if *skip == 0 {
                        self.at = At::Header;
                    } else if told.elapsed() >= ALIVE {
                        *told = Instant::now();
                        self.ready.extend(PONG);
                    }
                    used
                }
                At::Lost => {
                    let used = read.len().min(buffer.remaining());
                    buffer.put_slice(&read[..used]);
                    used
                }
            };
            Pin::new(&mut self.stream).consume(used);
        }
    }

    fn header_grew(&mut self) {
        match self.header[1..].last() {
            None => return,
            Some(digit) if digit & 0x80 == 0 => {}
            Some(_) if self.header.len() < HEADER => return,
            Some(_) => {
                self.ready.append(&mut self.header);
                self.at = At::Lost;
                return;
            }
        }
        let body = self.header[1..].iter().rev().fold(0, |sum, digit| (sum << 7) | usize::from(digit & 0x7F));
        let is_publish = self.header[0] >> 4 == 3;
        let most = self.keep.saturating_sub(HEADER);
        let keep = if is_publish { body.min(most) } else { body };
        self.ready.push(self.header[0]);
        self.ready.extend(length_digits(keep));
        self.header.clear();
        self.at = At::Body { keep, skip: body - keep };
        self.body_shrank();
    }

    fn body_shrank(&mut self) {
        match self.at {
            At::Body { keep: 0, skip: 0 } => self.at = At::Header,
            At::Body { keep: 0, skip } => self.at = At::Rest { skip, told: Instant::now() },
            _ => {}
        }
    }
}

/// A length as MQTT writes it: seven bits a byte, the lowest first.
fn length_digits(mut length: usize) -> Vec<u8> {
    let mut digits = Vec::with_capacity(HEADER - 1);
    loop {
        let digit = (length & 0x7F) as u8;
        length >>= 7;
        if length == 0 {
            digits.push(digit);
            return digits;
        }
        digits.push(digit | 0x80);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Shortened<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        loop {
            this.advance(buffer);
            if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            if ready!(Pin::new(&mut this.stream).poll_fill_buf(cx))?.is_empty() {
                if matches!(this.at, At::Rest { .. }) {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                // The library has to learn of half a header, too.
                if this.header.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                this.ready.append(&mut this.header);
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Shortened<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const LIMIT: u32 = 100;

    fn publish(topic: &str, payload: usize) -> Vec<u8> {
        let body = 2 + topic.len() + 2 + payload;
        let mut packet = vec![0x33];
        packet.extend(length_digits(body));
        packet.extend((topic.len() as u16).to_be_bytes());
        packet.extend(topic.bytes());
        packet.extend([0, 7]);
        packet.resize(packet.len() + payload, b'x');
        packet
    }

    /// What comes out at the other end when it is written in pieces and read in pieces.
    async fn through(bytes: Vec<u8>, piece: usize, read: usize) -> io::Result<Vec<u8>> {
        let (near, mut far) = tokio::io::duplex(piece);
        tokio::spawn(async move { far.write_all(&bytes).await });
        let mut stream = Shortened::new(near, LIMIT);
        let (mut all, mut part) = (Vec::new(), vec![0; read]);
        loop {
            match stream.read(&mut part).await? {
                0 => return Ok(all),
                length => all.extend(&part[..length]),
            }
        }
    }

    #[tokio::test]
    async fn a_long_message_is_shortened_and_its_neighbours_are_not_however_the_bytes_are_cut() {
        let (before, after) = (publish("a", 90), publish("b", 3));
        let long = publish("long", 300_000);
        let whole = publish("longest/kept", largest_kept(LIMIT) - HEADER - 2 - 12 - 2);
        let sent = [&before[..], &long, &[0xD0, 0], &whole, &after].concat();
        for (piece, read) in [(1, 1), (1, 8_192), (7, 3), (100_000, 2), (64, 100_000)] {
            let came = through(sent.clone(), piece, read).await.unwrap();
            let kept = largest_kept(LIMIT);
            assert_eq!(&came[..before.len()], before);
            let short = &came[before.len()..][..kept - 1];
            assert_eq!(&short[1..4], length_digits(kept - HEADER), "{piece} {read}");
            assert_eq!(short[4..], long[4..][..kept - HEADER]);
            assert_eq!(&came[before.len() + kept - 1..], [&[0xD0, 0][..], &whole, &after].concat());
        }
    }

    #[tokio::test]
    async fn even_with_the_longest_topic_the_payload_stays_above_the_limit() {
        let topic = "t".repeat(65_535);
        let came = through(publish(&topic, 200_000), 4_096, 4_096).await.unwrap();
        assert!(came.len() - 4 - 2 - topic.len() - 2 + topic.len() > LIMIT as usize);
        assert!(came.len() <= largest_kept(LIMIT));
    }

    #[tokio::test]
    async fn an_end_within_a_packet_never_looks_like_one_between_two() {
        let whole = publish("t", 300_000);
        for length in [1, 2, 3, 4, 100, 65_000, 70_000, 299_999] {
            let came = through(whole[..length].to_vec(), 4_096, 4_096).await;
            match came {
                Ok(came) => assert!(came.len() < largest_kept(LIMIT) - 1, "{length}: a whole packet came out"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof),
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_packet_and_what_is_no_message_are_the_library_s_to_judge() {
        let endless = [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3].to_vec();
        assert_eq!(through(endless.clone(), 2, 1).await.unwrap(), endless);
        let mut suback = vec![0x90];
        suback.extend(length_digits(200_000));
        suback.resize(suback.len() + 200_000, 1);
        assert_eq!(through(suback.clone(), 4_096, 4_096).await.unwrap(), suback);
    }
}
