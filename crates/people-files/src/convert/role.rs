//! Roles as other systems write them: one, a list, a list in a text, or serialized by PHP.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::candidate::Role;
use crate::value::text_of;

/// The single roles in a cell. A text with commas is a list.
pub(crate) fn roles_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(roles_of).collect(),
        other => {
            let text = text_of(other);
            if let Some(roles) = php_roles(&text) {
                return roles;
            }
            if text.starts_with('[')
                && let Ok(list @ Value::Array(_)) = serde_json::from_str(&text)
            {
                return roles_of(&list);
            }
            // PostgreSQL's arrays, as exports print them.
            let inner = text
                .strip_prefix('{')
                .and_then(|text| text.strip_suffix('}'));
            let parts = inner.unwrap_or(&text).split([',', ';', '|']);
            let parts = parts.map(|part| part.trim().trim_matches('"'));
            parts
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        }
    }
}

/// The most powerful of the roles by the map.
///
/// # Errors
/// The first one that the map lacks.
pub(crate) fn mapped<'a>(
    roles: &'a [String],
    map: Option<&BTreeMap<String, Role>>,
) -> Result<Option<Role>, &'a str> {
    let one = |role: &'a String| match map {
        Some(map) => map
            .get(role)
            .or_else(|| map.get("*"))
            .copied()
            .ok_or(&**role),
        None => Role::parse(role).ok_or(&**role),
    };
    roles
        .iter()
        .map(one)
        .try_fold(None, |highest, role| Ok(highest.max(Some(role?))))
}

/// `a:2:{s:13:"administrator";b:1;s:6:"editor";b:0;}`: the keys whose value is true; of a list, its texts.
fn php_roles(text: &str) -> Option<Vec<String>> {
    let (count, mut rest) = text.strip_prefix("a:")?.split_once(":{")?;
    let count: usize = count.parse().ok()?;
    let mut roles = Vec::new();
    for _ in 0..count {
        let (key, after) = php_scalar(rest)?;
        let (value, after) = php_scalar(after)?;
        rest = after;
        match (key, value) {
            (Php::Text(role), Php::True) => roles.push(role.to_owned()),
            (Php::Other, Php::Text(role)) => roles.push(role.to_owned()),
            _ => {}
        }
    }
    (rest == "}").then_some(roles)
}

enum Php<'a> {
    Text(&'a str),
    True,
    Other,
}

/// A scalar at the start, and what follows it.
fn php_scalar(text: &str) -> Option<(Php<'_>, &str)> {
    if let Some(text) = text.strip_prefix("s:") {
        let (bytes, rest) = text.split_once(":\"")?;
        let (role, rest) = rest.split_at_checked(bytes.parse().ok()?)?;
        return Some((Php::Text(role), rest.strip_prefix("\";")?));
    }
    let (scalar, rest) = text.split_once(';')?;
    let value = match scalar {
        "b:1" => Php::True,
        _ if scalar.starts_with("i:") || scalar.starts_with("b:") || scalar == "N" => Php::Other,
        _ => return None,
    };
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_found_in_every_kind_of_list() {
        for value in [
            json!("owner, member"),
            json!(["owner", "member"]),
            json!("[\"owner\",\"member\"]"),
            json!("{owner,member}"),
            json!("{\"owner\",member}"),
            json!(r#"a:2:{s:5:"owner";b:1;s:6:"member";b:1;}"#),
            json!(r#"a:2:{i:0;s:5:"owner";i:1;s:6:"member";}"#),
        ] {
            assert_eq!(roles_of(&value), ["owner", "member"], "{value}");
        }
        assert_eq!(
            roles_of(&json!(r#"a:2:{s:5:"owner";b:0;s:6:"member";b:1;}"#)),
            ["member"]
        );
        assert_eq!(roles_of(&json!("")), [""; 0]);
        assert_eq!(roles_of(&json!("a:0:{}")), [""; 0]);
    }

    #[test]
    fn the_most_powerful_role_counts() {
        let map = [
            ("owner", Role::Admin),
            ("lead", Role::Manager),
            ("*", Role::Employee),
        ];
        let map: BTreeMap<String, Role> = map
            .into_iter()
            .map(|(name, role)| (name.to_owned(), role))
            .collect();
        let role = |text: &str| mapped(&roles_of(&json!(text)), Some(&map)).unwrap();
        assert_eq!(role("member,owner,lead"), Some(Role::Admin));
        assert_eq!(role("member,lead"), Some(Role::Manager));
        assert_eq!(role("whatever"), Some(Role::Employee));
        assert_eq!(role(""), None);
    }

    #[test]
    fn a_role_outside_the_map_is_named() {
        let roles = roles_of(&json!("admin,boss"));
        assert_eq!(mapped(&roles, None), Err("boss"));
        assert_eq!(
            mapped(&roles_of(&json!("Manager")), None),
            Ok(Some(Role::Manager))
        );
    }
}
