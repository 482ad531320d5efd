//! The grammar of recipes: `name(part + part, part)`, where a part is a name, a number, `'text'`, or a call again.

use crate::refusal::Refusal;

use super::MALFORMED;

/// Calls in calls.
const MOST_DEPTH: usize = 4;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression<'a> {
    Name(&'a str),
    Text(&'a str),
    /// Each argument is a list of what is joined by `+`.
    Call(&'a str, Vec<Vec<Self>>),
}

impl Expression<'_> {
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Self::Name(text) => crate::reader::number_of(text).ok(),
            Self::Text(_) | Self::Call(..) => None,
        }
    }

    /// The only part of the only argument of a call.
    pub(super) fn operand(&self) -> Option<&Self> {
        match self {
            Self::Call(_, arguments) => match arguments.as_slice() {
                [argument] => match argument.as_slice() {
                    [operand] => Some(operand),
                    _ => None,
                },
                _ => None,
            },
            Self::Name(_) | Self::Text(_) => None,
        }
    }
}

/// Of all of the text.
pub(super) fn expression(text: &str) -> Result<Expression<'_>, Refusal> {
    let mut parser = Parser { rest: text };
    let expression = parser.expression(MOST_DEPTH)?;
    match parser.rest.trim_start() {
        "" => Ok(expression),
        _ => Err(MALFORMED),
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn expression(&mut self, depth: usize) -> Result<Expression<'a>, Refusal> {
        if self.takes('\'') {
            let (text, rest) = self.rest.split_once('\'').ok_or(MALFORMED)?;
            self.rest = rest;
            return Ok(Expression::Text(text));
        }
        let name = self.name()?;
        if !self.takes('(') {
            return Ok(Expression::Name(name));
        }
        let depth = depth.checked_sub(1).ok_or(MALFORMED)?;
        let mut arguments = Vec::new();
        loop {
            let mut parts = vec![self.expression(depth)?];
            while self.takes('+') {
                parts.push(self.expression(depth)?);
            }
            arguments.push(parts);
            if self.takes(')') {
                return Ok(Expression::Call(name, arguments));
            }
            if !self.takes(',') {
                return Err(MALFORMED);
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, Refusal> {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        match name {
            "" => Err(MALFORMED),
            _ => Ok(name),
        }
    }

    /// After blanks.
    fn takes(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}
