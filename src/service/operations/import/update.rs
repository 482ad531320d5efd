//! Brings a person up to date who was imported before, or whose account was here: takes over what has changed in the
//! source, and nothing that has changed here.

use serde_json::json;

use super::fingerprint::{Digest, Fingerprint, Merge, Part, merge};
use super::lookups::Lookups;
use super::newcomer::Newcomer;
use super::organizations::Origin;
use super::report::{Outcome, Reason, RowReport};
use super::settled::{KnownPerson, MOST_LEVELS, report};
use crate::domain::audit::Action;
use crate::domain::{Change, Email, IdentityId, OrganizationId, Role, UserId};
use crate::service::mfa::secret::seal;
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::update::{change_role, disable_account, enable_account};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, Result};
use crate::store::users::Account;
use crate::store::{external_ids, identities, memberships, people, recovery_codes, totp, users};

pub(super) fn update(
    unit: &mut UnitOfWork<'_, '_>,
    origin: Origin<'_>,
    lookups: &Lookups,
    person: Box<KnownPerson>,
) -> Result<RowReport> {
    let KnownPerson {
        newcomer,
        known,
        places,
        fingerprint,
        has_joined,
    } = *person;
    let user_id = known.user_id;
    let Some(account) = users::lock_account(unit.tx, user_id)? else {
        // Deleted, and about to be gone.
        return Ok(report(newcomer, None, Outcome::Unchanged));
    };
    let is_linked = known.fingerprint.is_empty();
    let last = Fingerprint::parse(&known.fingerprint);
    let mut updating = Updating {
        lookups,
        last,
        has_own_password: account.password_changes > 0,
        account,
        newcomer,
        changed: Vec::new(),
    };
    if has_joined {
        unit.changed(Change::PersonChanged { user_id });
        updating
            .changed
            .push(Part::Role(OrganizationId::NIL).name());
    }
    let theirs: Vec<(Part, Digest)> = fingerprint
        .parts()
        .map(|(part, digest)| (part, digest.clone()))
        .collect();
    for (part, digest) in theirs {
        updating.merge(unit, part, &digest, &places)?;
    }
    let Updating {
        newcomer, changed, ..
    } = updating;
    if !is_linked {
        let text = fingerprint.text();
        external_ids::set_fingerprint(unit.tx, origin.source, &newcomer.external_id, &text)?;
    }
    if changed.is_empty() && !is_linked {
        return Ok(report(newcomer, Some(user_id), Outcome::Unchanged));
    }
    let place = places.first().map(|(id, _, _)| *id);
    let event = unit
        .event(Action::UserImported)
        .about(user_id)
        .within(place);
    let detail = json!({"importId": origin.run_id, "changed": changed, "linked": is_linked});
    unit.record(event.detail(detail))?;
    Ok(report(newcomer, Some(user_id), Outcome::Updated))
}

struct Updating<'a> {
    lookups: &'a Lookups,
    /// What was imported last.
    last: Fingerprint,
    /// Whether another password than the imported one was set here.
    has_own_password: bool,
    account: Account,
    newcomer: Newcomer,
    changed: Vec<&'static str>,
}

type Places = [(OrganizationId, Role, Option<UserId>)];

impl Updating<'_> {
    fn merge(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        part: Part,
        theirs: &Digest,
        places: &Places,
    ) -> Result<()> {
        let last = self.last.get(part).cloned();
        if last.as_ref() == Some(theirs) {
            return Ok(());
        }
        let ours = self.ours(unit, part)?;
        match merge(last.as_ref(), theirs, ours.as_ref()) {
            Merge::Same => {}
            Merge::Keep => self.keep(part),
            Merge::Take => {
                if self.take(unit, part, places)? {
                    self.changed.push(part.name());
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, part: Part) {
        self.newcomer.notes.push(Reason::kept(part.name()));
    }

    /// What is here, compared like what is imported; `None` for nothing.
    fn ours(&self, unit: &mut UnitOfWork<'_, '_>, part: Part) -> Result<Option<Digest>> {
        let (user, last) = (&self.account.user, self.last.get(part).cloned());
        Ok(match part {
            Part::Email => {
                let email = user.email.as_ref().map(Email::as_str);
                Some(Digest::of(email.unwrap_or_default()))
            }
            // Nobody's address becomes unverified.
            Part::Verified if !self.newcomer.is_verified => Some(Digest::of_flag(false)),
            Part::Verified => Some(Digest::of_flag(self.account.email_verified_at.is_some())),
            Part::Name => Some(Digest::of(user.name.as_str())),
            Part::Disabled => Some(Digest::of_flag(user.disabled_at.is_some())),
            // The hash changes with the first sign-in, and the password does not.
            Part::Password if !self.has_own_password && last.is_some() => last,
            Part::Password => {
                let text = self.account.password_hash.as_deref();
                text.map(Digest::of)
            }
            // They are only ever added.
            Part::Slack => last,
            Part::SecondFactor => {
                let is_enrolled = totp::is_enrolled(unit.tx, user.id)?;
                is_enrolled.then(|| Digest::of("enrolled here"))
            }
            Part::Role(id) => {
                let membership = memberships::find(unit.tx, user.id, id)?;
                membership.map(|it| Digest::of_role(it.role))
            }
            Part::Manager(id) => {
                let membership = memberships::find(unit.tx, user.id, id)?;
                membership.map(|it| Digest::of_manager(it.manager_id))
            }
        })
    }

    /// Takes over what the source says; returns whether anything was written.
    fn take(&mut self, unit: &mut UnitOfWork<'_, '_>, part: Part, places: &Places) -> Result<bool> {
        let (user_id, now) = (self.account.user.id, unit.now);
        let place = |id| places.iter().find(|(it, _, _)| *it == id).copied();
        match part {
            Part::Email => self.take_email(unit),
            Part::Verified => {
                if self.newcomer.email != self.account.user.email {
                    return Ok(false);
                }
                let verified = users::mark_email_verified(unit.tx, user_id, now)?;
                unit.announce(verified);
                Ok(true)
            }
            Part::Name => {
                let renamed = users::set_name(unit.tx, user_id, &self.newcomer.name, now)?;
                unit.announce(renamed);
                unit.changed(Change::PersonChanged { user_id });
                Ok(true)
            }
            Part::Disabled if self.newcomer.is_disabled => self.take_disabled(unit),
            Part::Disabled => {
                enable_account(unit, user_id)?;
                Ok(true)
            }
            Part::Password => {
                if let Some(hash) = &self.newcomer.password {
                    users::set_imported_password(unit.tx, user_id, &hash.to_string(), now)?;
                }
                Ok(self.newcomer.password.is_some())
            }
            Part::Slack => self.take_accounts(unit),
            Part::SecondFactor => self.take_second_factor(unit),
            Part::Role(id) => match place(id) {
                Some((_, role, _)) => self.take_role(unit, id, role),
                None => Ok(false),
            },
            Part::Manager(id) => match place(id) {
                Some((_, _, manager_id)) => self.take_manager(unit, id, manager_id),
                None => Ok(false),
            },
        }
    }

    fn take_email(&mut self, unit: &mut UnitOfWork<'_, '_>) -> Result<bool> {
        let (user_id, now) = (self.account.user.id, unit.now);
        let Some(email) = &self.newcomer.email else {
            return Ok(false);
        };
        if self
            .lookups
            .owner(email)
            .is_some_and(|owner| owner.id != user_id)
        {
            self.newcomer.notes.push(Reason::email_taken());
            return Ok(false);
        }
        let verified_at = self.newcomer.is_verified.then_some(now);
        let changed = users::set_email(unit.tx, user_id, email, verified_at, now)
            .map_err(Error::taken_email)?;
        unit.announce(changed);
        unit.changed(Change::PersonChanged { user_id });
        Ok(true)
    }

    fn take_disabled(&mut self, unit: &mut UnitOfWork<'_, '_>) -> Result<bool> {
        let user_id = self.account.user.id;
        for membership in memberships::list_of_user(unit.tx, user_id)? {
            match keep_an_admin(unit.tx, membership.organization_id, user_id) {
                Err(Error::LastAdmin) => {
                    self.newcomer.notes.push(Reason::last_admin());
                    return Ok(false);
                }
                other => other?,
            }
        }
        disable_account(unit, user_id)?;
        Ok(true)
    }

    fn take_accounts(&mut self, unit: &mut UnitOfWork<'_, '_>) -> Result<bool> {
        let user_id = self.account.user.id;
        let mut new = Vec::new();
        let mut is_taken = false;
        for account in &self.newcomer.slack {
            match self.lookups.holder(account) {
                None => new.push((
                    IdentityId::new(unit.now, unit.random()),
                    account.clone(),
                    user_id,
                )),
                Some(holder) => is_taken |= holder != user_id,
            }
        }
        if is_taken {
            self.newcomer.notes.push(Reason::linked_to_somebody_else());
        }
        identities::insert_all(unit.tx, &new, unit.now)?;
        Ok(!new.is_empty())
    }

    fn take_second_factor(&mut self, unit: &mut UnitOfWork<'_, '_>) -> Result<bool> {
        let user_id = self.account.user.id;
        let Some(secret) = &self.newcomer.totp else {
            return Ok(false);
        };
        let nonce = unit.random();
        let sealed = seal(secret, user_id, nonce, unit.keyring());
        // An enrolment that was begun here and not confirmed.
        totp::delete(unit.tx, user_id)?;
        totp::insert_confirmed(unit.tx, &[(user_id, sealed)], unit.now)?;
        let codes = &self.newcomer.recovery_codes;
        let hashes: Vec<String> = codes.iter().map(|code| code.hash(unit.keyring())).collect();
        let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
        recovery_codes::replace(unit.tx, user_id, &hashes)?;
        Ok(true)
    }

    fn take_role(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        organization_id: OrganizationId,
        role: Role,
    ) -> Result<bool> {
        let user_id = self.account.user.id;
        // Nobody comes back who was removed here.
        let Some(membership) = memberships::find(unit.tx, user_id, organization_id)? else {
            return Ok(false);
        };
        match change_role(unit, &membership, role) {
            Err(Error::LastAdmin) => {
                self.newcomer.notes.push(Reason::last_admin());
                Ok(false)
            }
            other => other.map(|()| true),
        }
    }

    fn take_manager(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        organization_id: OrganizationId,
        manager_id: Option<UserId>,
    ) -> Result<bool> {
        let user_id = self.account.user.id;
        let Some(membership) = memberships::find(unit.tx, user_id, organization_id)? else {
            return Ok(false);
        };
        if membership.manager_id == manager_id {
            return Ok(false);
        }
        if let Some(manager_id) = manager_id {
            if people::is_below(unit.tx, organization_id, user_id, manager_id)? {
                self.newcomer.notes.push(Reason::circle());
                return Ok(false);
            }
            let levels = people::levels_with(unit.tx, organization_id, manager_id, user_id)?;
            if levels > MOST_LEVELS {
                self.newcomer.notes.push(Reason::too_deep());
                return Ok(false);
            }
        }
        let moved =
            memberships::set_manager(unit.tx, user_id, organization_id, manager_id, unit.now)?;
        unit.announce(moved);
        unit.changed(Change::PersonChanged { user_id });
        Ok(true)
    }
}
