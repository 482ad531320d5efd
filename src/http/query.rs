//! A query string in which every parameter occurs once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use url::form_urlencoded;

use super::error::ApiError;
use crate::domain::violation::ValidationError;
use crate::domain::{CodeChallenge, Violation};

pub(super) struct Query {
    parameters: Vec<(String, String)>,
    repeated: Vec<Violation>,
}

impl Query {
    fn parse(query: &str) -> Self {
        let mut parameters: Vec<(String, String)> = Vec::new();
        let mut repeated: Vec<Violation> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            let is_known = parameters.iter().any(|(known, _)| *known == name);
            if !is_known {
                parameters.push((name, value));
            } else if !repeated.iter().any(|fault| fault.field == name) {
                let why = "Please send this parameter once.";
                repeated.push(Violation::new(name, "duplicate_field", why));
            }
        }
        Self {
            parameters,
            repeated,
        }
    }

    pub(super) fn is_ambiguous(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// # Errors
    /// Names every repeated parameter, as two readers might each take another one.
    pub(super) fn unambiguous(self) -> Result<Self, ApiError> {
        if self.repeated.is_empty() {
            Ok(self)
        } else {
            Err(self.repeated.into())
        }
    }

    /// `None` for a parameter that is missing or empty: for links that people follow.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The parameter as it was sent. An empty one is probably a mistake, so callers reject it instead of ignoring it.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Parses a parameter that was sent, even if empty. Its error goes to `faults`, so that clients see all of them
    /// at once.
    pub(super) fn read<T>(
        &self,
        name: &'static str,
        faults: &mut Vec<Violation>,
        parse: impl FnOnce(&str) -> Result<T, ValidationError>,
    ) -> Option<T> {
        match parse(self.given(name)?) {
            Ok(value) => Some(value),
            Err(refusal) => {
                faults.push(refusal.of(name));
                None
            }
        }
    }

    /// # Errors
    /// `required`.
    pub(super) fn return_url(&self) -> Result<&str, ApiError> {
        self.get("returnUrl").ok_or_else(|| {
            let why = "Please say where the sign-in is to lead back to.";
            vec![Violation::new("returnUrl", "required", why)].into()
        })
    }

    /// # Errors
    /// `invalid_code_challenge`.
    pub(super) fn code_challenge(&self) -> Result<Option<CodeChallenge>, ApiError> {
        self.given("codeChallenge")
            .map(CodeChallenge::parse)
            .transpose()
            .map_err(|refusal| vec![refusal.of("codeChallenge")].into())
    }
}

impl FromRequest for Query {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self::parse(request.query_string())))
    }
}

/// Text to search for: no control characters, which no stored text contains, and at most `max` characters.
///
/// # Errors
/// `invalid_characters`, `too_long`.
pub(super) fn searchable(text: &str, max: usize) -> Result<String, ValidationError> {
    if text.chars().any(char::is_control) {
        let why = "Please leave out line breaks and control characters.";
        return Err(ValidationError::new("invalid_characters", why));
    }
    if text.chars().count() > max {
        let why = format!("Please use at most {max} characters.");
        return Err(ValidationError::new("too_long", why));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_empty_ones_are_kept() {
        let query = Query::parse("returnUrl=https%3A%2F%2Fa.example&team=&codeChallenge");
        assert_eq!(query.return_url().unwrap(), "https://a.example");
        assert_eq!((query.get("team"), query.given("team")), (None, Some("")));
        assert!(query.code_challenge().is_err());
        assert!(query.unambiguous().is_ok());
        let query = Query::parse("");
        assert_eq!((query.get("team"), query.given("team")), (None, None));
        assert!(query.return_url().is_err() && query.code_challenge().is_ok());
    }

    #[test]
    fn a_repeated_parameter_is_rejected_however_it_is_encoded() {
        for query in ["code=a&code=a", "code=a&c%6fde=b", "x=1&code=&code=b"] {
            assert!(Query::parse(query).is_ambiguous(), "{query}");
            assert!(Query::parse(query).unambiguous().is_err(), "{query}");
        }
    }
}
