//! What the database knows of the people of a batch, read with few queries, and kept up to date while the batch is judged.

use std::collections::{HashMap, HashSet};

use super::newcomer::{ManagerKey, Newcomer};
use super::settled::Settled;
use crate::domain::{Email, OrganizationId, SlackAccount, UserId};
use crate::service::Result;
use crate::store::external_ids::{self, KnownPerson};
use crate::store::{Tx, identities, people, users};

/// Whose an address is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub id: UserId,
    pub is_verified: bool,
    /// Whether the account came from the same source.
    pub is_of_source: bool,
}

pub(super) struct Lookups {
    known: HashMap<String, KnownPerson>,
    by_external_id: HashMap<String, UserId>,
    by_email: HashMap<String, Owner>,
    by_account: HashMap<SlackAccount, UserId>,
    taken_ids: HashSet<UserId>,
    /// How many levels of managers there are down to a member, themselves included.
    levels: HashMap<(OrganizationId, UserId), usize>,
}

impl Lookups {
    pub(super) fn read(tx: &mut Tx<'_>, source: &str, people: &[Settled]) -> Result<Self> {
        let managers = || people.iter().flat_map(|it| &it.places);
        let ids = people
            .iter()
            .map(|it| it.newcomer.external_id.as_str())
            .chain(managers().filter_map(|place| match &place.manager {
                Some(ManagerKey::ExternalId(id)) => Some(id.as_str()),
                Some(ManagerKey::Email(_)) | None => None,
            }));
        let ids: Vec<&str> = distinct(ids);
        let known = external_ids::list_known(tx, source, &ids)?;
        let emails = people
            .iter()
            .filter_map(|it| it.newcomer.email.as_ref())
            .chain(managers().filter_map(|place| match &place.manager {
                Some(ManagerKey::Email(email)) => Some(email),
                Some(ManagerKey::ExternalId(_)) | None => None,
            }));
        let emails: Vec<&str> = distinct(emails.map(Email::as_str));
        let owners = users::list_by_email(tx, &emails)?;
        let owner_ids: Vec<UserId> = owners.iter().map(|(_, id, _)| *id).collect();
        let of_source: HashSet<UserId> = external_ids::list_from(tx, source, &owner_ids)?
            .into_iter()
            .collect();
        let accounts: Vec<SlackAccount> = people
            .iter()
            .flat_map(|it| it.newcomer.slack.iter().cloned())
            .collect();
        let own_ids: Vec<UserId> = people
            .iter()
            .filter_map(|it| it.newcomer.own_id())
            .collect();
        let mut lookups = Self {
            by_external_id: known
                .iter()
                .map(|(id, known)| (id.clone(), known.user_id))
                .collect(),
            known: known.into_iter().collect(),
            by_email: owners
                .into_iter()
                .map(|(email, id, is_verified)| {
                    let is_of_source = of_source.contains(&id);
                    let owner = Owner {
                        id,
                        is_verified,
                        is_of_source,
                    };
                    (email.as_str().to_owned(), owner)
                })
                .collect(),
            by_account: identities::list_linked(tx, &accounts)?
                .into_iter()
                .collect(),
            taken_ids: users::list_taken_ids(tx, &own_ids)?.into_iter().collect(),
            levels: HashMap::new(),
        };
        lookups.read_levels(tx, people)?;
        Ok(lookups)
    }

    /// Reads how far below the top those are who are members already: managers, and people who were imported before.
    fn read_levels(&mut self, tx: &mut Tx<'_>, people: &[Settled]) -> Result<()> {
        let mut wanted: HashMap<OrganizationId, HashSet<UserId>> = HashMap::new();
        for person in people {
            let known = self.known.get(&person.newcomer.external_id);
            let owner = || {
                self.owner(person.newcomer.email.as_ref()?)
                    .map(|owner| owner.id)
            };
            let own_id = known.map(|known| known.user_id).or_else(owner);
            for place in &person.places {
                let manager_id = place.manager.as_ref().and_then(|key| self.find(key));
                let ids = wanted.entry(place.organization_id).or_default();
                ids.extend(own_id.into_iter().chain(manager_id));
            }
        }
        for (organization_id, ids) in wanted {
            let ids: Vec<UserId> = ids.into_iter().collect();
            for (id, level) in people::levels(tx, organization_id, &ids)? {
                self.levels.insert((organization_id, id), level);
            }
        }
        Ok(())
    }

    /// The person who was imported with this id, once.
    pub(super) fn take_known(&mut self, external_id: &str) -> Option<KnownPerson> {
        self.known.remove(external_id)
    }

    pub(super) fn owner(&self, email: &Email) -> Option<Owner> {
        self.by_email.get(email.as_str()).copied()
    }

    /// To whom an account at Slack leads.
    pub(super) fn holder(&self, account: &SlackAccount) -> Option<UserId> {
        self.by_account.get(account).copied()
    }

    /// Whether nobody has the id; from now on somebody has.
    pub(super) fn claim_id(&mut self, id: UserId) -> bool {
        self.taken_ids.insert(id)
    }

    /// Adds a person whose account is about to be created.
    pub(super) fn remember(&mut self, newcomer: &Newcomer, id: UserId) {
        self.by_external_id.insert(newcomer.external_id.clone(), id);
        if let Some(email) = &newcomer.email {
            let owner = Owner {
                id,
                is_verified: newcomer.is_verified,
                is_of_source: true,
            };
            self.by_email.insert(email.as_str().to_owned(), owner);
        }
        for account in &newcomer.slack {
            self.by_account.insert(account.clone(), id);
        }
    }

    /// Adds a membership that is about to be.
    pub(super) fn add_member(&mut self, id: UserId, organization_id: OrganizationId, level: usize) {
        self.levels.entry((organization_id, id)).or_insert(level);
    }

    /// On which level a member is; `None` for somebody who is none.
    pub(super) fn level(&self, id: UserId, organization_id: OrganizationId) -> Option<usize> {
        self.levels.get(&(organization_id, id)).copied()
    }

    fn find(&self, key: &ManagerKey) -> Option<UserId> {
        match key {
            ManagerKey::Email(email) => self.owner(email).map(|owner| owner.id),
            ManagerKey::ExternalId(id) => self.by_external_id.get(id).copied(),
        }
    }

    /// A member of the organization, and on which level they are.
    pub(super) fn member(
        &self,
        key: &ManagerKey,
        organization_id: OrganizationId,
    ) -> Option<(UserId, usize)> {
        let id = self.find(key)?;
        Some((id, self.level(id, organization_id)?))
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    texts.filter(|text| seen.insert(*text)).collect()
}
