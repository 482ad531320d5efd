//! Which members of an organization a member may see, and what they may do to them.

use super::Role;

/// Which members a role may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Oneself,
    /// Oneself and all direct and indirect reports.
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

/// The relationship of a caller to another member of the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relationship {
    Admin,
    /// A direct or indirect manager.
    Superior,
    Oneself,
    /// A service with an API token of the member.
    TheirService,
    Outsider,
}

/// What a caller may do to a member.
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
