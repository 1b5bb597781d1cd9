//! The broker of the demo: at the usual address if that is free, else at any free port.

use crate::config::Mqtt;
use crate::mqtt::broker::{self, BrokerError, Embedded};

/// Where everybody expects a broker, so that other programs find it without being told.
const USUAL: &str = "127.0.0.1:1883";

const ANY_FREE_PORT: &str = "127.0.0.1:0";

/// Starts the broker at this address, or without one where it is free.
///
/// # Errors
/// When it can't listen; the message names `--listen` if the address came from there.
pub(super) async fn listen(address: Option<&str>) -> anyhow::Result<Embedded> {
    let limit = Mqtt::default().max_packet_size;
    let Some(address) = address else {
        return Ok(match broker::start(USUAL, None, limit).await {
            Err(BrokerError::InUse { .. }) => broker::start(ANY_FREE_PORT, None, limit).await?,
            started => started?,
        });
    };
    match broker::start(address, None, limit).await {
        Err(BrokerError::InUse { address, .. }) => {
            anyhow::bail!("--listen: {address} is in use; left out, it is any free port of this computer")
        }
        // The error names the key of the configuration, but here the address comes from the call.
        started => started.map_err(|problem| {
            let problem = problem.to_string();
            anyhow::anyhow!("--listen: {}", problem.trim_start_matches("broker.listen: "))
        }),
    }
}
