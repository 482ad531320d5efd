//! Proof that an account's e-mail address is its owner's.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Result, Services, one_time};
use crate::crypto::opaque::Opaque;
use crate::domain::{Email, Letter, User, UserId, lifetimes};
use crate::store::Tx;
use crate::store::one_time_tokens::Purpose;
use crate::store::outbox::{self, NewLetter};

/// A letter with a link, and what is kept of the link.
pub(super) struct Verification {
    user_id: UserId,
    address: ProvedAddress,
    secret: Opaque,
    letter: NewLetter,
}

/// What the link proves; the account may have another address by then.
#[derive(Serialize, Deserialize)]
struct ProvedAddress {
    email: String,
}

impl Services {
    /// The letter that asks `user` to prove `email`; the transaction of its cause sends it.
    pub(super) fn verification(
        &self,
        now: DateTime<Utc>,
        user: &User,
        email: &Email,
    ) -> Verification {
        let secret = Opaque::new(self.random());
        let letter = Letter::VerifyEmail {
            name: user.name.to_string(),
            token: secret.expose().to_owned(),
        };
        Verification {
            user_id: user.id,
            address: ProvedAddress {
                email: email.to_string(),
            },
            letter: self.letter(now, email.clone(), &letter),
            secret,
        }
    }
}

impl Verification {
    /// In place of every earlier link.
    pub(super) fn send(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<()> {
        let until = (now, lifetimes::VERIFICATION_LINK);
        let (secret, purpose) = (&self.secret, Purpose::VerifyEmail);
        one_time::supersede(tx, secret, purpose, self.user_id, &self.address, until)?;
        outbox::insert(tx, &self.letter)?;
        Ok(())
    }
}
