//! The operating system's random numbers.

use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::ports::Entropy;

pub struct OsEntropy {
    random: SystemRandom,
}

impl OsEntropy {
    /// # Errors
    /// When the system has no source of random numbers; it is tried once here.
    pub fn new() -> io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
        let random = SystemRandom::new();
        random
            .fill(&mut [0; 1])
            .map_err(|_| io::Error::other("it has no random numbers"))?;
        Ok(Self { random })
    }
}

impl Entropy for OsEntropy {
    #[expect(
        clippy::expect_used,
        reason = "going on with predictable keys would be worse"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        self.random
            .fill(bytes)
            .expect("getrandom(2) does not fail once it has worked");
    }
}
