//! Reads the fields of a stored text. One reading exists for each text, and one text for each value: numbers are digits
//! without leading zeros, parameters come in one order, base64 has no padding and no loose bits.

use data_encoding::BASE64_NOPAD;

use crate::refusal::Refusal;

/// The rest of a text, read up to each `$`.
pub(crate) struct Reader<'a>(Option<&'a str>);

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self(Some(text))
    }

    pub(crate) fn field(&mut self) -> Result<&'a str, Refusal> {
        let rest = self.0.ok_or(Refusal::Malformed("a field is missing"))?;
        let (field, rest) = match rest.split_once('$') {
            Some((field, rest)) => (field, Some(rest)),
            None => (rest, None),
        };
        self.0 = rest;
        Ok(field)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Refusal> {
        BASE64_NOPAD
            .decode(self.field()?.as_bytes())
            .map_err(|_| Refusal::Malformed("a field is not base64 without padding"))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        self.bytes()?
            .try_into()
            .map_err(|_| Refusal::Malformed("a field has the wrong length"))
    }

    /// The values of exactly these parameters in this order: `m=65536,t=3,p=4`.
    pub(crate) fn parameters<const N: usize>(
        &mut self,
        names: [&str; N],
    ) -> Result<[&'a str; N], Refusal> {
        let field = self.field()?;
        let mut parts = field.split(',');
        let mut values = [""; N];
        for (value, name) in values.iter_mut().zip(names) {
            *value = parts
                .next()
                .and_then(|part| part.strip_prefix(name)?.strip_prefix('='))
                .ok_or(Refusal::Malformed("a parameter is missing or unknown"))?;
        }
        match parts.next() {
            None => Ok(values),
            Some(_) => Err(Refusal::Malformed("there are too many parameters")),
        }
    }

    /// As [`parameters`](Self::parameters), all of them numbers.
    pub(crate) fn numbers<const N: usize>(
        &mut self,
        names: [&str; N],
    ) -> Result<[u32; N], Refusal> {
        let mut numbers = [0; N];
        for (number, text) in numbers.iter_mut().zip(self.parameters(names)?) {
            *number = number_of(text)?;
        }
        Ok(numbers)
    }

    pub(crate) fn end(self) -> Result<(), Refusal> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Refusal::Malformed("there are too many fields")),
        }
    }
}

pub(crate) fn number_of(text: &str) -> Result<u32, Refusal> {
    let is_canonical =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|_| is_canonical)
        .ok_or(Refusal::Malformed(
            "a number is below 2^32 and has digits only, without leading zeros",
        ))
}
