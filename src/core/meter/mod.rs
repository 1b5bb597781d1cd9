//! What was measured: keys, the values on their way into a record, records, and the window of them.

pub(crate) mod intake;
pub(crate) mod key;
#[expect(clippy::module_inception, reason = "the type of the folder's name")]
pub(crate) mod meter;
pub(crate) mod record;
pub(crate) mod source;
pub(crate) mod window;
