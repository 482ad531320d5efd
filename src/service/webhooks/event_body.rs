//! What a webhook is sent.

use chrono::SecondsFormat;
use serde::Serialize;

use crate::domain::webhook_event::{EndedSessions, EventType, PersonThen};
use crate::domain::{OrganizationId, SessionId, UserId, Webhook, WebhookId};
use crate::service::{Error, Result};
use crate::store::webhook_deliveries::DueEvent;

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: String,
    data: Data<'a>,
}

/// Never a secret, and nothing about other organizations.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Data<'a> {
    Person {
        user_id: Option<UserId>,
        organization_id: OrganizationId,
        #[serde(flatten)]
        person: Option<&'a PersonThen>,
    },
    Sessions {
        user_id: Option<UserId>,
        organization_id: OrganizationId,
        /// Null for all of them.
        session_id: Option<SessionId>,
        /// The one that goes on, when all others end.
        #[serde(skip_serializing_if = "Option::is_none")]
        except_session_id: Option<SessionId>,
    },
    Test {
        webhook_id: WebhookId,
        organization_id: OrganizationId,
    },
}

/// The same bytes at each attempt.
///
/// # Errors
/// `Internal`: it cannot be written as JSON.
pub(super) fn body(webhook: &Webhook, due: &DueEvent) -> Result<String> {
    let organization_id = webhook.organization_id;
    let data = if due.event == EventType::Test.as_str() {
        Data::Test {
            webhook_id: webhook.id,
            organization_id,
        }
    } else if due.event == EventType::SessionEnded.as_str() {
        let (session_id, except_session_id) = match due.sessions {
            EndedSessions::One(id) => (Some(id), None),
            EndedSessions::All => (None, None),
            EndedSessions::AllBut(id) => (None, Some(id)),
        };
        Data::Sessions {
            user_id: due.user_id,
            organization_id,
            session_id,
            except_session_id,
        }
    } else {
        Data::Person {
            user_id: due.user_id,
            organization_id,
            person: due.person.as_ref(),
        }
    };
    serde_json::to_string(&Body {
        r#type: &due.event,
        timestamp: due.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        data,
    })
    .map_err(|error| Error::Internal(format!("event {}: {error}", due.id)))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{ChosenEvents, Role, WebhookEventId, WebhookUrl};

    fn sent(
        event: EventType,
        sessions: EndedSessions,
        person: Option<PersonThen>,
    ) -> (String, Value) {
        let at: DateTime<Utc> = "2026-11-29T17:00:00Z".parse().unwrap();
        let webhook = Webhook {
            id: WebhookId::new(at, [1; 10]),
            organization_id: OrganizationId::new(at, [2; 10]),
            owner_id: UserId::new(at, [3; 10]),
            name: None,
            url: WebhookUrl::parse("https://example.com").unwrap(),
            events: ChosenEvents::All,
            created_at: at,
            failing_since: None,
            disabled: None,
        };
        let due = DueEvent {
            id: WebhookEventId::new(at, [4; 10]),
            webhook_id: webhook.id,
            event: event.as_str().to_owned(),
            at,
            user_id: Some(UserId::new(at, [5; 10])),
            sessions,
            person,
            attempts: 1,
        };
        let text = body(&webhook, &due).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["timestamp"], "2026-11-29T17:00:00.000Z");
        assert_eq!(value["type"], event.as_str());
        let data = value["data"].take();
        assert_eq!(data["organizationId"], json!(webhook.organization_id));
        (text, data)
    }

    #[test]
    fn an_event_holds_the_person_as_they_are_then_and_fits() {
        let person = PersonThen {
            email: Some("a".repeat(254)),
            email_verified: true,
            name: "\u{7}".repeat(201),
            disabled: false,
            role: Some(Role::Manager),
            manager_id: None,
        };
        let (text, data) = sent(EventType::UserUpdated, EndedSessions::All, Some(person));
        assert!(text.len() < 20_000);
        assert_eq!(
            (&data["role"], &data["managerId"]),
            (&json!("manager"), &Value::Null)
        );
        assert_eq!(
            (&data["emailVerified"], &data["disabled"]),
            (&json!(true), &json!(false))
        );
        let (_, data) = sent(EventType::UserDeleted, EndedSessions::All, None);
        let names: Vec<_> = data.as_object().unwrap().keys().collect();
        assert_eq!(names, ["userId", "organizationId"]);
    }

    #[test]
    fn ended_sessions_are_one_or_all_or_all_but_one() {
        let id = SessionId::new(DateTime::UNIX_EPOCH, [6; 10]);
        let (_, one) = sent(EventType::SessionEnded, EndedSessions::One(id), None);
        assert_eq!(
            (&one["sessionId"], one.get("exceptSessionId")),
            (&json!(id), None)
        );
        let (_, all) = sent(EventType::SessionEnded, EndedSessions::All, None);
        assert_eq!(
            (all.get("sessionId"), all.get("exceptSessionId")),
            (Some(&Value::Null), None)
        );
        let (_, others) = sent(EventType::SessionEnded, EndedSessions::AllBut(id), None);
        assert_eq!(
            (&others["sessionId"], &others["exceptSessionId"]),
            (&Value::Null, &json!(id))
        );
    }
}
