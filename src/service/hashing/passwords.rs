//! Passwords for verbs: rules for new ones, and hashing that does not block the thread of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bcrypt_lanes::{Digest, Input};
use futures_util::future::try_join_all;
use stored_passwords::{Check, Derivation, ImportedHash, Peppers, Stage};
use tokio::time::sleep;

use crate::crypto::decoys::DecoyKey;
use crate::crypto::password::{self, Making, StoredHash};
use crate::domain::{NewPasswordRules, OwnWords, Password, TypedPassword, UserId};
use crate::ports::{Entropy, random_bytes};
use crate::service::hashing::backlog::Due;
use crate::service::hashing::rehashes::{Rehash, RehashLoad, Rehashes};
use crate::service::hashing::share::Share;
use crate::service::hashing::stored_forms::{StoredForms, Tally};
use crate::service::hashing::strength_worker::StrengthWorker;
use crate::service::hashing::{Hashing, Load};
use crate::service::limits::HashingPermit;
use crate::service::{Error, Result};

/// How far stored hashes of a higher cost than the set one raise the cost of all comparisons, which hides them. Beyond
/// that a few of them would make every sign-in too expensive.
const RAISED_BY: u32 = 2;

/// How many of a user's organizations are among the words that a new password may not be made of.
pub(in crate::service) const GUESSED_ORGANIZATIONS: i64 = 20;

/// How soon a hash that no request waits for is tried again while too many are waiting.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// The rules for passwords and the threads that apply them. Whatever is computed for a request takes a permit, which
/// says whose turn it is.
pub struct Passwords {
    rules: NewPasswordRules,
    cost: u32,
    compared: ComparedCost,
    peppers: Peppers,
    forms: StoredForms,
    rehashes: Rehashes,
    hashing: Hashing,
    judging: StrengthWorker,
    entropy: Arc<dyn Entropy>,
}

/// What [`Passwords`] are made of.
pub struct PasswordsParts {
    pub rules: NewPasswordRules,
    /// Of new hashes.
    pub cost: u32,
    /// Secrets of the systems that people come from.
    pub peppers: Peppers,
    pub decoy_key: DecoyKey,
    pub hashing: Hashing,
    pub judging: StrengthWorker,
    pub entropy: Arc<dyn Entropy>,
}

/// What a typed password is compared with.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Comparand<'a> {
    /// What was typed, or is known: one without a usable hash is always compared with the same form.
    pub identity: &'a str,
    pub account: Option<UserId>,
    pub stored: Option<&'a StoredHash>,
}

/// What a comparison has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Verdict {
    pub is_right: bool,
    /// Whether the password was right, and the hash is not what would be made of it today.
    pub is_outdated: bool,
}

impl Passwords {
    pub fn new(parts: PasswordsParts) -> Self {
        Self {
            rules: parts.rules,
            cost: parts.cost,
            compared: ComparedCost::new(parts.cost),
            peppers: parts.peppers,
            forms: StoredForms::new(parts.decoy_key),
            rehashes: Rehashes::default(),
            hashing: parts.hashing,
            judging: parts.judging,
            entropy: parts.entropy,
        }
    }

    /// Parses a password that is to be verified.
    ///
    /// # Errors
    /// `Invalid`, naming `field`.
    pub(in crate::service) fn read(
        &self,
        field: &'static str,
        text: &str,
    ) -> Result<TypedPassword> {
        TypedPassword::parse(text).map_err(|refusal| refusal.of(field).into())
    }

    /// Parses and checks a new password.
    ///
    /// # Errors
    /// `Invalid`, naming `field`; `Busy` when too many are waiting.
    pub(in crate::service) async fn read_new(
        &self,
        permit: &HashingPermit,
        field: &'static str,
        text: &str,
        own: OwnWords,
    ) -> Result<Password> {
        let password = Password::parse(text).map_err(|refusal| refusal.of(field))?;
        let rules = self.rules;
        let (password, verdict) = self
            .judging
            .run(permit.share(), move || {
                let verdict = rules.check(&password, &own);
                (password, verdict)
            })
            .await?;
        verdict.map_err(|refusal| refusal.of(field))?;
        Ok(password)
    }

    /// # Errors
    /// `Busy` when too many are waiting.
    pub(in crate::service) async fn hash(
        &self,
        permit: &HashingPermit,
        password: Password,
    ) -> Result<StoredHash> {
        let (input, making) = self.making(password.expose())?;
        let digest = self.hashing.compute(permit.share(), input).await?;
        Ok(making.finish(&digest))
    }

    fn making(&self, normalized: &str) -> Result<(Input, Making)> {
        password::make(normalized, self.cost, random_bytes(self.entropy.as_ref()))
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// Compares. How much is computed does not show whether there is an account: what is stored takes at least the time
    /// of our own hashes, and an identity without a usable hash is compared with a form that others have.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub(in crate::service) async fn verify(
        &self,
        permit: &HashingPermit,
        password: &TypedPassword,
        comparand: Comparand<'_>,
    ) -> Result<Verdict> {
        let usable = self.usable(comparand);
        let compared = match &usable {
            Some(hash) => hash,
            None => &self.decoy(comparand.identity)?,
        };
        let stage = compared.begin(password.expose_typed(), &self.peppers);
        let stage = stage.map_err(|error| Error::Internal(error.to_string()))?;
        let matched = self.compute(permit.share(), stage).await?;
        Ok(match comparand.stored {
            Some(stored) if usable.is_some() && matched.is_some() => Verdict {
                is_right: true,
                is_outdated: matched != Some(Spelling::Normalized)
                    || password::needs_rehash(stored, password.expose_normalized(), self.cost),
            },
            Some(_) | None => Verdict {
                is_right: false,
                is_outdated: false,
            },
        })
    }

    /// What is stored, if a password can be compared with it.
    fn usable(&self, comparand: Comparand<'_>) -> Option<ImportedHash> {
        let stored = comparand.stored?;
        let hash = self.comparable(stored);
        if let Err(why) = &hash {
            let account = comparand
                .account
                .map(|id| id.to_string())
                .unwrap_or_default();
            tracing::error!(
                account,
                why,
                "a stored password cannot be used; its owner must reset it"
            );
        }
        let hash = hash.ok()?;
        if !stored.is_imported() {
            self.compared.raise(hash.cost().work);
        }
        Some(hash)
    }

    /// # Errors
    /// Why no password can be compared with it.
    pub(in crate::service) fn comparable(
        &self,
        stored: &StoredHash,
    ) -> std::result::Result<ImportedHash, String> {
        usable(stored, &self.peppers)
    }

    fn decoy(&self, identity: &str) -> Result<ImportedHash> {
        match self.forms.draw(identity) {
            Some(form) => Ok(form),
            None => password::comparable(&password::decoy(self.cost))
                .map_err(|error| Error::Internal(error.to_string())),
        }
    }

    /// Which spelling of the password was right, if one was.
    async fn compute(&self, share: Share, stage: Stage) -> Result<Option<Spelling>> {
        match stage {
            Stage::Bcrypt(tries) => self.in_lanes(share, tries, Due::since).await,
            Stage::Derive(derivation) => self.derive(share, derivation).await,
            Stage::Done(is_right) => Ok(is_right.then_some(Spelling::Unknown)),
        }
    }

    /// What takes less time than our hashes is followed by bcrypt whose result is discarded.
    async fn derive(&self, share: Share, derivation: Derivation) -> Result<Option<Spelling>> {
        let least = u64::from(self.compared.iterations()) * derivation.spellings() as u64;
        let missing = least.saturating_sub(derivation.cost().work);
        match self.hashing.derive(share, derivation).await? {
            Stage::Bcrypt(tries) => self.in_lanes(share, tries, Due::certain).await,
            Stage::Done(is_right) => {
                if let Some(input) = filler(missing) {
                    self.hashing.in_lane(share, input, Due::certain).await?;
                }
                Ok(is_right.then_some(Spelling::Unknown))
            }
            Stage::Derive(_) => Err(Error::Internal("a second derivation".to_owned())),
        }
    }

    async fn in_lanes(
        &self,
        share: Share,
        tries: Vec<(Input, Check)>,
        due: fn(Instant) -> Due,
    ) -> Result<Option<Spelling>> {
        let least = self.compared.iterations();
        let (inputs, checks): (Vec<_>, Vec<_>) = tries.into_iter().unzip();
        let digests = inputs
            .into_iter()
            .map(|input| self.hashing.in_lane(share, input.lasting(least), due));
        let digests: Vec<Digest> = try_join_all(digests).await?;
        let last = digests.len().saturating_sub(1);
        let matching = checks.iter().zip(&digests).enumerate();
        let matching: Vec<usize> = matching
            .filter(|(_, (check, digest))| check.matches(digest))
            .map(|(n, _)| n)
            .collect();
        Ok(matching.last().map(|&n| {
            // As typed, and then in NFKC, if that is another.
            if n == last {
                Spelling::Normalized
            } else {
                Spelling::Unknown
            }
        }))
    }

    /// Replaces the hash later, when there is time.
    pub(in crate::service) fn rehash_later(&self, rehash: Rehash) {
        self.rehashes.add(rehash, Instant::now());
    }

    /// Waits for the next password whose hash is to be replaced, and computes the hash that replaces it.
    pub(in crate::service) async fn next_rehashed(&self) -> (Rehash, StoredHash) {
        loop {
            let (until, rehash) = self.rehashes.next().await;
            let hashed = self.hash_patiently(&rehash.password, until).await;
            match hashed {
                Some(hash) => return (rehash, hash),
                None => self.rehashes.leave_out(),
            }
        }
    }

    async fn hash_patiently(&self, password: &TypedPassword, until: Instant) -> Option<StoredHash> {
        while Instant::now() < until {
            let (input, making) = self.making(password.expose_normalized()).ok()?;
            match self.hashing.compute(Share::background(), input).await {
                Ok(digest) => return Some(making.finish(&digest)),
                Err(_) => sleep(TRY_AGAIN_AFTER).await,
            }
        }
        None
    }

    /// The hash in bcrypt, if it is a weak one, computed when a lane is free that no request wants.
    pub(in crate::service) async fn wrap(&self, hash: &ImportedHash) -> Option<ImportedHash> {
        loop {
            let salt = random_bytes(self.entropy.as_ref());
            let input = hash.wrap(self.cost, salt)?;
            match self
                .hashing
                .compute_if_idle(Share::background(), input)
                .await
            {
                Some(digest) => return Some(hash.wrapped(self.cost, salt, &digest)),
                None => sleep(TRY_AGAIN_AFTER).await,
            }
        }
    }

    /// What is stored now, for comparisons with nothing.
    pub(in crate::service) fn set_forms(&self, tally: Tally) {
        self.forms.replace(tally);
    }

    /// The minimum length of a new password, in characters.
    pub(in crate::service) fn min_length(&self) -> usize {
        self.rules.min_length
    }

    pub(in crate::service) fn load(&self) -> Load {
        self.hashing.load()
    }

    pub(in crate::service) fn rehash_load(&self) -> RehashLoad {
        self.rehashes.load()
    }
}

/// What is stored, if a password can be compared with it.
///
/// # Errors
/// Why none can.
pub(in crate::service) fn usable(
    stored: &StoredHash,
    peppers: &Peppers,
) -> std::result::Result<ImportedHash, String> {
    let hash = password::comparable(stored).map_err(|error| error.to_string())?;
    let missing = hash.peppers().find(|name| peppers.get(name).is_none());
    match missing {
        None => Ok(hash),
        Some(name) => Err(format!(
            "the pepper {name} is not set: set HALLPASS_IMPORT_PEPPER_{}",
            name.as_str().to_uppercase()
        )),
    }
}

/// How a right password was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// In NFKC, as we hash it.
    Normalized,
    /// In another way, or in one that was not asked for.
    Unknown,
}

/// So many iterations of nothing; `None` for none. bcrypt has sixteen at least.
fn filler(iterations: u64) -> Option<Input> {
    let iterations = u32::try_from(iterations).unwrap_or(u32::MAX);
    let input = Input::new(b"", [0; 16], 4).ok()?;
    (iterations > 0).then(|| input.lasting(iterations))
}

/// The cost that every comparison takes: the set one, or the highest of our stored hashes compared since the start,
/// within [`RAISED_BY`] of it.
struct ComparedCost {
    set: u32,
    highest: AtomicU32,
}

impl ComparedCost {
    fn new(set: u32) -> Self {
        Self {
            set,
            highest: AtomicU32::new(set),
        }
    }

    /// A hash with so many iterations was found.
    fn raise(&self, found: u64) {
        let found = found.max(1).ilog2().min(self.set + RAISED_BY);
        self.highest.fetch_max(found, Ordering::Relaxed);
    }

    fn iterations(&self) -> u32 {
        1 << self.highest.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::crypto::keyring::Keyring;

    struct NoEntropy;

    impl Entropy for NoEntropy {
        fn fill(&self, _: &mut [u8]) {}
    }

    const RIGHT: &str = "correct horse battery staple";
    const WRONG: &str = "wrong horse battery staple";
    /// In NFKC another text, so that it is compared in two spellings.
    const DECOMPOSED: &str = "wrong horse cafe\u{301}";

    /// Imported and cheaper than our own: a digest, a digest in bcrypt, bcrypt, bcrypt of a digest.
    const CHEAP: [&str; 4] = [
        "$in$raw$sha1$i=1,of=password.salt$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$in$raw$wrapped$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW$sha1$i=1,of=password$",
        "$in$raw,cut72$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$in$nfkc,sha256hex$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    ];

    /// Dearer than ours of cost 4.
    const DEAR: &str =
        "$in$raw$pbkdf2-sha256$i=40000$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn passwords(cost: u32) -> Passwords {
        let secret = SecretString::from("9f2c1e07d44b8a35c6e0b7d192f3a846c05d7e1b".to_owned());
        Passwords::new(PasswordsParts {
            rules: NewPasswordRules {
                min_length: 8,
                min_guesses: 1_000_000,
            },
            cost,
            peppers: Peppers::default(),
            decoy_key: DecoyKey::new(&Keyring::new(&[secret]).unwrap()),
            hashing: Hashing::start(Some(1)).unwrap(),
            judging: StrengthWorker::start().unwrap(),
            entropy: Arc::new(NoEntropy),
        })
    }

    fn made(password: &str, cost: u32) -> Option<StoredHash> {
        let (input, making) = password::make(password, cost, [7; 16]).unwrap();
        Some(making.finish(&bcrypt_lanes::bcrypt(&input)))
    }

    fn stored(hash: &str) -> Option<StoredHash> {
        Some(StoredHash::from_stored(hash.to_owned()))
    }

    async fn verdict(
        passwords: &Passwords,
        typed: &str,
        identity: &str,
        stored: Option<&StoredHash>,
    ) -> Verdict {
        let typed = TypedPassword::parse(typed).unwrap();
        let permit = HashingPermit::for_tests(identity);
        let comparand = Comparand {
            identity,
            account: None,
            stored,
        };
        passwords.verify(&permit, &typed, comparand).await.unwrap()
    }

    /// What is computed to compare a password.
    async fn work(passwords: &Passwords, typed: &str, stored: Option<&StoredHash>) -> u64 {
        let before = passwords.load().computed;
        verdict(passwords, typed, "ada@acme.example", stored).await;
        passwords.load().computed - before
    }

    #[tokio::test]
    async fn a_comparison_computes_as_much_whatever_is_stored() {
        let mut forms = vec![
            None,
            made(RIGHT, 8),
            made(RIGHT, 6),
            made(RIGHT, 4),
            made(&RIGHT.repeat(3), 8),
            made(&RIGHT.repeat(3), 5),
            stored("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"),
            stored(""),
            stored("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            // It needs a pepper that is not set.
            stored(
                "$in$raw,pepper:devise$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            ),
        ];
        forms.extend(CHEAP.map(stored));
        let passwords = passwords(8);
        for form in &forms {
            for typed in [RIGHT, WRONG] {
                let computed = work(&passwords, typed, form.as_ref()).await;
                assert_eq!(
                    computed,
                    1 << 8,
                    "{:?}",
                    form.as_ref().map(StoredHash::as_str)
                );
            }
        }
        // In two spellings twice as much, but for systems that are known to normalize.
        for form in forms.iter().take(forms.len() - 1) {
            let computed = work(&passwords, DECOMPOSED, form.as_ref()).await;
            assert_eq!(
                computed,
                2 << 8,
                "{:?}",
                form.as_ref().map(StoredHash::as_str)
            );
        }
        let normalizing = forms.last().unwrap().as_ref();
        assert_eq!(work(&passwords, DECOMPOSED, normalizing).await, 1 << 8);
    }

    #[tokio::test]
    async fn a_hash_above_the_set_cost_raises_all_comparisons_up_to_a_limit() {
        let passwords = passwords(4);
        for (form, iterations) in [
            (None, 1 << 4),
            (made(RIGHT, 5), 1 << 5),
            (None, 1 << 5),
            (made(RIGHT, 4), 1 << 5),
            (made(RIGHT, 8), 1 << 8),
            (None, 1 << 6),
        ] {
            assert_eq!(work(&passwords, WRONG, form.as_ref()).await, iterations);
        }
    }

    #[tokio::test]
    async fn nobody_is_compared_as_others_are_in_the_proportion_of_their_hashes() {
        let passwords = passwords(4);
        let (ours, dear) = (made(RIGHT, 4), stored(DEAR));
        let dear_work = work(&passwords, WRONG, dear.as_ref()).await;
        assert!(dear_work > 4 * work(&passwords, WRONG, ours.as_ref()).await);
        let mut tally = Tally::default();
        for _ in 0..30 {
            tally.add(&ImportedHash::parse(DEAR).unwrap());
        }
        passwords.set_forms(tally.of_all(100));
        let unusable = stored("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA");
        let mut dear = 0;
        for n in 0..400 {
            let email = format!("nobody{n}@acme.example");
            let mut computed = Vec::new();
            for stored in [None, unusable.as_ref(), None] {
                let before = passwords.load().computed;
                assert!(!verdict(&passwords, WRONG, &email, stored).await.is_right);
                computed.push(passwords.load().computed - before);
            }
            // An address has its form, whether or not there is an account, and each time.
            assert!(
                computed.iter().all(|work| *work == computed[0]),
                "{computed:?}"
            );
            assert!([16, dear_work].contains(&computed[0]), "{computed:?}");
            dear += u32::from(computed[0] == dear_work);
        }
        assert!((90..150).contains(&dear), "{dear}");
        // Those with a hash have theirs.
        assert_eq!(work(&passwords, WRONG, ours.as_ref()).await, 16);
    }

    #[tokio::test]
    async fn what_is_right_and_outdated_is_told() {
        let passwords = passwords(4);
        let long = "x".repeat(80);
        let cut = ImportedHash::new(
            vec![],
            stored_passwords::Kdf::Bcrypt(stored_passwords::Bcrypt {
                cost: 4,
                salt: [7; 16],
            }),
            bcrypt_lanes::bcrypt(&Input::new(long.as_bytes(), [7; 16], 4).unwrap())
                .checksum()
                .to_vec(),
        );
        let cut = cut.unwrap().to_string().replace("$in$raw$", "$");
        let decomposed = made("cafe\u{301} horse battery", 4);
        let imported = made(RIGHT, 4)
            .unwrap()
            .as_str()
            .replacen('$', "$in$raw$", 1);
        for (typed, form, is_right, is_outdated) in [
            (RIGHT, made(RIGHT, 4), true, false),
            (RIGHT, made(RIGHT, 5), true, true),
            (WRONG, made(RIGHT, 5), false, false),
            (RIGHT, stored(&imported), true, true),
            // Two spellings of ours, and one that another system hashed as typed.
            (
                "cafe\u{301} horse battery",
                made("caf\u{e9} horse battery", 4),
                true,
                false,
            ),
            ("cafe\u{301} horse battery", decomposed.clone(), true, true),
            ("caf\u{e9} horse battery", decomposed, false, false),
            // What bcrypt has cut elsewhere is right once, and ours never.
            (&long, stored(&cut), true, true),
            (&long[..79], stored(&cut), true, true),
            (&long[..71], stored(&cut), false, false),
            (&long, made(&long, 4), true, false),
            (&long[..79], made(&long, 4), false, false),
            (&long[..72], made(&long[..71], 4), false, false),
        ] {
            let verdict = verdict(&passwords, typed, "ada", form.as_ref()).await;
            assert_eq!(
                (verdict.is_right, verdict.is_outdated),
                (is_right, is_outdated),
                "{typed} {:?}",
                form.as_ref().map(StoredHash::as_str)
            );
        }
    }

    #[tokio::test]
    async fn a_weak_hash_is_right_in_bcrypt_too() {
        let passwords = passwords(4);
        // SHA-1 of the password and `salt`.
        let digest = ring::digest::digest(
            &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
            format!("{RIGHT}salt").as_bytes(),
        );
        let weak = format!(
            "$in$raw$sha1$i=1,of=password.salt$c2FsdA${}",
            data_encoding::BASE64_NOPAD.encode(digest.as_ref())
        );
        let wrapped = passwords
            .wrap(&ImportedHash::parse(&weak).unwrap())
            .await
            .unwrap();
        assert!(!wrapped.is_weak() && wrapped.is_wrapped());
        assert!(passwords.wrap(&wrapped).await.is_none());
        for form in [weak, wrapped.to_string()] {
            let form = stored(&form);
            assert!(
                verdict(&passwords, RIGHT, "ada", form.as_ref())
                    .await
                    .is_right
            );
            assert!(
                !verdict(&passwords, WRONG, "ada", form.as_ref())
                    .await
                    .is_right
            );
        }
    }

    #[tokio::test]
    async fn a_right_password_is_hashed_again_once_and_in_nfkc() {
        let passwords = passwords(4);
        let rehash = |n: u8, password: &str| Rehash {
            user_id: UserId(uuid::Uuid::from_u128(n.into())),
            stored: made(RIGHT, 5).unwrap(),
            password_changes: 0,
            password: TypedPassword::parse(password).unwrap(),
        };
        passwords.rehash_later(rehash(1, "cafe\u{301}"));
        passwords.rehash_later(rehash(1, "cafe\u{301}"));
        passwords.rehash_later(rehash(2, &"y".repeat(200)));
        assert_eq!(passwords.rehash_load().waiting, 2);
        let (first, hash) = passwords.next_rehashed().await;
        assert_eq!(first.user_id, rehash(1, "a").user_id);
        assert!(
            verdict(&passwords, "caf\u{e9}", "ada", Some(&hash))
                .await
                .is_right
        );
        let (_, hash) = passwords.next_rehashed().await;
        // Longer than what can be chosen, and as right as before.
        assert!(
            verdict(&passwords, &"y".repeat(200), "ada", Some(&hash))
                .await
                .is_right
        );
        assert!(
            !verdict(&passwords, &"y".repeat(199), "ada", Some(&hash))
                .await
                .is_right
        );
        assert_eq!(passwords.rehash_load(), RehashLoad::default());
    }
}
