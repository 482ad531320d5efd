//! How many audit rows a user writes in a minute. What is above is counted in one row.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::UserId;
use crate::domain::audit::{Action, AuditEntry, ROUTINE};
use crate::store::audit::{self, Group};
use crate::store::{StoreError, Tx};

/// Of routine actions together, and of every other action on the same user.
const ROWS_PER_MINUTE: usize = 100;

/// The detail of the row that counts.
#[derive(Serialize, Deserialize)]
struct Counted {
    /// Missing for routine actions, which are counted together.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    count: u64,
    /// The detail of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Value>,
}

/// The number of rows, of whatever kind, that a user has written in this minute, if it is below [`ROWS_PER_MINUTE`].
pub(super) struct RecentRows {
    actor_id: UserId,
    count: usize,
}

/// As many of the rows that the user has written in this minute as have to be counted.
pub(in crate::service) fn recent_rows(
    tx: &mut Tx<'_>,
    actor_id: UserId,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    audit::count_since(tx, actor_id, minute(now), ROWS_PER_MINUTE)
}

fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

/// Inserts an entry, or counts it if its actor has written enough rows in this minute.
pub(super) fn write(
    tx: &mut Tx<'_>,
    recent: &mut Option<RecentRows>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let Some(actor_id) = entry.actor_id else {
        return audit::insert(tx, entry);
    };
    // Few users write so many rows that their kind matters.
    let count = match recent {
        Some(recent) if recent.actor_id == actor_id => recent.count,
        _ => recent_rows(tx, actor_id, entry.at)?,
    };
    if count < ROWS_PER_MINUTE {
        let count = count + 1;
        *recent = Some(RecentRows { actor_id, count });
        return audit::insert(tx, entry);
    }
    let is_routine = ROUTINE.contains(&entry.action);
    let routine = ROUTINE.map(Action::as_str);
    let action = [entry.action.as_str()];
    let group = Group {
        actor_id,
        organization_id: entry.organization_id,
        since: minute(entry.at),
        outcome: entry.outcome,
        actions: if is_routine { &routine } else { &action },
        subject_id: (!is_routine).then_some(entry.subject_id),
    };
    if audit::count_group(tx, &group)? < ROWS_PER_MINUTE {
        return audit::insert(tx, entry);
    }
    let action = (!is_routine).then(|| entry.action.as_str().to_owned());
    let parsed = |text: &str| serde_json::from_str::<Counted>(text).ok();
    let detail = entry.detail.as_deref();
    let counted = Counted {
        action,
        count: 1,
        last: detail.and_then(|detail| serde_json::from_str(detail).ok()),
    };
    let subject_id = if is_routine {
        Some(actor_id)
    } else {
        entry.subject_id
    };
    let counting = Group {
        actions: &[Action::Counted.as_str()],
        subject_id: Some(subject_id),
        ..group
    };
    for (id, detail) in audit::list_details(tx, &counting)? {
        if let Some(before) = detail.as_deref().and_then(parsed)
            && before.action == counted.action
        {
            let count = before.count + 1;
            return audit::set_detail(tx, id, &json(&Counted { count, ..counted }));
        }
    }
    audit::insert(
        tx,
        &AuditEntry {
            action: Action::Counted,
            subject_id,
            detail: Some(json(&counted)),
            ..entry.clone()
        },
    )
}

fn json(counted: &Counted) -> String {
    serde_json::json!(counted).to_string()
}
