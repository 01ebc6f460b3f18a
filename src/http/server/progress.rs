//! How a client reads the responses of a connection: a body in pieces, and what the server has waited for the client.
//!
//! A body is polled only when the connection has room for more, over HTTP/1 as over HTTP/2. The time between handing over a piece
//! and being polled again is therefore the time that the client takes to read. Time in which the body itself has no data, as in
//! an event stream between two events, does not count.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

/// Size of the pieces that bodies are divided into.
const PIECE_BYTES: usize = 64 << 10;

/// What a client must read.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadingPace {
    /// Longest time to read one piece.
    pub(super) max_wait: Duration,
    /// Bytes per second on average, once the server has waited for longer than `max_wait` in all.
    pub(super) min_bytes_per_second: u64,
}

/// The requests of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    state: Mutex<ActivityState>,
}

#[derive(Debug)]
struct ActivityState {
    /// Requests without a complete response.
    in_progress: usize,
    /// When the last request ended, or the connection was opened.
    idle_since: Instant,
    responses: Vec<Arc<Progress>>,
}

/// The progress of one response. Times are milliseconds since the connection was opened.
#[derive(Debug, Default)]
struct Progress {
    /// When the client was given a piece that it has not read; 0 while the server has the turn.
    waiting_since: AtomicU64,
    /// Time that the client took to read all earlier pieces.
    waited: AtomicU64,
    bytes: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        let opened = Instant::now();
        Self { opened, state: Mutex::new(ActivityState { in_progress: 0, idle_since: opened, responses: Vec::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, ActivityState> {
        // no critical section can panic halfway
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the connection was opened, from 1.
    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Time for which there has been no request.
    pub(super) fn idle(&self) -> Option<Duration> {
        let state = self.state();
        (state.in_progress == 0).then(|| state.idle_since.elapsed())
    }

    /// Longest time that the server has been waiting for the client to read a piece.
    pub(super) fn waiting(&self) -> Duration {
        let now = self.now();
        let waiting = |progress: &Arc<Progress>| match progress.waiting_since.load(Ordering::Relaxed) {
            0 => 0,
            since => now.saturating_sub(since),
        };
        Duration::from_millis(self.state().responses.iter().map(waiting).max().unwrap_or(0))
    }

    /// Whether the client reads a response more slowly than it must.
    pub(super) fn is_too_slow(&self, pace: ReadingPace) -> bool {
        let (now, max_wait) = (self.now(), u64::try_from(pace.max_wait.as_millis()).unwrap_or(u64::MAX));
        self.state().responses.iter().any(|progress| {
            let since = progress.waiting_since.load(Ordering::Relaxed);
            let current = if since == 0 { 0 } else { now.saturating_sub(since) };
            let waited = progress.waited.load(Ordering::Relaxed).saturating_add(current);
            let required = (waited / 1_000).saturating_mul(pace.min_bytes_per_second);
            current > max_wait || (waited > max_wait && progress.bytes.load(Ordering::Relaxed) < required)
        })
    }
}

/// A request in progress; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct RequestGuard(Arc<Activity>);

impl RequestGuard {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        activity.state().in_progress += 1;
        Self(activity)
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_progress -= 1;
        state.idle_since = Instant::now();
    }
}

/// A response body in pieces, whose progress is observed.
#[derive(Debug)]
pub(super) struct PacedBody {
    body: Body,
    /// The rest of a part that is larger than a piece.
    rest: Bytes,
    progress: Arc<Progress>,
    request: RequestGuard,
}

impl PacedBody {
    pub(super) fn new(body: Body, request: RequestGuard) -> Self {
        let progress = Arc::new(Progress::default());
        if !body.is_end_stream() {
            // a client may also refuse the first piece
            progress.waiting_since.store(request.0.now(), Ordering::Relaxed);
            request.0.state().responses.push(progress.clone());
        }
        Self { body, rest: Bytes::new(), progress, request }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return other,
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let since = this.progress.waiting_since.swap(0, Ordering::Relaxed);
        if since > 0 {
            this.progress.waited.fetch_add(this.request.0.now().saturating_sub(since), Ordering::Relaxed);
        }
        let polled = this.poll_piece(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            this.progress.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            this.progress.waiting_since.store(this.request.0.now(), Ordering::Relaxed);
        }
        polled
    }

    /// A body with data ends only when it is polled after its last piece: until then, the client may not have room for it.
    fn is_end_stream(&self) -> bool {
        self.progress.bytes.load(Ordering::Relaxed) == 0 && self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

impl Drop for PacedBody {
    fn drop(&mut self) {
        self.request.0.state().responses.retain(|progress| !Arc::ptr_eq(progress, &self.progress));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use http_body_util::BodyStream;

    use super::*;

    const PACE: ReadingPace = ReadingPace { max_wait: Duration::from_secs(30), min_bytes_per_second: 1024 };

    fn body(activity: &Arc<Activity>, body: Body) -> BodyStream<PacedBody> {
        BodyStream::new(PacedBody::new(body, RequestGuard::new(activity.clone())))
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_divided_and_keep_their_bytes_and_length() {
        let activity = Arc::new(Activity::new());
        let bytes: Vec<u8> = (0..PIECE_BYTES * 3 + 7).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let paced = PacedBody::new(Body::from(bytes.clone()), RequestGuard::new(activity.clone()));
        assert_eq!(paced.size_hint().exact(), Some(bytes.len() as u64));
        let pieces: Vec<Bytes> = BodyStream::new(paced).map(|frame| frame.unwrap().into_data().unwrap()).collect().await;
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert!(pieces.concat() == bytes && activity.idle().is_some());
        assert!(PacedBody::new(Body::empty(), RequestGuard::new(activity)).is_end_stream());
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_stops_reading_is_too_slow() {
        let activity = Arc::new(Activity::new());
        let mut stream = body(&activity, Body::from(vec![0; PIECE_BYTES * 2]));
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!activity.is_too_slow(PACE));
        stream.next().await.unwrap().unwrap();
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!activity.is_too_slow(PACE) && activity.waiting() >= Duration::from_secs(29) && activity.idle().is_none());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(activity.is_too_slow(PACE));
        drop(stream);
        assert!(!activity.is_too_slow(PACE) && activity.idle() == Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_trickles_is_too_slow_in_the_long_run() {
        let activity = Arc::new(Activity::new());
        let pieces = futures_util::stream::repeat_with(|| Ok::<_, axum::Error>(Bytes::from_static(b"0123456789")));
        let mut stream = body(&activity, Body::from_stream(pieces));
        for second in 0..60 {
            stream.next().await.unwrap().unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(activity.is_too_slow(PACE), second >= 30, "{second}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn body_without_data_does_not_count_against_the_client() {
        let activity = Arc::new(Activity::new());
        let mut stream = body(&activity, Body::from_stream(futures_util::stream::pending::<Result<Bytes, axum::Error>>()));
        let polled = tokio::time::timeout(Duration::from_hours(1), stream.next()).await;
        assert!(polled.is_err() && !activity.is_too_slow(PACE));
    }
}
