//! Middleware: admission control, rate limits, URLs, compression, CORS, security headers and the request log.

pub(super) mod admission;
pub(super) mod compression;
pub(super) mod cors;
pub(super) mod rate_limit;
pub(super) mod request_log;
pub(super) mod security_headers;
pub(super) mod url;
