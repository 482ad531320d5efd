//! The parameters of a query string or a form.

use url::form_urlencoded;

/// The first of several parameters with the same name counts.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// A query string that repeats the request with the answer `as`, for a link.
    pub(super) fn answered_as(&self, answer: &str) -> String {
        let asked = self.0.iter().filter(|(name, _)| name != "as");
        let mut query = form_urlencoded::Serializer::new(String::from("?"));
        query.extend_pairs(asked);
        query.append_pair("as", answer);
        query.finish()
    }
}
