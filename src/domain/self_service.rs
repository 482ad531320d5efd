//! What people may do without being asked: register, and create organizations.

use super::{AllowedDomains, Email, Invitation, JoinPolicy};

/// The operator's rules. Commands of the operator are not bound by them.
#[derive(Debug, Clone)]
pub struct SelfService {
    /// New accounts, except through a sign-in with Slack.
    pub registration: JoinPolicy,
    /// New organizations, except of Slack workspaces.
    pub organization_creation: JoinPolicy,
    /// New accounts through a sign-in with Slack.
    pub slack_registration: JoinPolicy,
    /// New organizations of Slack workspaces that have none.
    pub slack_organization_creation: JoinPolicy,
    /// The domains of the policy `domain`.
    pub domains: AllowedDomains,
    /// The ids of the only workspaces whose members may sign in; empty for all workspaces.
    pub slack_workspaces: Vec<String>,
}

impl SelfService {
    /// Whether someone may register without an invitation. `verified` is their address if it is verified.
    pub fn lets_register(&self, verified: Option<&Email>) -> bool {
        self.registration.lets_in(&self.domains, verified)
    }

    /// Whether the owner of the invited address may register. What the operator sent is a way in even if registration
    /// is closed; what a join policy sent is no invitation by a person, so it counts as the proof of an address only.
    pub fn lets_register_invited(&self, invitation: &Invitation) -> bool {
        if invitation.is_by_policy() {
            self.lets_register(Some(&invitation.email))
        } else {
            invitation.by_operator || self.registration != JoinPolicy::Closed
        }
    }

    /// Whether someone may create an organization. There are no invitations to create one: the operator does, and
    /// invites its first admin.
    pub fn lets_create_organization(&self, verified: Option<&Email>) -> bool {
        self.organization_creation.lets_in(&self.domains, verified)
    }

    pub fn lets_in_workspace(&self, team_id: &str) -> bool {
        self.slack_workspaces.is_empty() || self.slack_workspaces.iter().any(|id| id == team_id)
    }

    /// The address that Slack reports, where it counts as verified: the admins of a workspace can report any address,
    /// so the operator must have listed the workspace.
    pub fn verified_by_slack<'a>(&self, email: Option<&'a Email>) -> Option<&'a Email> {
        email.filter(|_| !self.slack_workspaces.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::{InvitationId, OrganizationId, Role, UserId};

    fn rules(policy: JoinPolicy) -> SelfService {
        SelfService {
            registration: policy,
            organization_creation: policy,
            slack_registration: policy,
            slack_organization_creation: policy,
            domains: AllowedDomains::parse(["acme.example"]).unwrap(),
            slack_workspaces: Vec::new(),
        }
    }

    #[test]
    fn an_invitation_opens_what_its_sender_may_open() {
        let invitation = |email: &str, invited_by, by_operator| Invitation {
            id: InvitationId::NIL,
            organization_id: OrganizationId::NIL,
            email: Email::parse(email).unwrap(),
            role: Role::Employee,
            invited_by,
            by_operator,
            email_number: 1,
            created_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH,
        };
        let member = invitation("bob@beta.example", Some(UserId::NIL), false);
        let operator = invitation("bob@beta.example", None, true);
        let policy = invitation("bob@acme.example", None, false);
        let elsewhere = invitation("bob@beta.example", None, false);
        for (rule, expected) in [
            (JoinPolicy::Open, [true, true, true, true]),
            (JoinPolicy::Domain, [true, true, true, false]),
            (JoinPolicy::Invite, [true, true, false, false]),
            (JoinPolicy::Closed, [false, true, false, false]),
        ] {
            let found = [&member, &operator, &policy, &elsewhere]
                .map(|invitation| rules(rule).lets_register_invited(invitation));
            assert_eq!(found, expected, "{rule}");
        }
    }

    #[test]
    fn slack_verifies_an_address_only_of_a_listed_workspace() {
        let ada = Email::parse("ada@acme.example").unwrap();
        let mut rules = rules(JoinPolicy::Domain);
        assert!(rules.lets_in_workspace("T1"));
        assert_eq!(rules.verified_by_slack(Some(&ada)), None);
        rules.slack_workspaces = vec!["T1".to_owned()];
        assert!(rules.lets_in_workspace("T1") && !rules.lets_in_workspace("T2"));
        assert_eq!(rules.verified_by_slack(Some(&ada)), Some(&ada));
    }
}
