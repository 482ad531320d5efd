//! Which organization a name of the source is here.

use std::collections::HashMap;

use super::facts::Facts;
use super::report::Reason;
use crate::domain::audit::Action;
use crate::domain::{ImportId, JoinPolicy, OrganizationId, OrganizationName, Slug};
use crate::service::organizations::register::{insert_organization, insert_with_slug};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, Result};
use crate::store::{external_organizations, organizations};

/// How many names are remembered. Beyond that they are looked up again.
const REMEMBERED: usize = 10_000;

/// Finds organizations, and creates them.
pub(super) struct Organizations {
    join_policy: JoinPolicy,
    remembered: HashMap<String, std::result::Result<OrganizationId, Reason>>,
    created: u64,
}

/// Of which run they are.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub source: &'a str,
    pub run_id: ImportId,
}

/// What the source calls an organization.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    /// Slug or name.
    pub text: &'a str,
    /// The name, if the text is a slug.
    pub name: Option<&'a str>,
    pub may_create: bool,
}

impl Organizations {
    pub(super) fn new(join_policy: JoinPolicy) -> Self {
        Self {
            join_policy,
            remembered: HashMap::new(),
            created: 0,
        }
    }

    /// How many were created.
    pub(super) fn created(&self) -> u64 {
        self.created
    }

    /// Forgets what a transaction has found that was rolled back.
    pub(super) fn forget(&mut self) {
        self.remembered.clear();
    }

    /// The organization with this slug or name; a new one if there is none, it may be created, and somebody of the source
    /// could administer it.
    ///
    /// # Errors
    /// Within, why it is none.
    pub(super) fn find(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        origin: Origin<'_>,
        named: Named<'_>,
        facts: &Facts,
    ) -> Result<std::result::Result<OrganizationId, Reason>> {
        if let Some(found) = self.remembered.get(named.text) {
            return Ok(found.clone());
        }
        let found = match known(unit, origin, named.text)? {
            Some(id) => Ok(id),
            None if !named.may_create => Err(Reason::unknown_organization()),
            None => self.create(unit, origin, named, facts)?,
        };
        if self.remembered.len() == REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(named.text.to_owned(), found.clone());
        Ok(found)
    }

    fn create(
        &mut self,
        unit: &mut UnitOfWork<'_, '_>,
        origin: Origin<'_>,
        Named { text, name, .. }: Named<'_>,
        facts: &Facts,
    ) -> Result<std::result::Result<OrganizationId, Reason>> {
        let slug = name.and_then(|_| Slug::parse(text).ok());
        let Some(name) = OrganizationName::from_elsewhere(name.unwrap_or(text)) else {
            return Ok(Err(Reason::unusable_organization()));
        };
        if !facts.has_admin(text) {
            return Ok(Err(Reason::no_admin()));
        }
        let id = match slug.map(|slug| insert_with_slug(unit, name.clone(), slug, self.join_policy))
        {
            Some(Ok(organization)) => organization.id,
            // It is another one's alias, or reserved here.
            Some(Err(Error::SlugTaken | Error::Invalid(_))) | None => {
                insert_organization(unit, name, self.join_policy)?.id
            }
            Some(Err(error)) => return Err(error),
        };
        external_organizations::insert(unit.tx, (origin.source, text), id, Some(origin.run_id))?;
        let event = unit.event(Action::OrganizationFounded).within(id);
        unit.record(event.detail(serde_json::json!({"importId": origin.run_id})))?;
        self.created += 1;
        Ok(Ok(id))
    }
}

/// The organization that the text has named before, or that has it as its slug or as its name.
fn known(
    unit: &mut UnitOfWork<'_, '_>,
    origin: Origin<'_>,
    text: &str,
) -> Result<Option<OrganizationId>> {
    if let Some(id) = external_organizations::find(unit.tx, origin.source, text)? {
        return Ok(Some(id));
    }
    let found = match Slug::parse(text) {
        Ok(slug) => organizations::find_by_slug(unit.tx, &slug)?,
        Err(_) => None,
    };
    let found = match (found, OrganizationName::from_elsewhere(text)) {
        (None, Some(name)) => match Slug::suggested_by(&name) {
            Some(slug) => organizations::find_by_slug(unit.tx, &slug)?
                .filter(|there| there.name.as_str().to_lowercase() == name.as_str().to_lowercase()),
            None => None,
        },
        (found, _) => found,
    };
    let Some(id) = found.map(|organization| organization.id) else {
        return Ok(None);
    };
    external_organizations::insert(unit.tx, (origin.source, text), id, None)?;
    Ok(Some(id))
}
