//! What people type or paste, in the form in which it is compared: one function for each kind of text.

use unicode_normalization::UnicodeNormalization;

/// Characters that cannot be seen or that change the direction of the text around them: Unicode's
/// `Default_Ignorable_Code_Point` (UAX #44) and the line and paragraph separators. They would let a name look like
/// another one, or rearrange what stands beside it (Unicode TR #36, "Bidirectional Text Spoofing").
///
/// The two joiners and the variation selectors are not among them: scripts and emoji need those.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
    ) || matches!(
        c,
        '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
    ) || matches!(
        c,
        '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
    ) || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}')
        || matches!(c, '\u{e01f0}'..='\u{e0fff}')
}

/// Without white space and invisible characters at both ends: for addresses, ids, slugs, domains, and the secrets of
/// links. Keyboards of phones add a blank, and what is copied from a page or an e-mail often has more around it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// A code that is shown in groups, without what separates them; full-width characters become ASCII (NFKC).
pub fn ungrouped(code: &str) -> String {
    code.nfkc()
        .filter(|&c| !is_blank(c) && !is_dash(c))
        .collect()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

/// The hyphen, and what editors and keyboards make of it.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_an_identifier_is_removed_and_nothing_within() {
        for around in [
            " ", "\t", "\n", "\r\n", "\u{a0}", "\u{3000}", "\u{200b}", "\u{feff}", "\u{200d}",
            "\u{202a}",
        ] {
            assert_eq!(trimmed(&format!("{around}a b{around}{around}")), "a b");
        }
        assert_eq!(trimmed(" \u{200b} "), "");
    }

    #[test]
    fn a_code_loses_every_separator() {
        for code in [
            "ab12",
            " ab 12\n",
            "ab-12",
            "ab\u{2010}12",
            "ab\u{2011}12",
            "ab\u{2013}12",
            "ab \u{2014} 12",
            "ab\u{2212}12",
            "ab\u{ad}12",
            "ab\u{a0}12",
            "ab\u{200b}12",
            "ａｂ－１２",
        ] {
            assert_eq!(ungrouped(code), "ab12", "{code:?}");
        }
    }
}
