//! Writes some people in one transaction.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::facts::Facts;
use super::fingerprint::{Fingerprint, Part};
use super::lookups::Lookups;
use super::newcomer::Newcomer;
use super::organizations::{Named, Organizations, Origin};
use super::report::{Outcome, Reason, RowReport};
use super::settled::{Fate, KnownPerson, MOST_LEVELS, Place, Settled, report};
use super::update::update;
use crate::domain::audit::Action;
use crate::domain::import::{ImportRefusal, OnConflict};
use crate::domain::{
    IdentityId, ImportId, JoinPolicy, Membership, OrganizationId, Role, SlackAccount, User, UserId,
};
use crate::service::mfa::secret::seal;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, Result};
use crate::store::external_ids::NewExternalId;
use crate::store::users::ImportedAccount;
use crate::store::{external_ids, identities, memberships, recovery_codes, totp, users, webhooks};

/// What all batches of a run have in common.
pub(super) struct Writer {
    pub source: String,
    pub run_id: ImportId,
    pub on_conflict: OnConflict,
    /// The only organization whose people are imported.
    pub only: Option<OrganizationId>,
    pub facts: Facts,
    pub organizations: Organizations,
}

impl Writer {
    pub(super) fn new(
        (run_id, source): (ImportId, String),
        on_conflict: OnConflict,
        only: Option<OrganizationId>,
        facts: Facts,
        join_policy: JoinPolicy,
    ) -> Self {
        Self {
            source,
            run_id,
            on_conflict,
            only,
            facts,
            organizations: Organizations::new(join_policy),
        }
    }

    /// Writes people, managers before their reports. Returns what came of each.
    ///
    /// # Errors
    /// `Import(Conflict)` if the run is to stop at one; when the database fails.
    pub(super) fn write(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        people: Vec<Newcomer>,
    ) -> Result<Vec<RowReport>> {
        let mut settled = Vec::with_capacity(people.len());
        for newcomer in people {
            settled.push(self.settle(unit, newcomer)?);
        }
        let lookups = Lookups::read(unit.tx, &self.source, &settled)?;
        let mut batch = Batch {
            lookups,
            new: New::default(),
        };
        let mut reports = Vec::with_capacity(settled.len());
        let mut later = Vec::new();
        for person in settled {
            match batch.judge(unit, self, person)? {
                Judged::Done(report) => reports.push(report),
                Judged::Known(person) => later.push(person),
            }
        }
        // First, because those who are known may report to somebody new.
        std::mem::take(&mut batch.new).insert(unit, self)?;
        for person in later {
            reports.push(update(unit, self.origin(), &batch.lookups, person)?);
        }
        Ok(reports)
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            source: &self.source,
            run_id: self.run_id,
        }
    }

    /// Finds the organizations of a person.
    fn settle(&mut self, unit: &mut UnitOfWork<'_, '_>, mut newcomer: Newcomer) -> Result<Settled> {
        let origin = Origin {
            source: &self.source,
            run_id: self.run_id,
        };
        let wanted = std::mem::take(&mut newcomer.memberships);
        let has_any = !wanted.is_empty();
        let mut places: Vec<Place> = Vec::with_capacity(wanted.len());
        let mut refusals = Vec::new();
        for it in &wanted {
            let named = Named {
                text: &it.organization,
                name: it.organization_name.as_deref(),
                may_create: it.create && self.only.is_none(),
            };
            match self.organizations.find(unit, origin, named, &self.facts)? {
                Ok(id) if self.only.is_some_and(|only| only != id) => {}
                Ok(id) if places.iter().any(|place| place.organization_id == id) => {}
                Ok(id) => places.push(Place::of(id, it)),
                Err(reason) => refusals.push(reason),
            }
        }
        let fate = if places.is_empty() && self.only.is_some() {
            Fate::Skipped
        } else if places.is_empty() && has_any {
            match refusals.into_iter().next() {
                Some(reason) => Fate::Refused(reason),
                None => Fate::Open,
            }
        } else {
            newcomer.notes.extend(refusals);
            Fate::Open
        };
        Ok(Settled {
            newcomer,
            places,
            fate,
        })
    }
}

enum Judged {
    Done(RowReport),
    Known(Box<KnownPerson>),
}

struct Batch {
    lookups: Lookups,
    new: New,
}

impl Batch {
    fn judge(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        writer: &Writer,
        settled: Settled,
    ) -> Result<Judged> {
        let Settled {
            newcomer,
            places,
            fate,
        } = settled;
        let refused = |newcomer: Newcomer, reason| {
            let id = newcomer.has_external_id.then_some(newcomer.external_id);
            Ok(Judged::Done(RowReport::refused(newcomer.row, id, reason)))
        };
        match fate {
            Fate::Open => {}
            Fate::Skipped => return Ok(Judged::Done(report(newcomer, None, Outcome::Skipped))),
            Fate::Refused(reason) => return refused(newcomer, reason),
        }
        let mut newcomer = newcomer;
        if let Some(known) = self.lookups.take_known(&newcomer.external_id) {
            let places = self.resolve(&places, Of::Known(known.user_id), &mut newcomer.notes);
            let fingerprint = newcomer.fingerprint(places.iter().copied());
            if fingerprint.text() == known.fingerprint {
                let id = Some(known.user_id);
                return Ok(Judged::Done(report(newcomer, id, Outcome::Unchanged)));
            }
            return Ok(Judged::Known(Box::new(self.known(
                newcomer,
                known,
                places,
                fingerprint,
            ))));
        }
        let owner = match self.claim(writer, &newcomer) {
            Ok(owner) => owner,
            Err(Conflict::Refuse(reason)) => return refused(newcomer, reason),
            Err(Conflict::Stop) => {
                let row = newcomer.row;
                return Err(ImportRefusal::Conflict { row }.into());
            }
        };
        self.drop_taken_accounts(owner, &mut newcomer);
        if newcomer.email.is_none() && newcomer.slack.is_empty() {
            return refused(newcomer, Reason::slack_taken());
        }
        if let Some(user_id) = owner {
            let places = self.resolve(&places, Of::Known(user_id), &mut newcomer.notes);
            let fingerprint = newcomer.fingerprint(places.iter().copied());
            self.new.link(&newcomer, user_id, &fingerprint);
            let known = external_ids::KnownPerson {
                user_id,
                fingerprint: String::new(),
            };
            return Ok(Judged::Known(Box::new(self.known(
                newcomer,
                known,
                places,
                fingerprint,
            ))));
        }
        let created_at = newcomer.created_at.unwrap_or(unit.now);
        let free_id = newcomer.own_id().filter(|id| self.lookups.claim_id(*id));
        let user_id = free_id.unwrap_or_else(|| UserId::new(created_at, unit.random()));
        let places = self.resolve(&places, Of::New(user_id), &mut newcomer.notes);
        self.lookups.remember(&newcomer, user_id);
        self.new.add(unit, &newcomer, user_id, places);
        Ok(Judged::Done(report(
            newcomer,
            Some(user_id),
            Outcome::Created,
        )))
    }

    /// A person whose account is here, with the memberships that are new in the source: they are inserted with the others
    /// of the batch, because newcomers may report to this person.
    fn known(
        &mut self,
        newcomer: Newcomer,
        known: external_ids::KnownPerson,
        places: Vec<(OrganizationId, Role, Option<UserId>)>,
        fingerprint: Fingerprint,
    ) -> KnownPerson {
        let user_id = known.user_id;
        let last = Fingerprint::parse(&known.fingerprint);
        let mut has_joined = false;
        for &(organization_id, role, manager_id) in &places {
            let is_new = last.get(Part::Role(organization_id)).is_none();
            if !is_new || self.lookups.level(user_id, organization_id).is_some() {
                continue;
            }
            let above = manager_id.and_then(|id| self.lookups.level(id, organization_id));
            let level = above.unwrap_or_default() + 1;
            self.lookups.add_member(user_id, organization_id, level);
            self.new.memberships.push(Membership {
                user_id,
                organization_id,
                role,
                manager_id,
            });
            has_joined = true;
        }
        KnownPerson {
            newcomer,
            known,
            places,
            fingerprint,
            has_joined,
        }
    }

    /// Whose account the person's is to become; `None` for a new one.
    fn claim(
        &self,
        writer: &Writer,
        newcomer: &Newcomer,
    ) -> std::result::Result<Option<UserId>, Conflict> {
        let Some(owner) = newcomer
            .email
            .as_ref()
            .and_then(|email| self.lookups.owner(email))
        else {
            return Ok(None);
        };
        if owner.is_of_source {
            return Err(Conflict::Refuse(Reason::email_twice()));
        }
        match writer.on_conflict {
            OnConflict::Fail => Err(Conflict::Stop),
            OnConflict::Skip => Err(Conflict::Refuse(Reason::email_taken())),
            OnConflict::Update if newcomer.is_verified && owner.is_verified => Ok(Some(owner.id)),
            OnConflict::Update => Err(Conflict::Refuse(Reason::email_not_verified())),
        }
    }

    /// Leaves out accounts at Slack that lead to somebody else.
    fn drop_taken_accounts(&mut self, owner: Option<UserId>, newcomer: &mut Newcomer) {
        let before = newcomer.slack.len();
        let lookups = &self.lookups;
        newcomer.slack.retain(|account| {
            let holder = lookups.holder(account);
            holder.is_none() || holder == owner
        });
        if newcomer.slack.len() < before {
            newcomer.notes.push(Reason::linked_to_somebody_else());
        }
    }

    /// The memberships with the ids of managers. A manager who is no member, or too far below the top, is left out.
    fn resolve(
        &mut self,
        places: &[Place],
        of: Of,
        notes: &mut Vec<Reason>,
    ) -> Vec<(OrganizationId, Role, Option<UserId>)> {
        let (Of::New(user_id) | Of::Known(user_id)) = of;
        let mut resolved = Vec::with_capacity(places.len());
        for place in places {
            let id = place.organization_id;
            let mut manager_id = None;
            let mut level = 1;
            if let Some(key) = &place.manager {
                match self.lookups.member(key, id) {
                    None => notes.push(Reason::unknown_manager()),
                    Some((it, _)) if it == user_id => notes.push(Reason::circle()),
                    Some((_, above)) if above >= MOST_LEVELS => notes.push(Reason::too_deep()),
                    Some((it, above)) => (manager_id, level) = (Some(it), above + 1),
                }
            } else if place.has_unusable_manager {
                notes.push(Reason::unknown_manager());
            }
            if let Of::New(user_id) = of {
                self.lookups.add_member(user_id, id, level);
            }
            resolved.push((id, place.role, manager_id));
        }
        resolved
    }
}

/// Whose memberships are resolved.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// Somebody who is about to be a member.
    New(UserId),
    /// Somebody who may have been removed here.
    Known(UserId),
}

enum Conflict {
    Refuse(Reason),
    Stop,
}

/// Rows to be inserted.
#[derive(Default)]
struct New {
    accounts: Vec<ImportedAccount>,
    external_ids: Vec<NewExternalId>,
    memberships: Vec<Membership>,
    identities: Vec<(IdentityId, SlackAccount, UserId)>,
    authenticators: Vec<(UserId, totp::Sealed)>,
    recovery_codes: Vec<(UserId, String)>,
    /// In which organization's log each of them is.
    logged: HashMap<UserId, Option<OrganizationId>>,
    linked: HashSet<UserId>,
}

impl New {
    /// A person with an account of their own.
    fn add(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        newcomer: &Newcomer,
        user_id: UserId,
        places: Vec<(OrganizationId, Role, Option<UserId>)>,
    ) {
        let fingerprint = newcomer.fingerprint(places.iter().copied());
        let now = unit.now;
        self.external_ids.push(NewExternalId {
            external_id: newcomer.external_id.clone(),
            user_id,
            run_id: None,
            fingerprint: fingerprint.text(),
        });
        let mut user = User::new(now, [0; 10], newcomer.email.clone(), newcomer.name.clone());
        user.id = user_id;
        user.created_at = newcomer.created_at.unwrap_or(now);
        user.disabled_at = newcomer.is_disabled.then_some(now);
        self.accounts.push(ImportedAccount {
            user,
            first_name: newcomer.first_name.clone(),
            last_name: newcomer.last_name.clone(),
            password_hash: newcomer.password.as_ref().map(ToString::to_string),
            email_verified_at: newcomer.is_verified.then_some(now),
        });
        self.logged
            .insert(user_id, places.first().map(|(id, _, _)| *id));
        for (organization_id, role, manager_id) in places {
            self.memberships.push(Membership {
                user_id,
                organization_id,
                role,
                manager_id,
            });
        }
        for account in &newcomer.slack {
            let id = IdentityId::new(now, unit.random());
            self.identities.push((id, account.clone(), user_id));
        }
        if let Some(secret) = &newcomer.totp {
            let nonce = unit.random();
            let sealed = seal(secret, user_id, nonce, unit.keyring());
            self.authenticators.push((user_id, sealed));
            let hashes = newcomer
                .recovery_codes
                .iter()
                .map(|code| code.hash(unit.keyring()));
            let distinct: HashSet<String> = hashes.collect();
            self.recovery_codes
                .extend(distinct.into_iter().map(|hash| (user_id, hash)));
        }
    }

    /// A person whose account was here before.
    fn link(&mut self, newcomer: &Newcomer, user_id: UserId, fingerprint: &Fingerprint) {
        self.linked.insert(user_id);
        self.external_ids.push(NewExternalId {
            external_id: newcomer.external_id.clone(),
            user_id,
            run_id: None,
            fingerprint: fingerprint.text(),
        });
    }

    fn insert(mut self, unit: &mut UnitOfWork<'_, '_>, writer: &Writer) -> Result<()> {
        let now = unit.now;
        // Rows next to each other are written faster.
        self.accounts
            .sort_unstable_by_key(|account| account.user.id);
        self.external_ids
            .sort_unstable_by(|a, b| a.external_id.cmp(&b.external_id));
        let created =
            users::insert_imported(unit.tx, &self.accounts, now).map_err(Error::taken_email)?;
        for new in &mut self.external_ids {
            new.run_id = (!self.linked.contains(&new.user_id)).then_some(writer.run_id);
        }
        external_ids::insert_all(unit.tx, &writer.source, &self.external_ids, now)?;
        let added = memberships::insert_all(unit.tx, &self.memberships, now)?;
        identities::insert_all(unit.tx, &self.identities, now)?;
        totp::insert_confirmed(unit.tx, &self.authenticators, now)?;
        recovery_codes::insert_all(unit.tx, &self.recovery_codes)?;
        let places: HashSet<OrganizationId> = self
            .memberships
            .iter()
            .map(|it| it.organization_id)
            .collect();
        let places: Vec<OrganizationId> = places.into_iter().collect();
        if webhooks::exist_in(unit.tx, &places)? {
            unit.announce(created);
            added.into_iter().for_each(|it| unit.announce(it));
        }
        let mut events = Vec::with_capacity(self.accounts.len());
        for account in &self.accounts {
            let user_id = account.user.id;
            let event = unit.event(Action::UserImported).about(user_id);
            let place = self.logged.get(&user_id).copied().flatten();
            events.push(
                event
                    .within(place)
                    .detail(json!({"importId": writer.run_id})),
            );
        }
        unit.record_all(events)?;
        Ok(())
    }
}
