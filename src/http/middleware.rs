//! Middleware: admission control, rate limits, CORS, security headers and the request log.

pub(super) mod admission;
pub(super) mod cors;
pub(super) mod rate_limit;
pub(super) mod request_log;
pub(super) mod security_headers;
