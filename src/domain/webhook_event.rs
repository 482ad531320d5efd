//! What webhooks are told: what happened to a person, to a membership or to sessions.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::violation::ValidationError;
use super::{OrganizationId, Role, SessionId, UserId};

/// The kinds of events, by the names that receivers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    UserCreated,
    UserUpdated,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    MemberAdded,
    MemberUpdated,
    MemberRemoved,
    SessionEnded,
    /// An admin tries the webhook.
    Test,
}

impl EventType {
    /// Those that can be chosen.
    pub const ALL: [Self; 9] = [
        Self::UserCreated,
        Self::UserUpdated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserDeleted,
        Self::MemberAdded,
        Self::MemberUpdated,
        Self::MemberRemoved,
        Self::SessionEnded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDisabled => "user.disabled",
            Self::UserEnabled => "user.enabled",
            Self::UserDeleted => "user.deleted",
            Self::MemberAdded => "member.added",
            Self::MemberUpdated => "member.updated",
            Self::MemberRemoved => "member.removed",
            Self::SessionEnded => "session.ended",
            Self::Test => "webhook.test",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The events that a webhook is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenEvents {
    /// Also those that are added later.
    All,
    /// Each once, in the order of [`EventType::ALL`].
    Only(Vec<EventType>),
}

impl ChosenEvents {
    /// # Errors
    /// `required` for an empty list; `unknown_event`.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, ValidationError> {
        let parsed: Option<Vec<EventType>> = names.into_iter().map(EventType::parse).collect();
        let Some(mut chosen) = parsed else {
            let known = EventType::ALL.map(EventType::as_str).join(", ");
            let why = format!("Please send some of {known}, or null for all.");
            return Err(ValidationError::new("unknown_event", why));
        };
        if chosen.is_empty() {
            let why = "Please send at least one event, or null for all.";
            return Err(ValidationError::new("required", why));
        }
        chosen.sort_unstable();
        chosen.dedup();
        Ok(Self::Only(chosen))
    }

    /// Names between commas, as the database holds them; `None` for all. A name that a newer version has stored is
    /// left out.
    pub fn from_stored(text: Option<&str>) -> Self {
        text.map_or(Self::All, |text| {
            Self::Only(text.split(',').filter_map(EventType::parse).collect())
        })
    }

    /// As [`from_stored`](Self::from_stored) reads it.
    pub fn stored(&self) -> Option<String> {
        self.names().map(|names| format!(",{},", names.join(",")))
    }

    /// `None` for all.
    pub fn names(&self) -> Option<Vec<&'static str>> {
        match self {
            Self::All => None,
            Self::Only(chosen) => Some(chosen.iter().map(|kind| kind.as_str()).collect()),
        }
    }
}

/// Something that webhooks are told of when its transaction is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// To an account. All organizations are told that the person belonged to before or after.
    User(EventType, UserId),
    /// To a membership, of which only its organization is told.
    Member(EventType, UserId, OrganizationId),
    /// All organizations of the person are told.
    SessionsEnded(UserId, EndedSessions),
}

/// Which sessions of a person have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedSessions {
    One(SessionId),
    All,
    AllBut(SessionId),
}

/// A person as an organization sees them, when something had happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonThen {
    pub email: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub email_verified: bool,
    pub name: String,
    #[serde(deserialize_with = "flag")]
    pub disabled: bool,
    /// Missing for who does not belong to the organization any more.
    pub role: Option<Role>,
    pub manager_id: Option<UserId>,
}

/// SQLite has numbers for true and false.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Number(u8),
    }
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Bool(flag) => flag,
        Flag::Number(number) => number != 0,
    })
}

impl Happened {
    pub fn event(self) -> EventType {
        match self {
            Self::User(event, _) | Self::Member(event, _, _) => event,
            Self::SessionsEnded(..) => EventType::SessionEnded,
        }
    }

    /// Whether it says all that an earlier one of the same kind about the same person said. An ended session is one of
    /// many.
    pub fn replaces_earlier(self) -> bool {
        !matches!(self, Self::SessionsEnded(..))
    }

    pub fn user_id(self) -> UserId {
        match self {
            Self::User(_, user_id)
            | Self::Member(_, user_id, _)
            | Self::SessionsEnded(user_id, _) => user_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_events_are_stored_in_one_order_and_read_again() {
        let chosen =
            ChosenEvents::parse(["session.ended", "user.created", "session.ended"]).unwrap();
        assert_eq!(chosen.stored().unwrap(), ",user.created,session.ended,");
        assert_eq!(
            ChosenEvents::from_stored(chosen.stored().as_deref()),
            chosen
        );
        assert_eq!(ChosenEvents::from_stored(None), ChosenEvents::All);
        assert_eq!(ChosenEvents::All.stored(), None);
        let newer = ChosenEvents::from_stored(Some(",user.created,user.teleported,"));
        assert_eq!(newer.names().unwrap(), ["user.created"]);
    }

    #[test]
    fn only_known_events_can_be_chosen_and_at_least_one() {
        let code = |names: &[&str]| ChosenEvents::parse(names.iter().copied()).unwrap_err().code;
        assert_eq!(code(&[]), "required");
        assert_eq!(code(&["user.created", "user.exploded"]), "unknown_event");
        assert_eq!(code(&["webhook.test"]), "unknown_event");
    }
}
