//! What a stored text says.

use crate::imported_hash::ImportedHash;
use crate::kdf::Kdf;
use crate::refusal::Refusal;
use crate::step::Step;

/// The steps, the function, and what it made of the password.
pub(super) struct Reading {
    steps: Vec<Step>,
    kdf: Kdf,
    output: Vec<u8>,
}

impl Reading {
    pub(super) fn new(kdf: Kdf, output: Vec<u8>) -> Self {
        Self {
            steps: Vec::new(),
            kdf,
            output,
        }
    }

    /// The same, if `steps` were done first.
    pub(super) fn after(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.splice(0..0, steps);
        self
    }

    pub(super) fn hash(self) -> Result<ImportedHash, Refusal> {
        ImportedHash::new(self.steps, self.kdf, self.output)
    }
}
