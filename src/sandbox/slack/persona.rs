//! The sandbox's personas: one for each special kind of Slack user.

#[derive(Debug, Clone, Copy)]
pub struct Persona {
    /// Their name in `&as=`.
    pub key: &'static str,
    /// What they demonstrate.
    pub shows: &'static str,
    pub user_id: &'static str,
    pub workspace: Workspace,
    pub name: &'static str,
    pub email: Option<&'static str>,
    pub is_email_confirmed: bool,
    pub is_owner: bool,
    pub is_admin: bool,
    /// A guest in several channels.
    pub is_restricted: bool,
    /// A guest in one channel.
    pub is_ultra_restricted: bool,
    pub is_bot: bool,
    pub is_deleted: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Workspace {
    pub team_id: &'static str,
    pub name: &'static str,
    /// The part before `.slack.com`.
    pub domain: &'static str,
    /// The enterprise on Enterprise Grid, for all of which the app is installed.
    pub enterprise: Option<Enterprise>,
}

#[derive(Debug, Clone, Copy)]
pub struct Enterprise {
    pub id: &'static str,
    pub name: &'static str,
}

// With an ampersand, to test the escaping.
const NUMBERS: Workspace = Workspace {
    team_id: "T0NUMBERS",
    name: "Numbers & Co",
    domain: "numbers",
    enterprise: None,
};

const SIDE_PROJECT: Workspace = Workspace {
    team_id: "T0SIDEPROJ",
    name: "Side Project",
    domain: "side-project",
    enterprise: None,
};

const GRAND_UNION: Workspace = Workspace {
    team_id: "T0UNIONLAB",
    name: "Grand Union Lab",
    domain: "grand-union-lab",
    enterprise: Some(Enterprise {
        id: "E0UNION",
        name: "Grand Union",
    }),
};

const MEMBER: Persona = Persona {
    key: "member",
    shows: "A regular member",
    user_id: "U0EDSGER",
    workspace: NUMBERS,
    name: "Edsger Dijkstra",
    email: Some("edsger@example.com"),
    is_email_confirmed: true,
    is_owner: false,
    is_admin: false,
    is_restricted: false,
    is_ultra_restricted: false,
    is_bot: false,
    is_deleted: false,
};

pub const PERSONAS: [Persona; 8] = [
    Persona {
        key: "owner",
        shows: "Owns the workspace",
        user_id: "U0KATHERINE",
        name: "Katherine Johnson",
        email: Some("katherine@example.com"),
        is_owner: true,
        is_admin: true,
        ..MEMBER
    },
    MEMBER,
    Persona {
        key: "guest",
        shows: "A guest in some channels",
        user_id: "U0BOB",
        name: "Bob",
        email: Some("bob@example.com"),
        is_restricted: true,
        ..MEMBER
    },
    Persona {
        key: "no-email",
        shows: "Has no visible e-mail address",
        user_id: "U0MARGARET",
        name: "Margaret Hamilton",
        email: None,
        is_email_confirmed: false,
        ..MEMBER
    },
    Persona {
        key: "second-workspace",
        shows: "The owner, in another workspace",
        // The same on purpose: a user id is only unique together with the team id.
        user_id: "U0KATHERINE",
        workspace: SIDE_PROJECT,
        name: "Katherine Johnson",
        email: Some("katherine@example.com"),
        ..MEMBER
    },
    Persona {
        key: "grid",
        shows: "Works on Enterprise Grid",
        user_id: "W0BARBARA",
        workspace: GRAND_UNION,
        name: "Barbara Liskov",
        email: Some("barbara@example.com"),
        ..MEMBER
    },
    Persona {
        key: "unicode",
        shows: "A non-Latin name",
        user_id: "U0SOFYA",
        name: "Софья Ковалевская",
        email: Some("sofya@example.com"),
        ..MEMBER
    },
    Persona {
        key: "registered",
        shows: "Already has a password account",
        user_id: "U0ADA",
        name: "Ada Lovelace",
        email: Some("ada@example.com"),
        ..MEMBER
    },
];
