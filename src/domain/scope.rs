//! Whom a member of an organization may see, and what they may do to them.

use super::Role;

/// How far a role sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Oneself,
    /// Oneself and everybody below, at whatever distance.
    Reports,
    Organization,
}

impl Scope {
    pub fn of(role: Role) -> Self {
        match role {
            Role::Employee => Self::Oneself,
            Role::Manager => Self::Reports,
            Role::Admin => Self::Organization,
        }
    }
}

/// What a caller is to somebody in the same organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relationship {
    Admin,
    /// A manager above them, at whatever distance.
    Superior,
    Oneself,
    /// A service with a token of theirs.
    TheirService,
    Outsider,
}

/// What is done to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    See,
    Rename,
    /// Role, manager, deactivation, removal.
    Administer,
}

impl Relationship {
    /// The table of rights; `docs/API.md` shows it to clients.
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
    fn a_role_sees_no_further_than_its_scope() {
        assert_eq!(Scope::of(Role::Employee), Scope::Oneself);
        assert_eq!(Scope::of(Role::Manager), Scope::Reports);
        assert_eq!(Scope::of(Role::Admin), Scope::Organization);
    }

    #[test]
    fn only_admins_administer_and_a_service_changes_nothing_of_its_owner() {
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
