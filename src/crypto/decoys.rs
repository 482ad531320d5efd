//! Which of the stored forms is computed for an address without an account: always the same one for an address, and
//! each of them for as many addresses as accounts have it.

use ring::hmac;

use super::keyring::Keyring;

/// A key that others do not know, or they could tell which form an address without an account gets.
pub struct DecoyKey(hmac::Key);

impl DecoyKey {
    pub fn new(keyring: &Keyring) -> Self {
        Self(keyring.newest().mac_key(b"decoy-forms"))
    }

    /// The index of one of the weights, each as likely as its share of them; `None` if there are none above zero.
    ///
    /// When one weight changes, only draws change that the form gains or loses (weighted rendezvous hashing).
    /// <https://www.snia.org/sites/default/files/SDC15_presentations/dist_sys/Jason_Resch_New_Consistent_Hashings_Rev.pdf>
    pub fn draw<'a>(
        &self,
        identity: &str,
        forms: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Option<usize> {
        let scored = forms
            .into_iter()
            .enumerate()
            .filter(|(_, (_, weight))| *weight > 0.0)
            .map(|(index, (form, weight))| (index, -self.uniform(identity, form).ln() / weight));
        scored
            .min_by(|(_, one), (_, other)| one.total_cmp(other))
            .map(|(index, _)| index)
    }

    /// Between 0 and 1, neither included.
    fn uniform(&self, identity: &str, form: &str) -> f64 {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(form.as_bytes());
        context.update(b"\0");
        context.update(identity.as_bytes());
        let bits = context
            .sign()
            .as_ref()
            .iter()
            .take(4)
            .fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte));
        (f64::from(bits) + 0.5) / 2_f64.powi(32)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn key() -> DecoyKey {
        let secret = SecretString::from("9f2c1e07d44b8a35c6e0b7d192f3a846c05d7e1b".to_owned());
        DecoyKey::new(&Keyring::new(&[secret]).unwrap())
    }

    fn draws(forms: &[(&str, f64)]) -> Vec<usize> {
        let key = key();
        (0..4000)
            .map(|n| {
                let email = format!("nobody{n}@acme.example");
                key.draw(&email, forms.iter().copied()).unwrap()
            })
            .collect()
    }

    fn share_of(index: usize, draws: &[usize]) -> f64 {
        let hits = draws.iter().filter(|drawn| **drawn == index).count();
        hits as f64 / draws.len() as f64
    }

    #[test]
    fn forms_are_drawn_in_the_proportion_of_their_weights() {
        let drawn = draws(&[
            ("ours", 70.0),
            ("scrypt", 20.0),
            ("argon2", 10.0),
            ("md5", 0.0),
        ]);
        for (index, share) in [(0, 0.7), (1, 0.2), (2, 0.1), (3, 0.0)] {
            assert!((share_of(index, &drawn) - share).abs() < 0.03, "{index}");
        }
        assert!(key().draw("ada@acme.example", []).is_none());
    }

    #[test]
    fn an_address_keeps_its_form_unless_its_form_loses_or_another_gains() {
        let before = draws(&[("ours", 10.0), ("scrypt", 80.0), ("argon2", 10.0)]);
        assert_eq!(
            before,
            draws(&[("ours", 10.0), ("scrypt", 80.0), ("argon2", 10.0)])
        );
        // Half of those with scrypt have signed in, and got our form.
        let after = draws(&[("ours", 50.0), ("scrypt", 40.0), ("argon2", 10.0)]);
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after || *before == 1 || *after == 0);
        }
        assert!((share_of(1, &after) - 0.4).abs() < 0.03);
    }

    #[test]
    fn another_key_draws_others() {
        let secret = SecretString::from("1b7e5dc048a6f392d1b7e0c635a8b44d7e012c9f".to_owned());
        let other = DecoyKey::new(&Keyring::new(&[secret]).unwrap());
        let forms = [("ours", 1.0), ("scrypt", 1.0)];
        let differs = (0..100).any(|n| {
            let email = format!("nobody{n}@acme.example");
            key().draw(&email, forms) != other.draw(&email, forms)
        });
        assert!(differs);
    }
}
