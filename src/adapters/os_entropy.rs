//! The operating system's random number generator.

use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::ports::Entropy;

pub struct OsEntropy {
    random: SystemRandom,
}

impl OsEntropy {
    /// # Errors
    /// When the system has no random number generator, which is tried once here.
    pub fn new() -> io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the only place that uses it")]
        let random = SystemRandom::new();
        random
            .fill(&mut [0; 1])
            .map_err(|_| io::Error::other("no random numbers are available"))?;
        Ok(Self { random })
    }
}

impl Entropy for OsEntropy {
    #[expect(
        clippy::expect_used,
        reason = "predictable keys would be worse than a panic"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        self.random
            .fill(bytes)
            .expect("getrandom(2) does not fail once it has worked");
    }
}
