//! Lines of plain-text e-mails.

/// In characters; mail programs quote what they answer, and 80 columns are to hold that as well.
const WIDTH: usize = 76;

/// Breaks a paragraph into lines. A longer word stays whole, so that links work.
pub(super) fn wrap(paragraph: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += width;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_only() {
        let long = "x".repeat(WIDTH + 1);
        assert_eq!(wrap(&format!("a b {long} c")), format!("a b\n{long}\nc"));
        let full = format!("{} y", "x".repeat(WIDTH - 2));
        assert_eq!(wrap(&full), full);
        assert_eq!(wrap(""), "");
    }
}
