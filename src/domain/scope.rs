//! Which members of an organization a member may see, and what they may do to them.

use super::{Role, UserId};

/// The people of an organization whom a member may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Oneself(UserId),
    /// This person and everybody who reports to them, directly or not.
    Reports(UserId),
    Organization,
}

impl Scope {
    pub fn of(role: Role, user_id: UserId) -> Self {
        match role {
            Role::Employee => Self::Oneself(user_id),
            Role::Manager => Self::Reports(user_id),
            Role::Admin => Self::Organization,
        }
    }

    /// Everything the scope includes, in the words of the API.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Oneself(_) => &["self"],
            Self::Reports(_) => &["self", "reports"],
            Self::Organization => &["self", "reports", "organization"],
        }
    }
}

/// What a caller is to another member of the same organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relationship {
    Admin,
    /// A direct or indirect manager of theirs.
    Superior,
    Oneself,
    /// A service with an API token of the member.
    TheirService,
    Outsider,
}

/// What is done to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    See,
    Rename,
    /// Role, manager, deactivation, removal.
    Administer,
}

impl Relationship {
    /// The permission table, which `docs/API.md` documents for clients.
    pub fn may(self, permission: Permission) -> bool {
        match (self, permission) {
            (Self::Admin, _)
            | (Self::Superior | Self::Oneself, Permission::See | Permission::Rename)
            | (Self::TheirService, Permission::See) => true,
            (Self::Superior | Self::Oneself, Permission::Administer)
            | (Self::TheirService, Permission::Rename | Permission::Administer)
            | (Self::Outsider, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_sees_more() {
        let words = |role| Scope::of(role, UserId::NIL).words();
        assert_eq!(words(Role::Employee), ["self"]);
        assert_eq!(words(Role::Manager), ["self", "reports"]);
        assert_eq!(words(Role::Admin), ["self", "reports", "organization"]);
    }

    #[test]
    fn only_admins_administer_and_a_service_does_not_change_its_owner() {
        let rights = |relationship: Relationship| {
            [Permission::See, Permission::Rename, Permission::Administer]
                .map(|permission| relationship.may(permission))
        };
        assert_eq!(rights(Relationship::Admin), [true, true, true]);
        assert_eq!(rights(Relationship::Superior), [true, true, false]);
        assert_eq!(rights(Relationship::Oneself), [true, true, false]);
        assert_eq!(rights(Relationship::TheirService), [true, false, false]);
        assert_eq!(rights(Relationship::Outsider), [false, false, false]);
    }
}
