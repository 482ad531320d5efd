//! The letter that invites, and the link in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::crypto::opaque::Opaque;
use crate::domain::{
    Email, EmailMessage, Invitation, InvitationId, OrganizationName, PersonName, Role,
};
use crate::service::mail::rate_limit;
use crate::service::{Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::outbox::{self, NewEmail};
use crate::store::{Tx, invitations};

/// What is kept of a link.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct Kept {
    pub invitation_id: InvitationId,
    /// Which of the invitation's letters it was in.
    pub letter: i32,
}

/// A letter with a link.
pub(in crate::service) struct InvitingLetter {
    secret: Opaque,
    letter: NewEmail,
}

impl InvitingLetter {
    pub fn new(
        services: &Services,
        now: DateTime<Utc>,
        to: &Email,
        organization: &OrganizationName,
        inviter: Option<&PersonName>,
        role: Role,
    ) -> Self {
        let secret = Opaque::new(services.random());
        let letter = EmailMessage::Invitation {
            organization: organization.to_string(),
            inviter: inviter.map(ToString::to_string),
            role,
            token: secret.expose().to_owned(),
        };
        Self {
            letter: services.letter(now, to.clone(), &letter),
            secret,
        }
    }

    /// Sends it, in the transaction that made or renewed the invitation. Its link outdates those of earlier letters.
    pub fn send(&self, tx: &mut Tx<'_>, invitation: &Invitation) -> Result<()> {
        // Then the link of the letter before stays good.
        if !rate_limit::may_send(tx, &self.letter)? {
            return Ok(());
        }
        let kept = Kept {
            invitation_id: invitation.id,
            letter: invitations::count_letter(tx, invitation.id)?,
        };
        let until = invitation.expires_at;
        one_time::issue(tx, &self.secret, Purpose::Invitation, None, &kept, until)?;
        outbox::insert(tx, &self.letter)?;
        Ok(())
    }
}
