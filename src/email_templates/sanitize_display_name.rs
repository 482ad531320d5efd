//! Names are typed by their owners, and the owner of an address may be someone else.

use std::iter::Peekable;

use crate::domain::typed::is_invisible;

/// Separates a dot from what follows it, so that no mail program turns a name into a link.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Makes a name safe to show in an e-mail: on one line, in one reading direction, and never a link.
///
/// Someone who registers another person's address chooses the name in the greeting: "Win at evil.example".
pub(super) fn sanitize_display_name(name: &str) -> String {
    let kept = name
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|&c| !c.is_control() && !is_invisible(c));
    break_links(kept.peekable())
}

fn break_links(mut name: Peekable<impl Iterator<Item = char>>) -> String {
    let mut text = String::new();
    while let Some(c) = name.next() {
        text.push(c);
        let is_followed = name.peek().is_some_and(|next| !next.is_whitespace());
        if matches!(c, '.' | ':' | '/' | '@') && is_followed {
            text.push(ZERO_WIDTH_SPACE);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        for name in [
            "Ada Lovelace",
            "Zoë",
            "李小龍",
            "O'Neil-Smith Jr.",
            "👩‍🚀 Sally",
        ] {
            assert_eq!(sanitize_display_name(name), name);
        }
    }

    #[test]
    fn a_name_stays_on_its_line_and_reads_in_its_direction() {
        assert_eq!(sanitize_display_name("Ada\r\nBcc: x"), "Ada  Bcc: x");
        assert_eq!(
            sanitize_display_name("\u{202e}moc.live\u{202c}\u{2066}"),
            "moc.\u{200b}live"
        );
        assert_eq!(sanitize_display_name("A\0\u{7}\u{2028}da"), "A da");
    }

    #[test]
    fn no_name_is_a_link() {
        assert_eq!(
            sanitize_display_name("https://evil.example/x"),
            "https:\u{200b}/\u{200b}/\u{200b}evil.\u{200b}example/\u{200b}x"
        );
        assert_eq!(
            sanitize_display_name("me@evil.example"),
            "me@\u{200b}evil.\u{200b}example"
        );
        assert_eq!(
            sanitize_display_name("evil.\u{200b}example"),
            "evil.\u{200b}example"
        );
    }
}
