//! Long computations within asynchronous tasks.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs a computation that may take long. If the runtime has several threads, the other tasks of this thread move to another
/// one, so that they progress meanwhile.
pub(crate) fn run<T>(compute: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(compute),
        _ => compute(),
    }
}
