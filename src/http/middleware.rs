//! Middleware: admission control, rate limits, CORS, security headers and the request log.

pub(crate) mod admission;
pub(crate) mod cors;
pub(crate) mod rate_limit;
pub(crate) mod request_log;
pub(crate) mod security_headers;
