//! The GraphQL API: the schema built from the catalog, and the execution of requests.

pub mod engine;
pub mod error;
pub mod executor;
mod global_id;
pub mod limits;
mod mutation;
mod projection;
mod query;
pub mod request;
pub mod schema;
pub(crate) mod subscription;
pub mod tabular;

pub use engine::{Api, OperationRequest, OperationResult, PrepareError, PreparedOperation, schema, sdl};
pub use error::{GraphqlError, codes};
pub use subscription::{Event, EventStream};
