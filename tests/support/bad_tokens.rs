//! Tokens that must be refused, although most of them are signed correctly, and matching good ones.
//!
//! Depends on the wire format only, so that a verifier's unit test and a test over HTTP can share it.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The maximum lifetime of an access token, in seconds.
const LONGEST_LIFE: i64 = 604_800;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Invalid,
    Expired,
}

/// A key of the verifier.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    pub kid: &'a str,
    pub signer: Signer<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum Signer<'a> {
    Hs256(&'a [u8]),
    Es256(&'a EcdsaKeyPair),
}

/// The key pair of a PKCS#8 document in PEM.
pub(crate) fn key_pair(pem: &str) -> EcdsaKeyPair {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64.decode(base64.as_bytes()).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random()).unwrap()
}

impl Signer<'_> {
    fn alg(self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Es256(_) => "ES256",
        }
    }

    fn sign(self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Hs256(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, input).as_ref().to_vec()
            }
            Self::Es256(pair) => {
                let signature = pair.sign(&random(), input).unwrap();
                signature.as_ref().to_vec()
            }
        }
    }
}

impl Key<'_> {
    fn header(self) -> Members {
        Members::of(&json!({}))
            .with("typ", r#""JWT""#)
            .with("alg", json!(self.signer.alg()))
            .with("kid", json!(self.kid))
    }

    fn sign(self, input: &str) -> String {
        BASE64URL_NOPAD.encode(&self.signer.sign(input.as_bytes()))
    }
}

#[derive(Debug)]
pub(crate) struct BadToken {
    pub name: String,
    pub token: String,
    pub expected: Verdict,
}

impl BadToken {
    /// Whether `Authorization: Bearer <token>` transmits exactly these bytes: HTTP trims spaces and forbids control
    /// characters. The token may still be longer than a server accepts.
    pub(crate) fn fits_a_header(&self) -> bool {
        self.token.bytes().all(|b| b.is_ascii_graphic()) && !self.token.is_empty()
    }
}

/// Good tokens that differ from the bad ones only in what makes those bad.
///
/// `claims` are those of a good token: `sub orgId role sid ver iat exp`, and `iss`, `aud` where required.
pub(crate) fn good_tokens(key: Key<'_>, claims: &Value, now: i64) -> Vec<(String, String)> {
    let ours = key.header();
    let claims = Members::of(claims);
    let signed = |header: &Members, payload: &Members| compact(header, payload, key);
    let mut good: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, token: String| good.push((name.to_owned(), token));

    add("as it is", signed(&ours, &claims));
    add(
        "members of the header in another order",
        signed(&ours.without("kid").with("kid", json!(key.kid)), &claims),
    );
    add("no typ", signed(&ours.without("typ"), &claims));
    add(
        "no pv, as in version 0.1",
        signed(&ours, &claims.without("pv")),
    );
    add(
        "a header parameter nobody knows",
        signed(&ours.with("note", r#""hello""#), &claims),
    );
    add(
        "a claim nobody knows",
        signed(&ours, &claims.with("isAdmin", "true")),
    );
    add(
        "whitespace in the JSON",
        compact_bytes(
            ours.json().replace(',', " ,\n").as_bytes(),
            claims.json().replace(',', " ,\n").as_bytes(),
            key,
        ),
    );
    add(
        "expires in a second",
        signed(&ours, &claims.with("iat", now - 10).with("exp", now + 1)),
    );
    add(
        "signed by a clock a minute ahead",
        signed(&ours, &claims.with("iat", now + 60).with("exp", now + 61)),
    );
    add(
        "the longest life",
        signed(
            &ours,
            &claims.with("iat", now).with("exp", now + LONGEST_LIFE),
        ),
    );
    let (longest, _) = around_the_limit(&ours, &claims, key);
    add("as long as can be", longest);
    if let Signer::Es256(_) = key.signer {
        // Both are valid (RFC 7518 §3.4 does not demand the lower one).
        let (input, signature) = parts_of(&signed(&ours, &claims));
        let other = with_negated_s(&signature);
        add(
            "the same signature with n - s",
            format!("{input}.{}", BASE64URL_NOPAD.encode(&other)),
        );
    }
    add("nbf is now", signed(&ours, &claims.with("nbf", now)));
    if let Some(aud) = claims.get("aud") {
        add(
            "aud as a list of one",
            signed(&ours, &claims.with("aud", format!("[{aud}]"))),
        );
        add(
            "aud as a list with others",
            signed(
                &ours,
                &claims.with("aud", format!(r#"["https://other.example",{aud}]"#)),
            ),
        );
    }
    good
}

/// One token for every mistake a verifier can make. `others` must be further keys of the verifier.
pub(crate) fn corpus(key: Key<'_>, others: &[Key<'_>], claims: Value, now: i64) -> Vec<BadToken> {
    let corpus = Corpus {
        key,
        header: key.header(),
        claims: Members::of(&claims),
        now,
        tokens: Vec::new(),
    };
    corpus
        .algorithms()
        .confusions()
        .headers()
        .key_ids()
        .other_keys(others)
        .signatures()
        .macs()
        .curve_points()
        .shapes()
        .encodings()
        .times()
        .subjects()
        .payloads()
        .parties()
        .tokens
}

struct Corpus<'a> {
    key: Key<'a>,
    header: Members,
    claims: Members,
    now: i64,
    tokens: Vec<BadToken>,
}

impl Corpus<'_> {
    fn add(&mut self, name: impl Into<String>, token: impl Into<String>) {
        self.tokens.push(BadToken {
            name: name.into(),
            token: token.into(),
            expected: Verdict::Invalid,
        });
    }

    fn add_expired(&mut self, name: &str, payload: &Members) {
        let token = compact(&self.header, payload, self.key);
        self.tokens.push(BadToken {
            name: name.to_owned(),
            token,
            expected: Verdict::Expired,
        });
    }

    fn add_header(&mut self, name: impl Into<String>, header: &Members) {
        self.add(name, compact(header, &self.claims, self.key));
    }

    fn add_payload(&mut self, name: impl Into<String>, payload: &Members) {
        self.add(name, compact(&self.header, payload, self.key));
    }

    fn good(&self) -> String {
        compact(&self.header, &self.claims, self.key)
    }

    /// A good token's parts: header, payload, signature.
    fn good_parts(&self) -> [String; 3] {
        let token = self.good();
        let mut parts = token.split('.').map(str::to_owned);
        [(); 3].map(|()| parts.next().unwrap())
    }

    fn algorithms(mut self) -> Self {
        let ours = self.key.signer.alg();
        let other = if ours == "HS256" { "ES256" } else { "HS256" };
        for alg in [
            "none", "None", "NONE", "nOnE", "", "hs256", "Hs256", "HS256 ", "es256", "ES256K",
            "HS384", "HS512", "RS256", "RS512", "PS256", other, "ES384", "EdDSA", "A256GCM",
        ] {
            let header = self.header.with("alg", json!(alg));
            self.add_header(format!("alg {alg:?} with the signature of {ours}"), &header);
            let unsigned = signing_input(header.json().as_bytes(), self.claims.json().as_bytes());
            self.add(format!("alg {alg:?} without a signature"), unsigned + ".");
        }
        for (name, alg) in [
            ("a number", "256"),
            ("null", "null"),
            ("an array", &format!("[\"{ours}\"]")),
            ("an object", &format!("{{\"{ours}\":null}}")),
        ] {
            let header = self.header.with("alg", alg);
            self.add_header(format!("alg is {name}"), &header);
        }
        let header = self.header.without("alg");
        self.add_header("no alg", &header);
        self
    }

    /// MACs of another algorithm, keyed with what an attacker knows, or with the secret itself.
    fn confusions(mut self) -> Self {
        let keys: Vec<(&str, Vec<u8>)> = match self.key.signer {
            Signer::Hs256(secret) => vec![("the secret", secret.to_vec())],
            Signer::Es256(pair) => what_is_public(pair),
        };
        let own = self.key.signer.alg();
        for (alg, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            for (name, bytes) in keys.iter().filter(|_| alg != own) {
                for header in [self.header.with("alg", json!(alg)), self.header.clone()] {
                    let (header, payload) = (header.json(), self.claims.json());
                    let input = signing_input(header.as_bytes(), payload.as_bytes());
                    let mac = hmac::sign(&hmac::Key::new(algorithm, bytes), input.as_bytes());
                    let mac = BASE64URL_NOPAD.encode(mac.as_ref());
                    self.add(
                        format!("{alg} with {name}: {header}"),
                        format!("{input}.{mac}"),
                    );
                }
            }
        }
        self
    }

    fn headers(mut self) -> Self {
        for typ in [
            r#""reset+jwt""#,
            r#""at+jwt""#,
            r#""JWE""#,
            r#""jwt""#,
            r#""""#,
            "null",
            "1",
            r#"["JWT"]"#,
        ] {
            let header = self.header.with("typ", typ);
            self.add_header(format!("typ {typ}"), &header);
        }
        for (name, value) in [
            ("crit", r#"["exp"]"#),
            ("crit", "[]"),
            ("crit", "null"),
            ("b64", "false"),
            ("b64", "true"),
            ("zip", r#""DEF""#),
            ("jku", r#""https://evil.example/jwks.json""#),
            ("jwk", r#"{"kty":"oct","k":"c2VjcmV0"}"#),
            ("x5u", r#""https://evil.example/cert.pem""#),
            ("x5c", r#"["MIIB"]"#),
        ] {
            let header = self.header.with(name, value);
            self.add_header(format!("{name} {value}"), &header);
        }
        let alg = json!(self.key.signer.alg()).to_string();
        let header = self.header.with("crit", r#"["b64"]"#).with("b64", "false");
        self.add_header("crit and b64", &header);
        for (name, value) in [
            ("alg", r#""none""#),
            ("alg", &alg),
            ("typ", r#""JWT""#),
            ("note", "1"),
        ] {
            let header = self.header.with(name, value).and(name, value);
            self.add_header(format!("{name} {value} twice in the header"), &header);
        }
        let header = self.header.and("alg", r#""none""#);
        self.add_header("alg, then none", &header);
        let header = self.header.and(r"\u0061lg", r#""none""#);
        self.add_header("alg twice, once in escapes", &header);
        let crowd = (0..600).fold(self.header.clone(), |header, n| {
            header.and(&format!("{n:x}"), 1)
        });
        self.add_header("a header of hundreds of members", &crowd);

        let payload = self.claims.json();
        for (name, header) in [
            ("an empty header", String::new()),
            ("an empty object for a header", "{}".to_owned()),
            ("an array for a header", self.header.values()),
            (
                "a string for a header",
                json!(self.header.json()).to_string(),
            ),
            ("null for a header", "null".to_owned()),
            ("an unfinished header", self.header.json().replace('}', "")),
            ("a header with a tail", self.header.json() + "{}"),
            (
                "a header after a byte order mark",
                "\u{feff}".to_owned() + &self.header.json(),
            ),
            (
                "a header with a comment",
                self.header.json().replace(',', ",/**/"),
            ),
            ("a header that never ends to open", "[".repeat(2000)),
        ] {
            let token = compact_bytes(header.as_bytes(), payload.as_bytes(), self.key);
            self.add(name, token);
        }
        let mut header = self.header.with("note", r#""?""#).json().into_bytes();
        if let Some(mark) = header.iter_mut().find(|byte| **byte == b'?') {
            *mark = 0xff;
        }
        let token = compact_bytes(&header, payload.as_bytes(), self.key);
        self.add("a header that is not UTF-8", token);
        self
    }

    fn key_ids(mut self) -> Self {
        let kid = self.key.kid;
        for value in [
            json!(""),
            json!("unknown"),
            json!("../../../../dev/null"),
            json!("/dev/null"),
            json!("' OR '1'='1"),
            json!("x' UNION SELECT 'secret"),
            json!("| sleep 1"),
            json!(format!("{kid}\0")),
            json!(format!(" {kid}")),
            json!(format!("{kid}{kid}")),
            json!(kid.get(1..).unwrap_or_default()),
            json!("k".repeat(65)),
            json!("k".repeat(100_000)),
            json!(0),
            json!(null),
            json!(true),
            json!([kid]),
            json!({ "kid": kid }),
        ] {
            let header = self.header.with("kid", &value);
            let shown: String = value.to_string().chars().take(40).collect();
            self.add_header(format!("kid {shown}"), &header);
        }
        let header = self.header.without("kid");
        self.add_header("no kid", &header);
        let header = self.header.with("kid", json!(swap_case(kid)));
        self.add_header("kid in the other case", &header);
        let header = self.header.and("kid", json!(kid));
        self.add_header("one key named twice", &header);
        self
    }

    fn other_keys(mut self, others: &[Key<'_>]) -> Self {
        for other in others {
            let (ours, theirs) = (self.key.signer.alg(), other.signer.alg());
            let what = |what: &str| format!("{what} ({theirs} {})", other.kid);
            let named = self.header.with("kid", json!(other.kid));
            self.add_header(what("the other key named, this key's signature"), &named);
            let token = compact(&self.header, &self.claims, *other);
            self.add(what("this key named, the other key's signature"), token);
            let header = self.header.and("kid", json!(other.kid));
            self.add_header(what("both keys named"), &header);
            if ours != theirs {
                let token = compact(&named, &self.claims, *other);
                self.add(what("the other key named, with this key's alg"), token);
                let header = self.header.with("alg", json!(theirs));
                let token = compact(&header, &self.claims, *other);
                self.add(what("this key named, with the other key's alg"), token);
            }
        }
        self
    }

    fn signatures(mut self) -> Self {
        let [header, payload, mac] = self.good_parts();
        let input = format!("{header}.{payload}");
        let raw = BASE64URL_NOPAD.decode(mac.as_bytes()).unwrap();
        let signed = |input: &str| self.key.sign(input);
        let (bytes, characters) = (raw.len(), mac.len());
        for (name, mac) in [
            ("an empty signature", String::new()),
            (
                "a signature short of a character",
                mac[..characters - 1].to_owned(),
            ),
            (
                "a signature short of a byte",
                BASE64URL_NOPAD.encode(&raw[..bytes - 1]),
            ),
            (
                "half a signature",
                BASE64URL_NOPAD.encode(&raw[..bytes / 2]),
            ),
            (
                "a signature and a zero byte",
                BASE64URL_NOPAD.encode(&[&raw[..], &[0]].concat()),
            ),
            ("a signature twice", format!("{mac}{mac}")),
            ("a signature and a character", format!("{mac}A")),
            ("a padded signature", format!("{mac}=")),
            ("a signature and spaces", format!("{mac}  ")),
            ("a signature of zeros", "A".repeat(characters)),
            ("a signature with a bit flipped", flip_a_bit(&raw)),
            (
                "a signature in hexadecimal",
                data_encoding::HEXLOWER.encode(&raw),
            ),
            (
                "a signature with stray trailing bits",
                other_trailing_bits(&mac),
            ),
            ("a signature of the payload alone", signed(&payload)),
            ("a signature of the header alone", signed(&header)),
            (
                "a signature of the payload first",
                signed(&format!("{payload}.{header}")),
            ),
            (
                "a signature of what is decoded",
                signed(&format!("{}.{}", self.header.json(), self.claims.json())),
            ),
        ] {
            self.add(name, format!("{input}.{mac}"));
        }
        let admin = self
            .claims
            .with("role", r#""admin""#)
            .with("ver", 1_000_000);
        let admin = BASE64URL_NOPAD.encode(admin.json().as_bytes());
        self.add(
            "another payload under this signature",
            format!("{header}.{admin}.{mac}"),
        );
        self
    }

    /// MACs of other secrets.
    fn macs(mut self) -> Self {
        let Signer::Hs256(secret) = self.key.signer else {
            return self;
        };
        let [header, payload, _] = self.good_parts();
        for (name, secret) in [
            ("the MAC of an empty secret", Vec::new()),
            (
                "the MAC of the secret and a newline",
                [secret, b"\n"].concat(),
            ),
            ("the MAC of the kid", header.clone().into_bytes()),
        ] {
            let signer = Signer::Hs256(&secret);
            let token = compact_raw(&header, &payload, Key { signer, ..self.key });
            self.add(name, token);
        }
        self
    }

    /// Pairs `r`, `s` that are no signature, or are one in another form.
    fn curve_points(mut self) -> Self {
        let Signer::Es256(_) = self.key.signer else {
            return self;
        };
        let (input, good) = parts_of(&self.good());
        let (r, s) = good.split_at(32);
        let mut one = [0; 32];
        one[31] = 1;
        let (zero, order, most) = ([0; 32], ORDER, [0xff; 32]);
        for (name, signature) in [
            ("r and s are zero", [zero, zero].concat()),
            ("r is zero", [&zero, s].concat()),
            ("s is zero", [r, &zero].concat()),
            ("r and s are one", [one, one].concat()),
            ("r and s are the order", [order, order].concat()),
            ("r is the order", [&order, s].concat()),
            ("s is the order", [r, &order].concat()),
            ("r and s are the most", [most, most].concat()),
            ("r for s and s for r", [s, r].concat()),
            ("r twice", [r, r].concat()),
            ("r and s in DER", der(r, s)),
            ("r and s of 33 bytes", [&[0][..], r, &[0], s].concat()),
            (
                "r and s from their ends",
                good.iter().rev().copied().collect(),
            ),
        ] {
            self.add(
                name,
                format!("{input}.{}", BASE64URL_NOPAD.encode(&signature)),
            );
        }
        let stranger = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random());
        let stranger = stranger.unwrap();
        let stranger = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            stranger.as_ref(),
            &random(),
        )
        .unwrap();
        let key = Key {
            signer: Signer::Es256(&stranger),
            ..self.key
        };
        self.add(
            "this key named, a stranger's signature",
            compact(&self.header, &self.claims, key),
        );
        let public = what_is_public(&stranger);
        let [x, y] = [1, 2].map(|n| String::from_utf8(public[n].1.clone()).unwrap());
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "kid": self.key.kid,
            "x": x, "y": y,
        });
        let header = self.header.with("jwk", jwk);
        self.add(
            "a stranger's key in the header",
            compact(&header, &self.claims, key),
        );
        self
    }

    fn shapes(mut self) -> Self {
        let [header, payload, mac] = self.good_parts();
        let good = self.good();
        let json =
            format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{mac}"}}"#);
        let general = format!(
            r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{mac}"}}]}}"#
        );
        for (name, token) in [
            ("nothing", String::new()),
            ("a dot", ".".to_owned()),
            ("two dots", "..".to_owned()),
            ("a word", "token".to_owned()),
            ("one part", header.clone()),
            ("two parts", format!("{header}.{payload}")),
            ("four parts", format!("{good}.{mac}")),
            ("four parts, the last empty", format!("{good}.")),
            ("five parts (JWE)", format!("{good}.{mac}.{mac}")),
            ("a dot before", format!(".{good}")),
            ("an empty payload", format!("{header}..{mac}")),
            ("a detached payload", compact_raw(&header, "", self.key)),
            ("the flattened JSON serialisation", json),
            ("the general JSON serialisation", general),
            ("a trailing newline", format!("{good}\n")),
            ("a trailing CRLF", format!("{good}\r\n")),
            ("a leading space", format!(" {good}")),
            ("a trailing space", format!("{good} ")),
            ("a trailing NUL", format!("{good}\0")),
            ("a scheme before", format!("Bearer {good}")),
            ("in quotes", format!("\"{good}\"")),
            ("the token twice", format!("{good},{good}")),
            ("a full-width dot", format!("{header}．{payload}.{mac}")),
            (
                "a payload with a dot in it, signed so",
                compact_raw(&header, &format!("{payload}.{payload}"), self.key),
            ),
        ] {
            self.add(name, token);
        }
        let (_, too_long) = around_the_limit(&self.header, &self.claims, self.key);
        self.add("a little more than 4096 bytes", too_long);
        let payload = self.claims.with("note", json!("n".repeat(100_000)));
        self.add_payload("100 KB", &payload);
        self
    }

    fn encodings(mut self) -> Self {
        // A claim chosen so that its base64 contains the two characters in which the alphabets differ.
        let telling = self.claims.with("note", r#""???>>>~~~""#).json();
        let [header, payload, _] = self.good_parts();
        let standard = BASE64_NOPAD.encode(telling.as_bytes());
        assert!(standard.contains(['+', '/']));
        let token = compact_raw(&header, &standard, self.key);
        self.add("a payload in the alphabet of plain base64", token);

        for spaces in 0..3 {
            let text = self.claims.json() + &" ".repeat(spaces);
            let padded = BASE64URL.encode(text.as_bytes());
            if padded.ends_with('=') {
                let token = compact_raw(&header, &padded, self.key);
                self.add(format!("a padded payload ({spaces})"), token);
                let stray = other_trailing_bits(padded.trim_end_matches('='));
                let token = compact_raw(&header, &stray, self.key);
                self.add(
                    format!("a payload with stray trailing bits ({spaces})"),
                    token,
                );
            }
        }
        for (name, payload) in [
            (
                "a payload with a line break in its base64",
                format!("{payload}\n"),
            ),
            (
                "a payload with a space in its base64",
                format!("{payload} "),
            ),
            ("a payload with a percent sign", format!("{payload}%3D")),
            ("a payload that is not encoded", self.claims.json()),
            (
                "a payload encoded twice",
                BASE64URL_NOPAD.encode(payload.as_bytes()),
            ),
        ] {
            self.add(name, compact_raw(&header, &payload, self.key));
        }
        let mut payload = self.claims.with("note", r#""?""#).json().into_bytes();
        if let Some(mark) = payload.iter_mut().find(|byte| **byte == b'?') {
            *mark = 0xff;
        }
        let token = compact_bytes(self.header.json().as_bytes(), &payload, self.key);
        self.add("a payload that is not UTF-8", token);
        self
    }

    fn times(mut self) -> Self {
        let now = self.now;
        let claims = self.claims.clone();
        for (name, exp) in [
            ("a string", format!("\"{}\"", now + 100)),
            ("a float", format!("{}.5", now + 100)),
            ("a float without a fraction", format!("{}.0", now + 100)),
            ("an exponent", "2e9".to_owned()),
            ("null", "null".to_owned()),
            ("true", "true".to_owned()),
            ("an array", format!("[{}]", now + 100)),
            ("2^63", "9223372036854775808".to_owned()),
            ("2^63 - 1", "9223372036854775807".to_owned()),
            ("2^64", "18446744073709551616".to_owned()),
            ("2^64 and a bit", format!("18446744073709551616{now}")),
            ("infinite", "1e999".to_owned()),
            ("not a number", "NaN".to_owned()),
            ("with a leading zero", format!("0{}", now + 100)),
            ("with a plus", format!("+{}", now + 100)),
            ("in hexadecimal", "0x7fffffff".to_owned()),
            ("negative", "-1".to_owned()),
            ("the least integer", "-9223372036854775808".to_owned()),
            ("in milliseconds", format!("{}000", now + 100)),
        ] {
            self.add_payload(format!("exp is {name}"), &claims.with("exp", &exp));
            if name != "negative" {
                self.add_payload(format!("iat is {name}"), &claims.with("iat", &exp));
            }
            // An nbf before now is valid.
            if !["negative", "the least integer"].contains(&name) {
                self.add_payload(format!("nbf is {name}"), &claims.with("nbf", &exp));
            }
        }
        self.add_payload("no exp", &claims.without("exp"));
        self.add_payload("no iat", &claims.without("iat"));
        self.add_payload("neither iat nor exp", &claims.without("iat").without("exp"));
        self.add_payload("nbf a second ahead", &claims.with("nbf", now + 1));
        for (name, iat, exp) in [
            ("iat 61 seconds ahead", now + 61, now + 1000),
            (
                "iat a year ahead",
                now + 31_536_000,
                now + 31_536_000 + 1000,
            ),
            ("a life of ten years", now, now + 315_360_000),
            ("a life a second too long", now, now + LONGEST_LIFE + 1),
            ("exp is iat", now + 30, now + 30),
            ("exp before iat", now + 30, now + 20),
            ("exp long before iat", now, now - 1_000_000),
            ("iat is zero", 0, now + 1000),
            ("a life that overflows", i64::MIN, i64::MAX),
            ("a life that overflows downwards", now, i64::MIN),
        ] {
            self.add_payload(name, &claims.with("iat", iat).with("exp", exp));
        }
        for (name, iat, exp) in [
            ("exp is now", now - 1000, now),
            ("exp was a second ago", now - 1000, now - 1),
            (
                "exp was a year ago",
                now - 31_536_000,
                now - 31_536_000 + 1000,
            ),
            ("exp was before 1970", -1000, -1),
        ] {
            self.add_expired(name, &claims.with("iat", iat).with("exp", exp));
        }
        let expired = claims.with("iat", now - 1000).with("exp", now - 1);
        let forged = compact(&self.header, &expired, self.key);
        let (input, mut signature) = parts_of(&forged);
        signature[0] ^= 1;
        let forged = format!("{input}.{}", BASE64URL_NOPAD.encode(&signature));
        self.add("expired, and not signed by us", forged);
        self.add_payload(
            "expired, and of no role",
            &expired.with("role", r#""superadmin""#),
        );
        self
    }

    fn subjects(mut self) -> Self {
        let claims = self.claims.clone();
        for name in ["sub", "orgId", "sid"] {
            for value in [
                r#""""#,
                r#""1""#,
                r#""admin@example.com""#,
                r#""not-a-uuid-not-a-uuid-not-a-uuid-nota""#,
                r#""0192f7a0-0000-7000-8000-00000000000g""#,
                r#""0192f7a0-0000-7000-8000-0000000000""#,
                r#"" 0192f7a0-0000-7000-8000-000000000001""#,
                r#""' OR 1=1 --""#,
                "1",
                "null",
                "true",
                "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]",
                r#"{"$ne":""}"#,
            ] {
                self.add_payload(format!("{name} is {value}"), &claims.with(name, value));
            }
            self.add_payload(format!("no {name}"), &claims.without(name));
        }
        for role in [
            r#""superadmin""#,
            r#""Admin""#,
            r#""ADMIN""#,
            r#""admin ""#,
            r#""""#,
            r#""admin,employee""#,
            "2",
            "null",
            "true",
            r#"["admin"]"#,
            r#"{"admin":null}"#,
        ] {
            self.add_payload(format!("role {role}"), &claims.with("role", role));
        }
        self.add_payload("no role", &claims.without("role"));
        for ver in [
            r#""1""#,
            "1.0",
            "1.5",
            "null",
            "true",
            "[1]",
            "2147483648",
            "-2147483649",
            "18446744073709551616",
            "1e3",
        ] {
            self.add_payload(format!("ver {ver}"), &claims.with("ver", ver));
            self.add_payload(format!("pv {ver}"), &claims.with("pv", ver));
        }
        self.add_payload("no ver", &claims.without("ver"));
        self
    }

    fn payloads(mut self) -> Self {
        let claims = self.claims.clone();
        for (name, value) in claims.0.clone() {
            self.add_payload(format!("{name} twice"), &claims.and(&name, &value));
        }
        self.add_payload("two roles", &claims.and("role", r#""admin""#));
        self.add_payload("a role in escapes", &claims.and(r"r\u006fle", r#""admin""#));
        self.add_payload(
            "an unknown claim twice",
            &claims.and("note", 1).and("note", 2),
        );
        self.add_payload("two nbf", &claims.and("nbf", 1).and("nbf", 1));
        let crowd = (0..40).fold(claims.clone(), |claims, n| claims.and(&format!("n{n}"), n));
        self.add_payload("dozens of unknown claims", &crowd);
        let text = claims.json();
        for (name, payload) in [
            ("an empty payload, signed", String::new()),
            ("an empty object", "{}".to_owned()),
            ("null", "null".to_owned()),
            ("a number", "1".to_owned()),
            ("a string", json!(text).to_string()),
            ("the claims in an array", format!("[{text}]")),
            ("the claims' values in an array", claims.values()),
            ("the claims' values in the order of our own", {
                let order = [
                    "sub", "orgId", "role", "sid", "ver", "pv", "iat", "exp", "nbf", "iss", "aud",
                ];
                Members(
                    order
                        .iter()
                        .filter_map(|name| Some(((*name).to_owned(), claims.get(name)?)))
                        .collect(),
                )
                .values()
            }),
            ("two objects", format!("{text}{text}")),
            (
                "an unfinished object",
                text.trim_end_matches('}').to_owned(),
            ),
            ("a trailing comma", text.replace('}', ",}")),
            ("names without quotes", text.replace("\"sub\"", "sub")),
            ("single quotes", text.replace('"', "'")),
            ("a trailing NUL in the JSON", format!("{text}\0")),
            ("a byte order mark", format!("\u{feff}{text}")),
            (
                "arrays a thousand deep",
                "[".repeat(1400) + &"]".repeat(1400),
            ),
            (
                "objects hundreds deep",
                r#"{"a":"#.repeat(500) + "1" + &"}".repeat(500),
            ),
        ] {
            let token = compact_bytes(self.header.json().as_bytes(), payload.as_bytes(), self.key);
            self.add(format!("{name} for a payload"), token);
        }
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        self.add_payload("sub a thousand arrays deep", &claims.with("sub", deep));
        let snake = text.replace("\"orgId\"", "\"org_id\"");
        let token = compact_bytes(self.header.json().as_bytes(), snake.as_bytes(), self.key);
        self.add("orgId spelled org_id", token);
        self
    }

    /// For verifiers that require an issuer and an audience; others must refuse every audience.
    fn parties(mut self) -> Self {
        let claims = self.claims.clone();
        for name in ["iss", "aud"] {
            let Some(value) = claims.get(name) else {
                continue;
            };
            let text = value.trim_matches('"');
            self.add_payload(format!("no {name}"), &claims.without(name));
            for wrong in [
                json!("https://other.example"),
                json!(""),
                json!(null),
                json!(1),
                json!({ text: true }),
                json!(format!("{text}/")),
                json!(text.to_uppercase()),
                json!(format!("{text} ")),
                json!([]),
                json!(["https://other.example"]),
                json!([[text]]),
                json!([text, 1]),
            ] {
                self.add_payload(format!("{name} is {wrong}"), &claims.with(name, wrong));
            }
        }
        if claims.get("iss").is_some() {
            let listed = format!("[{}]", claims.get("iss").unwrap());
            self.add_payload("iss in an array", &claims.with("iss", listed));
        }
        if claims.get("aud").is_none() {
            for aud in [r#""https://other.example""#, r#"["a","b"]"#, "[]", "null"] {
                self.add_payload(format!("aud {aud}, unasked"), &claims.with("aud", aud));
            }
        }
        self
    }
}

/// Members of a JSON object in order; values are raw JSON text, so that they can be anything.
#[derive(Clone)]
struct Members(Vec<(String, String)>);

impl Members {
    fn of(object: &Value) -> Self {
        let members = object.as_object().expect("claims are an object");
        Self(
            members
                .iter()
                .map(|(k, v)| (k.clone(), v.to_string()))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        Some(value.clone())
    }

    /// Replaced, or appended.
    fn with(&self, name: &str, value: impl ToString) -> Self {
        let mut members = self.clone();
        match members.0.iter_mut().find(|(n, _)| n == name) {
            Some(member) => member.1 = value.to_string(),
            None => members.0.push((name.to_owned(), value.to_string())),
        }
        members
    }

    fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(n, _)| n != name).cloned().collect())
    }

    /// Appended, even if it exists already.
    fn and(&self, name: &str, value: impl ToString) -> Self {
        let mut members = self.clone();
        members.0.push((name.to_owned(), value.to_string()));
        members
    }

    fn json(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        format!("{{{}}}", members.join(","))
    }

    fn values(&self) -> String {
        let values: Vec<&str> = self.0.iter().map(|(_, v)| v.as_str()).collect();
        format!("[{}]", values.join(","))
    }
}

fn compact(header: &Members, payload: &Members, key: Key<'_>) -> String {
    compact_bytes(header.json().as_bytes(), payload.json().as_bytes(), key)
}

fn compact_bytes(header: &[u8], payload: &[u8], key: Key<'_>) -> String {
    compact_raw(
        &BASE64URL_NOPAD.encode(header),
        &BASE64URL_NOPAD.encode(payload),
        key,
    )
}

/// A token of the given parts, correctly signed.
fn compact_raw(header: &str, payload: &str, key: Key<'_>) -> String {
    let input = format!("{header}.{payload}");
    format!("{input}.{}", key.sign(&input))
}

/// What is signed, and the decoded signature.
fn parts_of(token: &str) -> (String, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    (input.to_owned(), signature)
}

/// The order of the group of P-256, big endian (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The other signature of the same text under the same key: `r`, and the order minus `s`.
fn with_negated_s(signature: &[u8]) -> Vec<u8> {
    let mut negated = signature.to_vec();
    let mut borrow = 0;
    for n in (0..32).rev() {
        let difference = i16::from(ORDER[n]) - i16::from(signature[32 + n]) - borrow;
        borrow = i16::from(difference < 0);
        negated[32 + n] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    negated
}

/// `SEQUENCE { INTEGER r, INTEGER s }`, as other protocols write a signature.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut value = bytes[zeros..].to_vec();
        if value.first().is_none_or(|first| *first >= 0x80) {
            value.insert(0, 0);
        }
        [&[2, u8::try_from(value.len()).unwrap()], &value[..]].concat()
    };
    let content = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

/// What everybody can know of a key, in the forms in which it could be taken for a secret: its point, `x`, `y`, the
/// thumbprint, and the DER and the PEM of its public key.
fn what_is_public(pair: &EcdsaKeyPair) -> Vec<(&'static str, Vec<u8>)> {
    let point = pair.public_key().as_ref();
    let [x, y] = [&point[1..33], &point[33..]].map(|half| BASE64URL_NOPAD.encode(half));
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let thumbprint = BASE64URL_NOPAD.encode(digest(&SHA256, members.as_bytes()).as_ref());
    let prefix = data_encoding::HEXLOWER
        .decode(b"3059301306072a8648ce3d020106082a8648ce3d030107034200")
        .unwrap();
    let spki = [&prefix[..], point].concat();
    let base64 = BASE64.encode(&spki);
    let (first, second) = base64.split_at(64);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n");
    vec![
        ("the point", point.to_vec()),
        ("x in base64url", x.into_bytes()),
        ("y in base64url", y.into_bytes()),
        ("x", point[1..33].to_vec()),
        ("the thumbprint", thumbprint.into_bytes()),
        ("the JWK", members.into_bytes()),
        (
            "the PEM without a line break at its end",
            pem.trim_end().as_bytes().to_vec(),
        ),
        ("the PEM", pem.into_bytes()),
        ("the DER", spki),
        ("nothing", Vec::new()),
    ]
}

#[expect(clippy::disallowed_methods, reason = "ring accepts no other source")]
fn random() -> SystemRandom {
    SystemRandom::new()
}

/// The longest token of at most 4096 bytes, and the next longer one.
fn around_the_limit(header: &Members, claims: &Members, key: Key<'_>) -> (String, String) {
    let token = |n| compact(header, &claims.with("note", json!("n".repeat(n))), key);
    let too_long = (0..).find(|n| token(*n).len() > 4096).unwrap();
    (token(too_long - 1), token(too_long))
}

fn signing_input(header: &[u8], payload: &[u8]) -> String {
    format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header),
        BASE64URL_NOPAD.encode(payload)
    )
}

fn flip_a_bit(mac: &[u8]) -> String {
    let mut mac = mac.to_vec();
    mac[0] ^= 1;
    BASE64URL_NOPAD.encode(&mac)
}

/// The same bytes to a lenient decoder: the unused bits of the last character are not zero.
fn other_trailing_bits(base64: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = base64.split_at(base64.len() - 1);
    let place = ALPHABET
        .iter()
        .position(|c| last.as_bytes() == [*c])
        .unwrap();
    format!("{rest}{}", char::from(ALPHABET[place | 1]))
}

fn swap_case(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}
