//! Cookies in parts: NextAuth and its kin cut what is larger than a browser keeps into `NAME.0`, `NAME.1` and so on.

/// The number of the cookie `part`, if it is a part of the cookie `name`.
pub fn part_number(part: &str, name: &str) -> Option<u16> {
    let number = part.strip_prefix(name)?.strip_prefix('.')?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_plain)
}

/// The value of the cookie `name`, whole or from its parts in the order of their numbers. `None` if there is none, or
/// more than one: of a whole one and parts beside it, neither can be told to be the older.
pub fn joined<'a>(
    name: &str,
    cookies: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    let mut whole = Vec::new();
    let mut parts = Vec::new();
    for (cookie, value) in cookies {
        if cookie == name {
            whole.push(value);
        } else if let Some(number) = part_number(cookie, name) {
            parts.push((number, value));
        }
    }
    parts.sort_unstable();
    let is_repeated = parts
        .windows(2)
        .any(|pair| matches!(pair, [(a, _), (b, _)] if a == b));
    match (&whole[..], &parts[..]) {
        ([value], []) => Some((*value).to_owned()),
        ([], [_, ..]) if !is_repeated => Some(parts.iter().map(|(_, value)| *value).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_joined_by_number_and_never_with_a_whole_one() {
        let value = |cookies: &[(&'static str, &'static str)]| joined("s", cookies.iter().copied());
        assert_eq!(value(&[("s", "a"), ("t", "b")]).as_deref(), Some("a"));
        let parts = [("s.10", "c"), ("s.2", "b"), ("s.0", "a"), ("s.x", "d")];
        assert_eq!(value(&parts).as_deref(), Some("abc"));
        for neither in [
            &[][..],
            &[("t", "a")],
            &[("s", "a"), ("s.0", "b")],
            &[("s", "a"), ("s", "a")],
            &[("s.0", "a"), ("s.0", "b")],
            &[("s.0", "a"), ("s.00", "b")],
            &[("s.+1", "a")],
            &[("s.", "a")],
            &[("s.65536", "a")],
        ] {
            assert_eq!(value(neither), None, "{neither:?}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_joined_again_in_whatever_order_its_parts_come(
            value in "[!#-+\\--:<-~]{1,60}",
            size in 1_usize..7,
            seed in any::<u64>(),
        ) {
            let parts: Vec<(String, String)> = value
                .as_bytes()
                .chunks(size)
                .enumerate()
                .map(|(n, part)| (format!("s.{n}"), String::from_utf8(part.to_vec()).unwrap()))
                .collect();
            let mut order: Vec<usize> = (0..parts.len()).collect();
            order.sort_by_key(|n| (*n as u64).wrapping_mul(seed | 1));
            let cookies = order.iter().map(|n| (&*parts[*n].0, &*parts[*n].1));
            prop_assert_eq!(joined("s", cookies), Some(value.clone()));
        }
    }
}
