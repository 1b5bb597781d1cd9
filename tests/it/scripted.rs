//! Brokers that no package offers: one that speaks 3.1.1 only, one that hangs up. A few bytes each.

use std::net::SocketAddr;

use sunward::config::Protocol;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// How an old broker meets a CONNECT of MQTT 5.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OldBroker {
    /// Closes the connection.
    HangsUp,
    /// Answers with the CONNACK of MQTT 3.1.1: unacceptable protocol version.
    Refuses,
    /// Says nothing at all.
    StaysSilent,
}

impl OldBroker {
    /// Listens until the test ends.
    pub(crate) async fn start(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut connect = [0; 512];
                let _ = socket.read(&mut connect).await;
                match self {
                    Self::HangsUp => {}
                    Self::Refuses => {
                        let _ = socket.write_all(&[0x20, 0x02, 0x00, 0x01]).await;
                        open.push(socket);
                    }
                    Self::StaysSilent => open.push(socket),
                }
            }
        });
        address
    }
}

/// A broker that lets everybody in and refuses every subscription, which Mosquitto never does.
pub(crate) async fn refuses_subscriptions(protocol: Protocol) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut packet = [0; 512];
        assert!(socket.read(&mut packet).await.unwrap() > 0);
        let connack: &[u8] = if protocol == Protocol::V5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] };
        socket.write_all(connack).await.unwrap();
        while socket.read(&mut packet).await.is_ok_and(|length| length > 0) {
            let (high, low) = (packet[2], packet[3]);
            let suback: &[u8] =
                if protocol == Protocol::V5 { &[0x90, 4, high, low, 0, 0x87] } else { &[0x90, 3, high, low, 0x80] };
            socket.write_all(suback).await.unwrap();
        }
    });
    address
}
