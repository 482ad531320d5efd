//! The most recent e-mails, and waiting for the next one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::ports::mailer::Mail;

/// More than anyone reads.
const CAPACITY: usize = 200;

/// An e-mail that has arrived.
pub(super) struct ReceivedMail {
    /// From 1, in the order of arrival.
    pub number: u64,
    pub mail: Mail,
    /// The source, as sent to a server.
    pub source: String,
}

pub(super) struct Received {
    mails: Mutex<VecDeque<Arc<ReceivedMail>>>,
    /// How many have arrived in total.
    count: watch::Sender<u64>,
}

impl Received {
    pub(super) fn new() -> Self {
        Self {
            mails: Mutex::default(),
            count: watch::Sender::new(0),
        }
    }

    /// Adds an e-mail, and removes the oldest if the mailbox is full.
    pub(super) fn keep(&self, mail: Mail, source: Vec<u8>) {
        let mut mails = self.lock();
        let number = *self.count.borrow() + 1;
        if mails.len() == CAPACITY {
            mails.pop_front();
        }
        mails.push_back(Arc::new(ReceivedMail {
            number,
            mail,
            source: String::from_utf8_lossy(&source).into_owned(),
        }));
        drop(mails);
        self.count.send_replace(number);
    }

    /// Newest first.
    pub(super) fn list(&self) -> Vec<Arc<ReceivedMail>> {
        self.lock().iter().rev().cloned().collect()
    }

    pub(super) fn find(&self, number: u64) -> Option<Arc<ReceivedMail>> {
        self.lock()
            .iter()
            .find(|received| received.number == number)
            .cloned()
    }

    /// The newest e-mail to an address, or to any address, with a number above `after`.
    pub(super) fn newest(&self, to: Option<&str>, after: u64) -> Option<Arc<ReceivedMail>> {
        self.lock()
            .iter()
            .rev()
            .take_while(|received| received.number > after)
            .find(|received| to.is_none_or(|to| received.mail.to.as_str() == to))
            .cloned()
    }

    /// Like [`Self::newest`], but waits until there is one.
    pub(super) async fn wait_for_newest(&self, to: Option<&str>, after: u64) -> Arc<ReceivedMail> {
        let mut count = self.count.subscribe();
        loop {
            count.mark_unchanged();
            if let Some(newest) = self.newest(to, after) {
                return newest;
            }
            // The sender is part of `self`, so it outlives the wait.
            let _ = count.changed().await;
        }
    }

    /// A panic cannot leave the data inconsistent, so poisoning is ignored.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<ReceivedMail>>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::ids::EmailId;
    use crate::domain::{Email, MailSender};

    fn arrives(received: &Received, to: &str) {
        let address = |text| Email::parse(text).unwrap();
        let mail = Mail {
            id: EmailId::NIL,
            host: String::new(),
            date: DateTime::UNIX_EPOCH,
            from: MailSender {
                name: None,
                address: address("hallpass@acme.example"),
            },
            to: address(to),
            subject: String::new(),
            text: String::new(),
            html: String::new(),
        };
        received.keep(mail, Vec::new());
    }

    #[test]
    fn a_full_mailbox_drops_the_oldest_email() {
        let received = Received::new();
        for _ in 0..=CAPACITY {
            arrives(&received, "ada@acme.example");
        }
        let list = received.list();
        assert_eq!(list.len(), CAPACITY);
        assert_eq!(list[0].number, 201);
        assert!(received.find(1).is_none() && received.find(2).is_some());
    }

    #[test]
    fn the_newest_is_filtered_by_address_and_number() {
        let received = Received::new();
        for to in ["ada@acme.example", "bob@acme.example", "ada@acme.example"] {
            arrives(&received, to);
        }
        let newest = |to, after| received.newest(to, after).map(|mail| mail.number);
        assert_eq!(newest(None, 0), Some(3));
        assert_eq!(newest(Some("bob@acme.example"), 0), Some(2));
        assert_eq!(newest(Some("bob@acme.example"), 2), None);
        assert_eq!(newest(Some("eve@acme.example"), 0), None);
    }

    #[test]
    fn a_waiting_caller_gets_the_email_when_it_arrives() {
        let received = Received::new();
        let mut waiting = Box::pin(received.wait_for_newest(Some("ada@acme.example"), 1));
        assert!(waiting.as_mut().now_or_never().is_none());
        arrives(&received, "ada@acme.example");
        arrives(&received, "bob@acme.example");
        assert!(waiting.as_mut().now_or_never().is_none());
        arrives(&received, "ada@acme.example");
        assert_eq!(waiting.now_or_never().unwrap().number, 3);
    }
}
