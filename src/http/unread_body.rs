//! Closes connections whose request body was not read to its end.
//!
//! Once the reader of a chunked body is dropped, actix-http goes on reading and discarding the body without a
//! deadline: a client that sends a byte now and then keeps its connection open. If the reader still exists when the
//! answer is sent, actix-http closes the connection instead. So we keep the reader alive.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::rt;
use actix_web::web::Bytes;
use futures_util::Stream;

/// The real reader of a chunked body; handlers get one that reads through it.
pub(super) struct Reader(Rc<RefCell<Payload>>);

impl Reader {
    /// `None` for a body of declared length or no body, which actix-http does not go on reading.
    pub(super) fn of(request: &mut ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return None;
        }
        let reader = Rc::new(RefCell::new(request.take_payload()));
        request.set_payload(Payload::Stream {
            payload: Box::pin(ReadThrough(Rc::clone(&reader))),
        });
        Some(Self(reader))
    }

    /// Drops the reader after the answer is sent: this task sends it before another one runs.
    pub(super) fn outlive_the_answer(self) {
        rt::spawn(async move { drop(self.0) });
    }
}

struct ReadThrough(Rc<RefCell<Payload>>);

impl Stream for ReadThrough {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}
