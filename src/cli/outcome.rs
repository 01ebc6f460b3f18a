//! How a command ends when it does not fail.

/// How a command ended.
#[derive(Debug)]
pub(super) enum CommandOutcome {
    /// The command completed and has no result to print.
    Silent,
    /// The command completed with this result.
    Completed(String),
    /// The command completed with this result, except for records that it refused.
    Partial(String),
    /// The command was interrupted; the text says how far it got.
    Interrupted(String),
}
