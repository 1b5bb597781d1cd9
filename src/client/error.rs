//! Why a client could not do what was asked.

use thiserror::Error;

use crate::mqtt::{OptionsError, PublishError};
use crate::wire::topics::BaseTopicError;

/// Why a client could not do what was asked.
#[derive(Debug, Error)]
pub enum ClientError {
    /// A setting of the connection cannot work.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// No topic can begin with `mqtt.base_topic`.
    #[error(transparent)]
    BaseTopic(#[from] BaseTopicError),
    /// The message can't be sent.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The message can't be written as JSON.
    #[error("not expressible in JSON: {0}")]
    Json(#[from] serde_json::Error),
}
