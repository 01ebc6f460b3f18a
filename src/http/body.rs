//! Request bodies of a limited length.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, to_bytes};
use axum::{BoxError, Error};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Bytes above the limit that are read and discarded, so that the client has sent its request when it receives the rejection: a
/// connection that is closed before is an error to most clients, without a message.
const MAX_DISCARDED_BYTES: usize = 16 << 20;

/// A body is longer than its limit.
#[derive(Debug, thiserror::Error)]
#[error("the body is too long")]
pub(super) struct BodyTooLong;

/// A body that fails with [`BodyTooLong`] if it is longer than its limit, once its rest was discarded. A rest longer than
/// 16 MiB is not read.
pub(super) struct LimitedBody {
    inner: Body,
    /// Bytes that may follow.
    left: usize,
    /// Bytes that were discarded.
    discarded: usize,
    is_too_long: bool,
}

impl LimitedBody {
    /// The body with a limit of `max_bytes`.
    pub(super) fn new(inner: Body, max_bytes: usize) -> Self {
        Self { inner, left: max_bytes, discarded: 0, is_too_long: false }
    }
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if self.discarded > MAX_DISCARDED_BYTES {
                return Poll::Ready(Some(Err(BodyTooLong.into())));
            }
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                None if self.is_too_long => return Poll::Ready(Some(Err(BodyTooLong.into()))),
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => frame,
            };
            let length = frame.data_ref().map_or(0, Bytes::len);
            if length > self.left || self.is_too_long {
                self.is_too_long = true;
                self.discarded += length;
                continue;
            }
            self.left -= length;
            return Poll::Ready(Some(Ok(frame)));
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a body of at most `max_bytes`; [`is_too_long`] distinguishes the errors.
pub(super) async fn read_limited(body: Body, max_bytes: usize) -> Result<Bytes, Error> {
    to_bytes(Body::new(LimitedBody::new(body, max_bytes)), usize::MAX).await
}

/// Whether the error or one of its sources is that a body is longer than its limit.
pub(super) fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<BodyTooLong>() || error.source().is_some_and(is_too_long)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;
    use rstest::rstest;

    use super::*;

    /// Chunks of one MiB, and the number of those that were read.
    fn body(mebibytes: usize) -> (Body, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let count = read.clone();
        let chunks = (0..mebibytes).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from(vec![0; 1 << 20]))
        });
        (Body::from_stream(stream::iter(chunks)), read)
    }

    #[rstest]
    #[case(2, 2, true)]
    #[case(3, 3, false)]
    #[case(10, 10, false)]
    #[case(100, 19, false)]
    #[tokio::test]
    async fn rest_of_a_long_body_is_read_up_to_a_bound(#[case] mebibytes: usize, #[case] expected: usize, #[case] fits: bool) {
        let (body, read) = body(mebibytes);
        let result = read_limited(body, 2 << 20).await;
        assert_eq!(result.as_ref().map(Bytes::len).ok(), fits.then_some(2 << 20));
        assert!(fits || is_too_long(&result.unwrap_err()));
        assert_eq!(read.load(Ordering::Relaxed), expected);
    }
}
