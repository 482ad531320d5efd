//! Closes connections that are too slow, or that request more than they read.
//!
//! actix-http limits the time for the first head of a connection, and the time between two requests until the first
//! byte of the second. It limits neither the time for that second head nor the time for an answer that is not read,
//! and it keeps reading pipelined requests. So the socket below it keeps its own timers, and `layers::every_request`
//! tells it when a request begins and ends.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::dev::ServiceRequest;
use actix_web::rt::time::{Instant, Sleep, sleep_until};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The time limits for the client.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the first byte of a request's head to the last.
    pub head: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// To read an answer, once the socket's send buffer is full.
    pub answer: Duration,
}

/// Bytes read at a time. All requests in them are queued at once.
const READ_AT_ONCE: usize = 16 * 1024;

/// Bytes read while a request is answered: its body, and pipelined requests. Enough to see the end of a connection
/// whose client does not pipeline.
const READ_AHEAD: usize = 32 * 1024;

/// State shared by a request and its connection.
#[derive(Debug, Default)]
pub struct Progress {
    is_answering: Cell<bool>,
    /// The next request must have begun by then.
    begins_by: Cell<Option<Instant>>,
    idle: Cell<Duration>,
}

/// A request that is being answered.
pub struct Answering(Rc<Progress>);

impl Answering {
    /// `None` for a request without such a connection, as in unit tests.
    pub fn begin(request: &ServiceRequest) -> Option<Self> {
        let progress = Rc::clone(request.conn_data::<Rc<Progress>>()?);
        progress.is_answering.set(true);
        progress.begins_by.set(None);
        Some(Self(progress))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.is_answering.set(false);
        self.0
            .begins_by
            .set(Some(Instant::now() + self.0.idle.get()));
    }
}

/// A socket with time limits.
pub struct Connection<S> {
    socket: S,
    patience: Timeouts,
    progress: Rc<Progress>,
    /// Bytes read since all output was last written.
    at_once: usize,
    /// Bytes read while requests were answered, since the last time none was.
    ahead: usize,
    /// Whether reading was refused, so that no one waits for the socket to become readable.
    is_held_back: bool,
    /// Fires when the next request should have begun, or earlier: it is not reset for every request.
    reading: Option<Pin<Box<Sleep>>>,
    /// Fires when the client should have read the output; unset while it keeps reading.
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Connection<S> {
    pub fn new(socket: S, patience: Timeouts) -> Self {
        let progress = Progress::default();
        progress.idle.set(patience.idle);
        Self {
            socket,
            patience,
            progress: Rc::new(progress),
            at_once: 0,
            ahead: 0,
            is_held_back: false,
            reading: None,
            writing: None,
        }
    }

    /// Stored in the connection's data, where [`Answering::begin`] finds it.
    pub fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }

    fn has_read(&mut self, bytes: usize) {
        self.at_once += bytes;
        if self.progress.is_answering.get() {
            self.ahead += bytes;
            return;
        }
        let by = Instant::now() + self.patience.head;
        let begins_by = &self.progress.begins_by;
        begins_by.set(Some(begins_by.get().map_or(by, |before| before.min(by))));
    }

    /// Whether to stop reading until the requests read so far are answered and the client has read the answers.
    fn is_ahead(&self) -> bool {
        let is_answering = self.progress.is_answering.get();
        self.writing.is_some() || (is_answering && self.ahead >= READ_AHEAD)
    }

    fn is_too_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(by) = self.progress.begins_by.get() else {
            return false;
        };
        let timer = self
            .reading
            .get_or_insert_with(|| Box::pin(sleep_until(by)));
        if timer.deadline() > by {
            timer.as_mut().reset(by);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if by <= Instant::now() {
                return true;
            }
            timer.as_mut().reset(by);
        }
        false
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_ahead() {
            self.is_held_back = true;
            return Poll::Pending;
        }
        if self.at_once >= READ_AT_ONCE {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.socket).poll_read(cx, buffer) {
            Poll::Pending if self.is_too_late(cx) => {
                // As if the client had closed the connection.
                Poll::Ready(Ok(()))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => {
                self.has_read(buffer.filled().len() - before);
                Poll::Ready(read)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.socket).poll_write(cx, bytes) {
            return Poll::Ready(written);
        }
        let patience = self.patience.answer;
        let timer = self
            .writing
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Called when all output is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing = None;
        self.at_once = 0;
        if !self.progress.is_answering.get() {
            self.ahead = 0;
        }
        if self.is_held_back && !self.is_ahead() {
            self.is_held_back = false;
            cx.waker().wake_by_ref();
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const PATIENCE: Timeouts = Timeouts {
        head: Duration::from_secs(3600),
        idle: Duration::from_secs(3600),
        answer: Duration::from_secs(3600),
    };

    fn pair(patience: Timeouts) -> (Connection<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(1024 * 1024);
        (Connection::new(ours, patience), theirs)
    }

    /// Reads as actix-http does: until nothing is left, then checks whether there is something to write.
    async fn rounds(connection: &mut Connection<DuplexStream>, rounds: usize) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        let mut bytes = 0;
        for _ in 0..rounds {
            let mut buffer = [0; 4096];
            loop {
                let mut buffer = ReadBuf::new(&mut buffer);
                let read = Pin::new(&mut *connection).poll_read(&mut cx, &mut buffer);
                if read.is_pending() {
                    break;
                }
                bytes += buffer.filled().len();
            }
            connection.flush().await.unwrap();
        }
        bytes
    }

    #[tokio::test]
    async fn input_is_read_in_small_pieces() {
        let (mut connection, mut theirs) = pair(PATIENCE);
        theirs.write_all(&[b'x'; 500_000]).await.unwrap();
        assert_eq!(rounds(&mut connection, 1).await, READ_AT_ONCE);
        assert_eq!(rounds(&mut connection, 100).await, 500_000 - READ_AT_ONCE);
    }

    #[tokio::test]
    async fn what_comes_behind_a_request_waits_until_it_is_answered() {
        let (mut connection, mut theirs) = pair(PATIENCE);
        theirs.write_all(&[b'x'; 500_000]).await.unwrap();
        connection.progress.is_answering.set(true);
        let answering = Answering(connection.progress());
        assert_eq!(rounds(&mut connection, 100).await, READ_AHEAD);
        assert!(connection.is_held_back);
        drop(answering);
        // The bytes are already there, so no other event would wake the task.
        connection.flush().await.unwrap();
        assert!(!connection.is_held_back);
        assert_eq!(rounds(&mut connection, 100).await, 500_000 - READ_AHEAD);
    }

    #[tokio::test]
    async fn a_client_that_reads_no_answer_is_disconnected() {
        let patience = Timeouts {
            answer: Duration::ZERO,
            ..PATIENCE
        };
        let (mut connection, mut theirs) = pair(patience);
        theirs.write_all(b"more").await.unwrap();
        let error = connection.write_all(&[0; 2_000_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(rounds(&mut connection, 0).await, 0);
        assert!(connection.is_ahead());

        let mut taken = vec![0; 1024 * 1024];
        theirs.read_exact(&mut taken).await.unwrap();
        connection.flush().await.unwrap();
        assert_eq!(rounds(&mut connection, 1).await, 4);
    }

    #[tokio::test]
    async fn an_endless_head_closes_the_connection() {
        let patience = Timeouts {
            head: Duration::ZERO,
            ..PATIENCE
        };
        let (mut connection, mut theirs) = pair(patience);
        theirs.write_all(b"GET /").await.unwrap();
        let mut head = Vec::new();
        connection.read_to_end(&mut head).await.unwrap();
        assert_eq!(head, b"GET /");
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_but_one_awaiting_an_answer_is_not() {
        let patience = Timeouts {
            head: Duration::ZERO,
            idle: Duration::ZERO,
            ..PATIENCE
        };
        let (mut connection, mut theirs) = pair(patience);
        connection.progress.is_answering.set(true);
        let answering = Answering(connection.progress());
        theirs.write_all(b"body").await.unwrap();
        // It reads the body, and then nothing: not its end.
        assert_eq!(rounds(&mut connection, 1).await, 4);
        drop(answering);
        assert_eq!(connection.read(&mut [0]).await.unwrap(), 0);
    }
}
