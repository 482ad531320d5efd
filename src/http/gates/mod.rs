//! Gates: a proxy asks with each request of a visitor whether it may pass to an application, and who the visitor is.

mod admission;
mod identity;
mod method_warning;
pub(super) mod verify;
pub(super) mod verify_or_sign_in;
mod visit;

pub(super) use method_warning::MethodWarning;
pub(super) use visit::is_safe;

/// Whether a path is a gate's. Proxies append whatever path the visitor asked for.
pub(super) fn is_gate(path: &str) -> bool {
    ["/api/auth/verify", "/api/auth/verify-or-sign-in"]
        .iter()
        .filter_map(|gate| path.strip_prefix(gate))
        .any(|tail| tail.is_empty() || tail.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_known_by_whole_segments() {
        for path in [
            "/api/auth/verify",
            "/api/auth/verify/",
            "/api/auth/verify//a/b",
            "/api/auth/verify-or-sign-in",
            "/api/auth/verify-or-sign-in/api/auth/me",
        ] {
            assert!(is_gate(path), "{path}");
        }
        for path in [
            "/",
            "/api/auth/me",
            "/api/auth/verify-email",
            "/api/auth/verify-or",
            "/api/auth/verify-or-sign-in2",
            "/x/api/auth/verify",
        ] {
            assert!(!is_gate(path), "{path}");
        }
    }
}
