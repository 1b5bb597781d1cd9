//! Why tasks can't be taken out of a record.

/// Why tasks and record don't fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// There is no task; with the circuits of the record.
    #[error(
        "no task is to be replayed: describe one as [[replay.task]] in the configuration, with its id and power; the file has the circuits {0}"
    )]
    NoTask(String),
    /// A task needs a circuit that the record doesn't have.
    #[error(
        "replay.task `{task}`: there is no column `{key}`, and its need is what that drew: write need = \"8 kWh\" (or \"2h\"), or set keys to some of {found}"
    )]
    NoCircuit {
        /// The task.
        task: String,
        /// The key of the circuit.
        key: String,
        /// The circuits that are there.
        found: String,
    },
    /// Two tasks have the same circuit; with both tasks and the circuit.
    #[error(
        "replay.task `{0}` and `{1}` have the key `{2}` both: a circuit is taken out of the record for one task only"
    )]
    Shared(String, String, String),
    /// Two tasks have the same id.
    #[error("replay.task `{0}` is there twice")]
    Twice(String),
}
