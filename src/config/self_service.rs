//! Who may register and create organizations without being asked.

use super::reader::Reader;
use super::setting_error::{Problem, quoted};
use super::settings::{
    ORGANIZATION_CREATION, REGISTRATION, REGISTRATION_DOMAINS, SLACK_ORGANIZATION_CREATION,
    SLACK_REGISTRATION, SLACK_WORKSPACES, Setting,
};
use super::values::join_policy;
use crate::domain::slack::is_slack_id;
use crate::domain::{AllowedDomains, JoinPolicy, SelfService};

const LIST_DOMAINS: &str = "List domains such as example.com.";

const LIST_WORKSPACES: &str = "List ids of workspaces such as T0123ABCD.";

/// `None` only after an error.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<SelfService> {
    let registration = reader.value(&REGISTRATION, join_policy);
    let organization_creation = reader.value(&ORGANIZATION_CREATION, join_policy);
    let domains = reader.value(&REGISTRATION_DOMAINS, |text| {
        let domains = AllowedDomains::parse(entries(text, LIST_DOMAINS)?);
        domains.map_err(|error| {
            let why = format!("{} is not a list of domains.", quoted(text));
            Problem::new(why, error.message)
        })
    });
    let slack_workspaces = reader.value(&SLACK_WORKSPACES, |text| {
        let ids = entries(text, LIST_WORKSPACES)?;
        match ids.iter().find(|id| !is_slack_id(id)) {
            None => Ok(ids.into_iter().map(str::to_owned).collect()),
            Some(other) => {
                let why = format!("{} is not the id of a workspace.", quoted(other));
                Err(Problem::new(why, LIST_WORKSPACES))
            }
        }
    });
    let slack_registration = reader.value(&SLACK_REGISTRATION, join_policy);
    let slack_organization_creation = reader.value(&SLACK_ORGANIZATION_CREATION, join_policy);
    let of_slack = [
        (&SLACK_REGISTRATION, slack_registration),
        (&SLACK_ORGANIZATION_CREATION, slack_organization_creation),
    ];
    let others = [
        (&REGISTRATION, registration),
        (&ORGANIZATION_CREATION, organization_creation),
    ];
    let all = [others, of_slack].concat();
    require_for_domain(reader, &REGISTRATION_DOMAINS, &all, LIST_DOMAINS);
    // Because the admins of a workspace can give its members any address.
    require_for_domain(reader, &SLACK_WORKSPACES, &of_slack, LIST_WORKSPACES);
    Some(SelfService {
        registration: registration?,
        organization_creation: organization_creation?,
        slack_registration: slack_registration?,
        slack_organization_creation: slack_organization_creation?,
        domains: domains.unwrap_or_default(),
        slack_workspaces: slack_workspaces.unwrap_or_default(),
    })
}

/// At least one, because none could be taken for all.
fn entries<'a>(text: &'a str, hint: &str) -> Result<Vec<&'a str>, Problem> {
    let entries = text.split(',').map(str::trim);
    let entries: Vec<&str> = entries.filter(|entry| !entry.is_empty()).collect();
    if entries.is_empty() {
        return Err(Problem::new("It lists nothing.", hint));
    }
    Ok(entries)
}

/// Reports a missing setting if one of the policies is `domain`.
fn require_for_domain(
    reader: &mut Reader<'_>,
    missing: &Setting,
    policies: &[(&Setting, Option<JoinPolicy>)],
    hint: &str,
) {
    let is_domain = |(_, policy): &&(&Setting, _)| *policy == Some(JoinPolicy::Domain);
    if let Some((setting, _)) = policies.iter().find(is_domain)
        && !reader.is_given(missing)
    {
        let why = format!("It is required because {} is domain.", setting.name);
        reader.report(missing, Problem::new(why, hint));
    }
}
