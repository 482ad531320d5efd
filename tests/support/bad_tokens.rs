//! Tokens that must be refused, although most of them are signed correctly, and matching good ones.
//!
//! Depends on the wire format only, so that a verifier's unit test and a test over HTTP can share it.

use data_encoding::{BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use ring::hmac;
use serde_json::{Value, json};

/// The maximum lifetime of an access token, in seconds.
const LONGEST_LIFE: i64 = 604_800;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Invalid,
    Expired,
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
pub(crate) fn good_tokens(
    secret: &[u8],
    kid: &str,
    claims: &Value,
    now: i64,
) -> Vec<(String, String)> {
    let ours = header(kid);
    let claims = Members::of(claims);
    let signed = |header: &Members, payload: &Members| compact(header, payload, secret);
    let mut good: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, token: String| good.push((name.to_owned(), token));

    add("as it is", signed(&ours, &claims));
    add(
        "members of the header in another order",
        signed(&ours.without("alg").with("alg", r#""HS256""#), &claims),
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
            secret,
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
    let (longest, _) = around_the_limit(&ours, &claims, secret);
    add("as long as can be", longest);
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

/// One token for every mistake a verifier can make. `secret` and `other` (secret, kid) must be keys of the verifier.
pub(crate) fn corpus(
    secret: &[u8],
    kid: &str,
    other: (&[u8], &str),
    claims: Value,
    now: i64,
) -> Vec<BadToken> {
    let corpus = Corpus {
        secret,
        header: header(kid),
        claims: Members::of(&claims),
        now,
        tokens: Vec::new(),
    };
    corpus
        .algorithms()
        .headers()
        .key_ids(kid, other)
        .signatures()
        .shapes()
        .encodings()
        .times()
        .subjects()
        .payloads()
        .parties()
        .tokens
}

struct Corpus<'a> {
    secret: &'a [u8],
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
        let token = compact(&self.header, payload, self.secret);
        self.tokens.push(BadToken {
            name: name.to_owned(),
            token,
            expected: Verdict::Expired,
        });
    }

    fn add_header(&mut self, name: impl Into<String>, header: &Members) {
        self.add(name, compact(header, &self.claims, self.secret));
    }

    fn add_payload(&mut self, name: impl Into<String>, payload: &Members) {
        self.add(name, compact(&self.header, payload, self.secret));
    }

    fn good(&self) -> String {
        compact(&self.header, &self.claims, self.secret)
    }

    /// A good token's parts: header, payload, signature.
    fn good_parts(&self) -> [String; 3] {
        let token = self.good();
        let mut parts = token.split('.').map(str::to_owned);
        [(); 3].map(|()| parts.next().unwrap())
    }

    fn algorithms(mut self) -> Self {
        for alg in [
            "none", "None", "NONE", "nOnE", "", "hs256", "Hs256", "HS256 ", "HS384", "HS512",
            "RS256", "RS512", "PS256", "ES256", "EdDSA", "A256GCM",
        ] {
            let header = self.header.with("alg", json!(alg));
            self.add_header(format!("alg {alg:?} with an HS256 MAC"), &header);
            let unsigned = signing_input(header.json().as_bytes(), self.claims.json().as_bytes());
            self.add(format!("alg {alg:?} without a MAC"), unsigned + ".");
        }
        for (alg, algorithm) in [("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
            let input = signing_input(
                self.header.with("alg", json!(alg)).json().as_bytes(),
                self.claims.json().as_bytes(),
            );
            let mac = hmac::sign(&hmac::Key::new(algorithm, self.secret), input.as_bytes());
            let mac = BASE64URL_NOPAD.encode(mac.as_ref());
            self.add(
                format!("alg {alg} with its own MAC"),
                format!("{input}.{mac}"),
            );
        }
        for (name, alg) in [
            ("a number", "256"),
            ("null", "null"),
            ("an array", r#"["HS256"]"#),
            ("an object", r#"{"HS256":null}"#),
        ] {
            let header = self.header.with("alg", alg);
            self.add_header(format!("alg is {name}"), &header);
        }
        let header = self.header.without("alg");
        self.add_header("no alg", &header);
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
        let header = self.header.with("crit", r#"["b64"]"#).with("b64", "false");
        self.add_header("crit and b64", &header);
        for (name, value) in [
            ("alg", r#""none""#),
            ("alg", r#""HS256""#),
            ("typ", r#""JWT""#),
            ("note", "1"),
        ] {
            let header = self.header.with(name, value).and(name, value);
            self.add_header(format!("{name} {value} twice in the header"), &header);
        }
        let header = self.header.and("alg", r#""none""#);
        self.add_header("alg HS256, then none", &header);
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
            let token = compact_bytes(header.as_bytes(), payload.as_bytes(), self.secret);
            self.add(name, token);
        }
        let mut header = self.header.with("note", r#""?""#).json().into_bytes();
        if let Some(mark) = header.iter_mut().find(|byte| **byte == b'?') {
            *mark = 0xff;
        }
        let token = compact_bytes(&header, payload.as_bytes(), self.secret);
        self.add("a header that is not UTF-8", token);
        self
    }

    fn key_ids(mut self, kid: &str, (other_secret, other_kid): (&[u8], &str)) -> Self {
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
        let header = self.header.with("kid", json!(other_kid));
        self.add_header("the other key named, this key's MAC", &header);
        let token = compact(&self.header, &self.claims, other_secret);
        self.add("this key named, the other key's MAC", token);
        let header = self.header.and("kid", json!(other_kid));
        self.add_header("both keys named", &header);
        let header = self.header.and("kid", json!(kid));
        self.add_header("one key named twice", &header);
        self
    }

    fn signatures(mut self) -> Self {
        let [header, payload, mac] = self.good_parts();
        let input = format!("{header}.{payload}");
        let raw = BASE64URL_NOPAD.decode(mac.as_bytes()).unwrap();
        let signed_by = |secret: &[u8], input: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            BASE64URL_NOPAD.encode(hmac::sign(&key, input.as_bytes()).as_ref())
        };
        for (name, mac) in [
            ("an empty signature", String::new()),
            ("a signature short of a character", mac[..42].to_owned()),
            (
                "a signature short of a byte",
                BASE64URL_NOPAD.encode(&raw[..31]),
            ),
            ("half a signature", BASE64URL_NOPAD.encode(&raw[..16])),
            (
                "a signature and a zero byte",
                BASE64URL_NOPAD.encode(&[&raw[..], &[0]].concat()),
            ),
            ("a signature twice", format!("{mac}{mac}")),
            ("a signature and a character", format!("{mac}A")),
            ("a padded signature", format!("{mac}=")),
            ("a signature and spaces", format!("{mac}  ")),
            ("a signature of zeros", "A".repeat(43)),
            ("a signature with a bit flipped", flip_a_bit(&raw)),
            (
                "a signature in hexadecimal",
                data_encoding::HEXLOWER.encode(&raw),
            ),
            (
                "a signature with stray trailing bits",
                other_trailing_bits(&mac),
            ),
            ("the MAC of an empty secret", signed_by(b"", &input)),
            (
                "the MAC of the secret and a newline",
                signed_by(&[self.secret, b"\n"].concat(), &input),
            ),
            ("the MAC of the kid", signed_by(header.as_bytes(), &input)),
            (
                "the MAC of the payload alone",
                signed_by(self.secret, &payload),
            ),
            (
                "the MAC of the header alone",
                signed_by(self.secret, &header),
            ),
            (
                "the MAC of the payload first",
                signed_by(self.secret, &format!("{payload}.{header}")),
            ),
            (
                "the MAC of what is decoded",
                signed_by(
                    self.secret,
                    &format!("{}.{}", self.header.json(), self.claims.json()),
                ),
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
            ("a detached payload", compact_raw(&header, "", self.secret)),
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
                compact_raw(&header, &format!("{payload}.{payload}"), self.secret),
            ),
        ] {
            self.add(name, token);
        }
        let (_, too_long) = around_the_limit(&self.header, &self.claims, self.secret);
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
        let token = compact_raw(&header, &standard, self.secret);
        self.add("a payload in the alphabet of plain base64", token);

        for spaces in 0..3 {
            let text = self.claims.json() + &" ".repeat(spaces);
            let padded = BASE64URL.encode(text.as_bytes());
            if padded.ends_with('=') {
                let token = compact_raw(&header, &padded, self.secret);
                self.add(format!("a padded payload ({spaces})"), token);
                let stray = other_trailing_bits(padded.trim_end_matches('='));
                let token = compact_raw(&header, &stray, self.secret);
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
            self.add(name, compact_raw(&header, &payload, self.secret));
        }
        let mut payload = self.claims.with("note", r#""?""#).json().into_bytes();
        if let Some(mark) = payload.iter_mut().find(|byte| **byte == b'?') {
            *mark = 0xff;
        }
        let token = compact_bytes(self.header.json().as_bytes(), &payload, self.secret);
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
        let forged = compact(&self.header, &expired, b"some other secret");
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
            let token = compact_bytes(
                self.header.json().as_bytes(),
                payload.as_bytes(),
                self.secret,
            );
            self.add(format!("{name} for a payload"), token);
        }
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        self.add_payload("sub a thousand arrays deep", &claims.with("sub", deep));
        let snake = text.replace("\"orgId\"", "\"org_id\"");
        let token = compact_bytes(self.header.json().as_bytes(), snake.as_bytes(), self.secret);
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

fn header(kid: &str) -> Members {
    Members::of(&json!({}))
        .with("typ", r#""JWT""#)
        .with("alg", r#""HS256""#)
        .with("kid", json!(kid))
}

fn compact(header: &Members, payload: &Members, secret: &[u8]) -> String {
    compact_bytes(header.json().as_bytes(), payload.json().as_bytes(), secret)
}

fn compact_bytes(header: &[u8], payload: &[u8], secret: &[u8]) -> String {
    compact_raw(
        &BASE64URL_NOPAD.encode(header),
        &BASE64URL_NOPAD.encode(payload),
        secret,
    )
}

/// A token of the given parts, correctly signed.
fn compact_raw(header: &str, payload: &str, secret: &[u8]) -> String {
    let input = format!("{header}.{payload}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mac = BASE64URL_NOPAD.encode(hmac::sign(&key, input.as_bytes()).as_ref());
    format!("{input}.{mac}")
}

/// The longest token of at most 4096 bytes, and the next longer one.
fn around_the_limit(header: &Members, claims: &Members, secret: &[u8]) -> (String, String) {
    let token = |n| compact(header, &claims.with("note", json!("n".repeat(n))), secret);
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
