//! The claims of a JWT (RFC 7519 §4.1) that an earlier system issued.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::LegacyClaims;

/// How far the clock of the earlier system may have been ahead: what next-auth and @auth/core allow.
const TOLERANCE: TimeDelta = TimeDelta::seconds(15);

/// Bytes; ids are shorter everywhere.
const LONGEST_SUBJECT: usize = 255;

/// As they stand in the token. Its other claims, an e-mail address and a role among them, count for nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    sub: Option<Subject>,
    iat: Option<i64>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iss: Option<String>,
    aud: Option<Audience>,
    is_anonymous: Option<bool>,
}

/// Some applications number their people.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Subject {
    Text(String),
    Number(u64),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Payload {
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        // serde_json does not check the UTF-8 of members that it skips.
        serde_json::from_str(std::str::from_utf8(json).ok()?).ok()
    }

    pub(super) fn is_by(&self, issuer: &str) -> bool {
        self.iss.as_deref() == Some(issuer)
    }

    /// Whether it is of a person who signed in: Supabase also issues tokens to services, and to visitors whom it does
    /// not know.
    pub(super) fn is_of_a_person_at_supabase(&self) -> bool {
        const PERSON: &str = "authenticated";
        let has_audience = match &self.aud {
            Some(Audience::One(audience)) => audience == PERSON,
            Some(Audience::Several(audiences)) => audiences.iter().any(|it| it == PERSON),
            None => false,
        };
        has_audience && self.is_anonymous != Some(true)
    }

    /// `None` if it does not say whose session it is, since when and until when; or says that it is not valid yet.
    pub(super) fn claims(&self, now: DateTime<Utc>) -> Option<LegacyClaims> {
        let time = |seconds| DateTime::from_timestamp(seconds, 0);
        let subject = match self.sub.as_ref()? {
            Subject::Text(text) => text.clone(),
            Subject::Number(number) => number.to_string(),
        };
        let (issued_at, expires_at) = (time(self.iat?)?, time(self.exp?)?);
        let valid_from = self.nbf.map_or(Some(issued_at), time)?;
        let is_good = (1..=LONGEST_SUBJECT).contains(&subject.len())
            && issued_at < expires_at
            && issued_at.max(valid_from) <= now + TOLERANCE;
        is_good.then_some(LegacyClaims {
            subject,
            issued_at,
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims(payload: &Value) -> Option<LegacyClaims> {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        Payload::parse(payload.to_string().as_bytes())?.claims(now)
    }

    #[test]
    fn a_token_must_say_whose_it_is_since_when_and_until_when() {
        let good = json!({"sub": "a", "iat": NOW - 1, "exp": NOW + 1, "email": 7, "role": []});
        assert_eq!(claims(&good).unwrap().subject, "a");
        for (claim, value, is_good) in [
            ("sub", json!(4711), true),
            ("sub", json!("é".repeat(127)), true),
            ("sub", json!("é".repeat(128)), false),
            ("sub", json!(""), false),
            ("sub", json!(null), false),
            ("sub", json!(1.5), false),
            ("sub", json!({"id": "a"}), false),
            ("iat", json!(NOW + 15), false),
            ("iat", json!(NOW + 16), false),
            ("iat", json!(null), false),
            ("iat", json!("1"), false),
            ("exp", json!(null), false),
            ("exp", json!(NOW - 1), false),
            // Whoever asks sees that it has expired.
            ("exp", json!(NOW), true),
            ("exp", json!(i64::MAX), false),
            ("nbf", json!(NOW + 15), true),
            ("nbf", json!(NOW + 16), false),
            ("nbf", json!(i64::MIN), false),
        ] {
            let mut payload = good.clone();
            payload[claim] = value;
            assert_eq!(claims(&payload).is_some(), is_good, "{payload}");
        }
        let ahead = json!({"sub": "a", "iat": NOW + 15, "exp": NOW + 100});
        assert!(claims(&ahead).is_some());
        let twice = br#"{"sub":"a","sub":"b","iat":1,"exp":2000000000}"#;
        assert!(Payload::parse(twice).is_none());
    }

    #[test]
    fn at_supabase_only_people_who_signed_in_have_sessions() {
        let is_person = |payload: Value| {
            let payload = Payload::parse(payload.to_string().as_bytes()).unwrap();
            payload.is_of_a_person_at_supabase()
        };
        assert!(is_person(json!({"aud": "authenticated"})));
        assert!(is_person(
            json!({"aud": ["x", "authenticated"], "is_anonymous": false})
        ));
        assert!(!is_person(
            json!({"aud": "authenticated", "is_anonymous": true})
        ));
        assert!(!is_person(json!({"aud": "anon"})));
        assert!(!is_person(json!({"aud": []})));
        assert!(!is_person(json!({"role": "authenticated"})));
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_times_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            times in any::<[i64; 3]>(),
        ) {
            let _ = Payload::parse(&bytes).map(|it| it.claims(DateTime::UNIX_EPOCH));
            let [iat, exp, nbf] = times;
            let _ = claims(&json!({"sub": "a", "iat": iat, "exp": exp, "nbf": nbf}));
        }
    }
}
