//! Admission and price of what is read while a response is sent: the events of a subscription and the rows of a table.

use futures_util::future::BoxFuture;

use crate::core::error::Result;

/// Admits and charges the reads of a client.
pub trait ReadMeter: Send + Sync {
    /// Waits until a page of past events may be read. The read has ended when the result is dropped.
    fn admit(&self) -> BoxFuture<'_, Result<Box<dyn Send>>>;

    /// Waits until the client has paid these points.
    fn pay(&self, points: u64) -> BoxFuture<'_, ()>;
}

/// Reads that are always admitted and cost nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unmetered;

impl ReadMeter for Unmetered {
    fn admit(&self) -> BoxFuture<'_, Result<Box<dyn Send>>> {
        Box::pin(std::future::ready(Ok(Box::new(()) as Box<dyn Send>)))
    }

    fn pay(&self, _points: u64) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
