//! Names are whatever their owners typed, and the owner of an address may be somebody else.

use std::iter::Peekable;

/// What stands between a dot and what follows it, so that no mail program makes a link of a name.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// A name as a letter may show it: on one line, reading in one direction, and never a link.
///
/// Whoever registers a stranger's address chooses the name the stranger is greeted by: "Win at evil.example".
pub fn tame(name: &str) -> String {
    let kept = name
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|&c| !c.is_control() && !is_invisible(c));
    unlinked(kept.peekable())
}

fn unlinked(mut name: Peekable<impl Iterator<Item = char>>) -> String {
    let mut text = String::new();
    while let Some(c) = name.next() {
        text.push(c);
        let goes_on = name.peek().is_some_and(|next| !next.is_whitespace());
        if matches!(c, '.' | ':' | '/' | '@') && goes_on {
            text.push(ZERO_WIDTH_SPACE);
        }
    }
    text
}

/// What turns the direction of the text around it (Unicode TR 9), or is there and not seen.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
    ) || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
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
            assert_eq!(tame(name), name);
        }
    }

    #[test]
    fn a_name_stays_on_its_line_and_reads_in_its_direction() {
        assert_eq!(tame("Ada\r\nBcc: x"), "Ada  Bcc: x");
        assert_eq!(tame("\u{202e}moc.live\u{202c}\u{2066}"), "moc.\u{200b}live");
        assert_eq!(tame("A\0\u{7}\u{2028}da"), "A da");
    }

    #[test]
    fn no_name_is_a_link() {
        assert_eq!(
            tame("https://evil.example/x"),
            "https:\u{200b}/\u{200b}/\u{200b}evil.\u{200b}example/\u{200b}x"
        );
        assert_eq!(tame("me@evil.example"), "me@\u{200b}evil.\u{200b}example");
        assert_eq!(tame("evil.\u{200b}example"), "evil.\u{200b}example");
    }
}
