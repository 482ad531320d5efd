//! The rules of translation, one by one; and what no text does.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::Value;
use stored_passwords::{
    ImportedHash, Password, PepperName, Peppers, Project, Refusal, Scheme, Stored, translate,
};

fn scheme(name: &str) -> Scheme {
    name.parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn translated(name: &str, text: &str) -> Result<String, Refusal> {
    match translate(&scheme(name), &Stored::new(text))? {
        Password::Hash(hash) => Ok(hash.to_string()),
        Password::None => Ok("none".to_owned()),
    }
}

fn hash(name: &str, stored: &Stored<'_>) -> ImportedHash {
    match translate(&scheme(name), stored) {
        Ok(Password::Hash(hash)) => hash,
        other => panic!("{name}, {}: {other:?}", stored.hash),
    }
}

const SALT: &str = "c2FsdHNhbHQ";
/// 32 bytes in base64.
const OUTPUT: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
const OUTPUT_HEX: &str = "3031323334353637383961626364656630313233343536373839616263646566";
const BCRYPT: &str = "$2b$10$vi4Y7BlmK6pdZ9oekpUgvOq6MtPds5iZCCUEcfiX6x6eYsSwsk9em";

#[test]
fn markers_mean_that_there_is_no_password() {
    for (name, _) in Scheme::ALL {
        for marker in [
            "",
            " ",
            "!",
            "!!",
            "!q1ABTEtDKCjQhbTmtkB1Kt3VDZo322",
            "*",
            "x",
            "*LK*",
            "*0",
            "{CRYPT}!",
            "{CRYPT}*",
        ] {
            let name = name.to_string();
            assert_eq!(
                translated(&name, marker),
                Ok("none".to_owned()),
                "{name} {marker}"
            );
        }
    }
    assert!(translated("auto", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19").is_err());
}

#[test]
fn blanks_around_a_hash_do_not_count() {
    assert_eq!(
        translated("bcrypt", &format!("  {BCRYPT} \r\n")),
        translated("bcrypt", BCRYPT)
    );
}

#[test]
fn argon2_is_read_in_any_order_and_without_a_version_is_1_0() {
    let canonical = |version: u8| {
        Ok(format!(
            "$in$raw$argon2id$v={version},m=64,t=3,p=2${SALT}${OUTPUT}"
        ))
    };
    for costs in [
        "m=64,t=3,p=2",
        "m=64,p=2,t=3",
        "t=3,m=64,p=2",
        "p=2,t=3,m=64",
    ] {
        let text = |version: &str| format!("$argon2id{version}${costs}${SALT}${OUTPUT}");
        assert_eq!(translated("argon2", &text("$v=19")), canonical(19));
        assert_eq!(translated("argon2", &text("$v=16")), canonical(16));
        assert_eq!(translated("argon2", &text("")), canonical(16));
        assert_eq!(translated("auto", &text("$v=19")), canonical(19));
    }
    assert_eq!(
        translated(
            "argon2",
            &format!("$argon2id$v=19$m=64,t=3,p=2${SALT}=${OUTPUT}=")
        ),
        canonical(19)
    );
}

#[test]
fn a_number_has_digits_only_and_a_parameter_stands_there_once() {
    for costs in [
        "m=64,t=3",
        "m=64,t=3,p=2,p=2",
        "m=64,t=3,p=2,keyid=YQ",
        "m=64,t=3,p=2,data=YQ",
        "m=+64,t=3,p=2",
        "m=64,t= 3,p=2",
        "m=-64,t=3,p=2",
        "m=6_4,t=3,p=2",
        "m=0x40,t=3,p=2",
        "m=064,t=3,p=2",
        "m=,t=3,p=2",
        "m=99999999999,t=3,p=2",
        "m=٦٤,t=3,p=2",
        "",
    ] {
        let text = format!("$argon2id$v=19${costs}${SALT}${OUTPUT}");
        assert!(
            matches!(translated("argon2", &text), Err(Refusal::Malformed(_))),
            "{costs}"
        );
    }
    for iterations in ["+1000", "1e3", "1,000", "1000 ", "", "-1"] {
        for text in [
            format!("pbkdf2_sha256${iterations}$salt${OUTPUT}="),
            format!("$pbkdf2-sha256${iterations}${SALT}${OUTPUT}"),
            format!("pbkdf2:sha256:{iterations}$salt${OUTPUT_HEX}"),
            format!("$5$rounds={iterations}$salt$OyHlAM0BzWgQjdoaqA9756BnSpgp9ObRHkeU4JW0lxD"),
        ] {
            for name in ["django", "passlib", "werkzeug", "crypt"] {
                assert!(translated(name, &text).is_err(), "{text}");
            }
        }
    }
}

#[test]
fn base64_is_compared_as_bytes() {
    let canonical = translated("passlib", &format!("$pbkdf2-sha256$1000${SALT}${OUTPUT}"));
    assert!(canonical.is_ok());
    for output in [
        format!("{OUTPUT}="),
        // The last character has loose bits.
        OUTPUT.strip_suffix('Y').unwrap().to_owned() + "Z",
    ] {
        let text = format!("$pbkdf2-sha256$1000${SALT}${output}");
        assert_eq!(translated("passlib", &text), canonical);
    }
    // Zitadel has `+` where passlib has `.`.
    let both = ["+/+/+/+/+/+/+/+/+/+/+/", "./././././././././././"]
        .map(|output| translated("zitadel", &format!("$pbkdf2-sha256$1000${SALT}${output}")));
    let [plus, dot] = both;
    assert!(plus.is_ok());
    assert_eq!(plus, dot);
}

#[test]
fn ln_is_a_logarithm_for_passlib_and_n_itself_for_kratos() {
    let scrypt = |ln: &str, pad: &str| format!("$scrypt$ln={ln},r=8,p=1${SALT}{pad}${OUTPUT}{pad}");
    let canonical = |ln: u8| Ok(format!("$in$raw$scrypt$ln={ln},r=8,p=1${SALT}${OUTPUT}"));
    assert_eq!(translated("passlib", &scrypt("16", "")), canonical(16));
    assert_eq!(translated("kratos", &scrypt("16", "=")), canonical(4));
    assert_eq!(translated("kratos", &scrypt("16384", "=")), canonical(14));
    // Padding, or a number that is no logarithm, tells Kratos's.
    assert_eq!(translated("auto", &scrypt("16384", "=")), canonical(14));
    assert_eq!(translated("auto", &scrypt("16", "=")), canonical(4));
    assert_eq!(translated("auto", &scrypt("16", "")), canonical(16));
    assert_eq!(translated("auto", &scrypt("16384", "")), canonical(14));
    // 24 and 48 bytes have no padding.
    let either = "$scrypt$ln=16,r=8,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    assert_eq!(
        translated("auto", either),
        Err(Refusal::Ambiguous("`passlib` and `kratos`"))
    );
    let no_power = "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    assert!(translated("auto", no_power).is_ok());
}

#[test]
fn what_two_systems_write_alike_is_refused_with_their_names() {
    for (text, names) in [
        (
            format!("pbkdf2_sha256$1000$c2FsdHNhbHQ=${OUTPUT}="),
            ["`django`", "`clerk`"],
        ),
        (
            format!("sha256$salt${OUTPUT_HEX}"),
            ["`werkzeug`", "recipes"],
        ),
        (
            "sha1$salt$b116738bfa777aed0fbb23a382242889ae35c24c".to_owned(),
            ["`django`", "`werkzeug`"],
        ),
        (
            "md5$salt$b84081b4d023fde28d6b30cf2e29d4ff".to_owned(),
            ["`django`", "`werkzeug`"],
        ),
        (
            "$P$B94Vi6Di8NwrO79NlazkPa2rybjBLI0".to_owned(),
            ["`wordpress`", "`phpass`"],
        ),
        (
            format!("00112233445566778899aabbccddeeff:{OUTPUT_HEX}{OUTPUT_HEX}"),
            ["`better-auth`", "recipes"],
        ),
    ] {
        let refusal = translated("auto", &text).unwrap_err();
        assert!(
            matches!(refusal, Refusal::Ambiguous(_)),
            "{text}: {refusal}"
        );
        for name in names {
            assert!(refusal.to_string().contains(name), "{text}: {refusal}");
        }
    }
    // Clerk reads the same text with another salt.
    let text = format!("pbkdf2_sha256$1000$c2FsdHNhbHQ=${OUTPUT}=");
    let stored = Stored {
        algorithm: Some("pbkdf2_sha256"),
        ..Stored::new(&text)
    };
    assert_ne!(hash("clerk", &stored), hash("django", &Stored::new(&text)));
    let stored = Stored {
        algorithm: Some("pbkdf2_sha256_django"),
        ..stored
    };
    assert_eq!(hash("clerk", &stored), hash("django", &Stored::new(&text)));
}

#[test]
fn bare_digests_are_taken_only_as_declared() {
    let digest = "93b0719643398102cac2c92a383baedee0f42343c28dfa291ab0c6dfce3dccb9";
    for name in ["auto", "passlib", "crypt", "zitadel"] {
        assert_eq!(translated(name, digest), Err(Refusal::Undeclared), "{name}");
    }
    assert!(translated("sha256(password)", digest).is_ok());
    // The digest of another function has another length.
    assert!(translated("sha512(password)", digest).is_err());
}

#[test]
fn passwords_that_can_be_read_are_refused_as_such() {
    for (name, text) in [
        ("dovecot", "{PLAIN}secret"),
        ("dovecot", "{clear.b64}c2VjcmV0"),
        ("openldap", "{CLEARTEXT}secret"),
        ("openldap", "secret"),
        ("odoo", "secret"),
        ("spring", "{noop}secret"),
        ("werkzeug", "plain$$secret"),
        ("auto", "{PLAIN}secret"),
        ("auto", "{noop}secret"),
    ] {
        assert_eq!(
            translated(name, text),
            Err(Refusal::Readable),
            "{name} {text}"
        );
    }
}

#[test]
fn faulty_and_first_versions_of_bcrypt_are_refused() {
    for version in ["2x", "2"] {
        let text = BCRYPT.replace("2b", version);
        for name in ["bcrypt", "auto", "php", "devise", "kratos"] {
            assert!(
                matches!(translated(name, &text), Err(Refusal::Unsupported(_))),
                "{text}"
            );
        }
    }
    for version in ["2a", "2y"] {
        let text = BCRYPT.replace("2b", version);
        assert_eq!(translated("auto", &text), translated("bcrypt", BCRYPT));
    }
    for text in [
        "$2b$1$",
        "$2b$010$",
        "$2b$10$short",
        &format!("{BCRYPT}a"),
        &BCRYPT.replace("$10$", "$1$"),
    ] {
        assert!(translated("bcrypt", text).is_err(), "{text}");
    }
}

#[test]
fn schemes_say_what_the_mapping_lacks() {
    let pepper: PepperName = "old_app".parse().unwrap();
    for (name, text) in [
        ("firebase", OUTPUT),
        ("payload", OUTPUT_HEX),
        ("clerk", BCRYPT),
        ("discourse", OUTPUT_HEX),
        ("gitea", OUTPUT_HEX),
        ("flask-security", BCRYPT),
        ("nextcloud", BCRYPT),
        ("sha256(salt + password)", OUTPUT_HEX),
    ] {
        let refusal = translated(name, text).unwrap_err();
        let is_named = matches!(refusal, Refusal::Missing(_) | Refusal::Malformed(_));
        assert!(is_named, "{name}: {refusal}");
    }
    let stored = Stored {
        pepper: Some(&pepper),
        ..Stored::new(BCRYPT)
    };
    assert_eq!(
        hash("devise", &stored).to_string(),
        BCRYPT.replacen("$2b", "$in$raw,pepper:old_app,cut72$2b", 1)
    );
    // Else the pepper would be left out without a word.
    assert_eq!(
        translate(&Scheme::Bcrypt, &stored),
        Err(Refusal::Unsupported("a pepper in this scheme"))
    );
}

#[test]
fn columns_of_keycloak_are_read_like_its_json() {
    let secret = format!(r#"{{"value":"{OUTPUT}=","salt":"{SALT}=","additionalParameters":{{}}}}"#);
    let data = r#"{"hashIterations":27500,"algorithm":"pbkdf2-sha256","additionalParameters":{}}"#;
    let columns = hash(
        "keycloak",
        &Stored {
            algorithm: Some(data),
            ..Stored::new(&secret)
        },
    );
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let whole = format!(
        r#"{{"type":"password","secretData":{},"credentialData":{}}}"#,
        quoted(&secret),
        quoted(data)
    );
    assert_eq!(hash("keycloak", &Stored::new(&whole)), columns);
    assert_eq!(
        columns.to_string(),
        format!("$in$raw$pbkdf2-sha256$i=27500${SALT}${OUTPUT}")
    );
    let inline = format!(r#"{{"secretData":{secret},"credentialData":{data}}}"#);
    assert_eq!(hash("auto", &Stored::new(&inline)), columns);
    let otp = whole.replace("password", "otp");
    assert!(translated("keycloak", &otp).is_err());
}

#[test]
fn gitea_has_its_old_defaults_and_salts() {
    let output = OUTPUT_HEX.repeat(2).split_off(28);
    let stored = |algorithm| Stored {
        salt: Some("0123456789"),
        algorithm: Some(algorithm),
        ..Stored::new(&output)
    };
    let named = hash("gitea", &stored("pbkdf2$10000$50"));
    assert_eq!(hash("gitea", &stored("pbkdf2")), named);
    assert_eq!(hash("gitea", &stored("")), named);
    assert!(named.to_string().contains("$MDEyMzQ1Njc4OQ$"));
    let hexadecimal = Stored {
        salt: Some("30313233343536373839"),
        ..stored("pbkdf2")
    };
    assert_eq!(hash("gitea", &hexadecimal), named);
    assert!(translate(&Scheme::Gitea, &stored("pbkdf2$10000$64")).is_err());
}

#[test]
fn discourse_leaves_out_the_ends_of_its_algorithm() {
    let stored = |algorithm| Stored {
        salt: Some("45a0d91fddba16dd"),
        algorithm: Some(algorithm),
        ..Stored::new(OUTPUT_HEX)
    };
    let named = hash("discourse", &stored("$pbkdf2-sha256$i=64000,l=32$"));
    assert_eq!(
        hash("discourse", &stored("pbkdf2-sha256$l=32,i=64000")),
        named
    );
    assert!(translate(&Scheme::Discourse, &stored("$pbkdf2-sha256$i=64000,l=64$")).is_err());
    assert!(translate(&Scheme::Discourse, &stored("$pbkdf2-sha512$i=64000,l=32$")).is_err());
}

#[test]
fn decisions_are_told_by_their_reason() {
    let custom = |algorithm: &str, hash: &str, more: &str| {
        format!(r#"{{"algorithm":"{algorithm}","hash":{{{hash}}}{more}}}"#)
    };
    let sha256 = format!(r#""value":"{OUTPUT_HEX}","encoding":"hex""#);
    let keycloak = |algorithm: &str| {
        format!(
            r#"{{"secretData":{{"value":"{OUTPUT}=","salt":"{SALT}="}},"credentialData":{{"hashIterations":1,"algorithm":"{algorithm}"}}}}"#
        )
    };
    for (name, algorithm, text, reason) in [
        (
            "auth0",
            None,
            custom("md4", &sha256, ""),
            "a digest other than",
        ),
        (
            "auth0",
            None,
            custom(
                "pbkdf2",
                &format!(r#""value":"$pbkdf2-md4$i=1,l=32${SALT}${OUTPUT}""#),
                "",
            ),
            "a digest other than",
        ),
        (
            "auth0",
            None,
            custom("sha256", &sha256, r#","password":{"encoding":"utf16le"}"#),
            "a hash of another encoding",
        ),
        (
            "auth0",
            None,
            custom(
                "hmac",
                &format!(r#"{sha256},"digest":"sha256","key":{{"value":"k"}}"#),
                r#","salt":{"value":"s"}"#,
            ),
            "an HMAC with a salt",
        ),
        (
            "auth0",
            None,
            custom(
                "sha256",
                &sha256,
                r#","salt":{"value":"s","position":"middle"}"#,
            ),
            "the stored password is malformed",
        ),
        (
            "auth0",
            None,
            custom("sha256", r#""value":"secret","encoding":"utf8""#, ""),
            "the stored password is malformed",
        ),
        (
            "auth0",
            None,
            custom(
                "scrypt",
                r#""value":"00","encoding":"hex","keylen":32,"cost":2,"blockSize":1,"parallelization":1"#,
                r#","salt":{"value":"s"}"#,
            ),
            "the stored password is malformed",
        ),
        (
            "clerk",
            Some("awscognito"),
            "awscognito#pool#client#ada".to_owned(),
            "a password that Cognito verifies",
        ),
        (
            "clerk",
            Some("hmac_sha256_utf16_b64"),
            "hmac_sha256_utf16_b64$aa$bb".to_owned(),
            "a hash of UTF-16",
        ),
        (
            "clerk",
            Some("sha256_salted"),
            format!("salt${OUTPUT_HEX}"),
            "a digest does not say",
        ),
        (
            "clerk",
            Some("another"),
            BCRYPT.to_owned(),
            "this hasher of Clerk",
        ),
        (
            "clerk",
            Some("bcrypt_peppered"),
            format!("{BCRYPT}$pepper"),
            "the scheme needs a pepper",
        ),
        (
            "clerk",
            Some("pbkdf2_sha1"),
            format!("pbkdf2_sha1$1$aa${OUTPUT_HEX}$20"),
            "the stored password is malformed",
        ),
        (
            "keycloak",
            None,
            keycloak("bcrypt"),
            "an algorithm that an extension added",
        ),
        (
            "keycloak",
            None,
            keycloak("argon2"),
            "the stored password is malformed",
        ),
        (
            "logto",
            Some("Another"),
            BCRYPT.to_owned(),
            "this algorithm of Logto",
        ),
        (
            "logto",
            None,
            format!(r#"["sha3-256",["@"],"{OUTPUT_HEX}"]"#),
            "a digest other than",
        ),
        (
            "logto",
            None,
            format!(r#"["sha256",["salt"],"{OUTPUT_HEX}"]"#),
            "the stored password is malformed",
        ),
        (
            "logto",
            None,
            format!(r#"["pbkdf2",["salt","1","20","sha1","@"],"{OUTPUT_HEX}"]"#),
            "the stored password is malformed",
        ),
        (
            "supabase",
            None,
            format!("$fbscrypt$v=2,n=14,r=8,p=1,ss=Qnc=,sk={OUTPUT}=${SALT}=${OUTPUT}="),
            "the stored password is malformed",
        ),
        (
            "supabase",
            None,
            format!("$fbscrypt$v=1,n=14,r=8,p=2,ss=Qnc=,sk={OUTPUT}=${SALT}=${OUTPUT}="),
            "the stored password is malformed",
        ),
        (
            "kratos",
            None,
            format!("$firescrypt$ln=14,r=8,p=2${SALT}=${OUTPUT}=$Qnc=${OUTPUT}="),
            "the stored password is malformed",
        ),
        (
            "kratos",
            None,
            format!("$sha256$pf=e1NBTFR9$c2FsdA==${OUTPUT}="),
            "the stored password is malformed",
        ),
        (
            "kratos",
            None,
            "$hmac-sha224$YQ==$YQ==".to_owned(),
            "a digest other than",
        ),
        (
            "spring",
            None,
            format!("{{another}}{OUTPUT_HEX}"),
            "the form of the stored password is unknown",
        ),
        (
            "spring",
            None,
            "{MD4}ac93d8054385c38b1f436e15e215ae53".to_owned(),
            "MD4",
        ),
        (
            "spring",
            None,
            format!("{{pbkdf2@SpringSecurity_v5_8}}{OUTPUT_HEX}"),
            "the stored password is malformed",
        ),
        (
            "nextcloud",
            None,
            format!("4|{BCRYPT}"),
            "the form of the stored password is unknown",
        ),
        (
            "openldap",
            None,
            "{SASL}ada@example.com".to_owned(),
            "a password that another server verifies",
        ),
        (
            "dovecot",
            None,
            "{NTLM}962cbf15919d91caf0aa44a907c5ac25".to_owned(),
            "an NT or LM hash",
        ),
        (
            "dovecot",
            None,
            "{SSHA256.BASE85}aaaa".to_owned(),
            "the form of the stored password is unknown",
        ),
        (
            "aspnet",
            None,
            "AgAAAAEAACcQAAAAELaQi88d6qyJC5+0e1mps3U=".to_owned(),
            "the stored password is malformed",
        ),
        (
            "aspnet",
            None,
            "AQAAAAMAACcQAAAAELaQi88d6qyJC5+0e1mps3XkQ5DHCVw9V60ecRath8pOCETsbxDQJU/Ggw1/f1D0xg=="
                .to_owned(),
            "the stored password is malformed",
        ),
        (
            "better-auth",
            None,
            format!("00:{OUTPUT_HEX}"),
            "the stored password is malformed",
        ),
        (
            "payload",
            None,
            OUTPUT_HEX.to_owned(),
            "the stored password is malformed",
        ),
        (
            "grafana",
            None,
            OUTPUT_HEX.to_owned(),
            "the stored password is malformed",
        ),
        (
            "django",
            None,
            "crypt$ab$abJnggxhB/yWI".to_owned(),
            "crypt(3) with DES",
        ),
        (
            "crypt",
            None,
            "$y$j751.$abcdefgh$ux19x7ztbsTR4FFnJNlkx/Qk7lszCZKj12QTvmQVXV3".to_owned(),
            "yescrypt with upgrades or a ROM",
        ),
        (
            "auto",
            None,
            "$S$DkIkdKLIvRK0iVHm99X7B/M8QC17E1Tp/kMOd1Ie8V/PgWjtAZld".to_owned(),
            "Drupal 7's hash",
        ),
    ] {
        let stored = Stored {
            algorithm,
            salt: Some("salt"),
            ..Stored::new(&text)
        };
        let sentence = translate(&scheme(name), &stored).unwrap_err().to_string();
        assert!(sentence.starts_with(reason), "{name}, {text}: {sentence}");
        assert!(!sentence.contains(&text), "{sentence}");
    }
}

#[test]
fn ids_of_spring_name_their_release() {
    let argon2 = format!("$argon2id$v=19$m=64,t=3,p=2${SALT}${OUTPUT}");
    let scrypt = format!("$e0801${SALT}${OUTPUT}");
    let pbkdf2 = format!("0011223344556677{OUTPUT_HEX}");
    for (id, releases, value) in [
        (
            "argon2",
            ["SpringSecurity_v5_2", "SpringSecurity_v5_8"],
            argon2,
        ),
        (
            "scrypt",
            ["SpringSecurity_v4_1", "SpringSecurity_v5_8"],
            scrypt,
        ),
        (
            "pbkdf2",
            ["SpringSecurity_v5_5", "SpringSecurity_v5_5"],
            pbkdf2,
        ),
    ] {
        let bare = translated("spring", &format!("{{{id}}}{value}"));
        assert!(bare.is_ok(), "{bare:?}");
        for release in releases {
            let text = format!("{{{id}@{release}}}{value}");
            assert_eq!(translated("spring", &text), bare);
            assert_eq!(translated("auto", &text), bare);
        }
        let unknown = format!("{{{id}@SpringSecurity_v9_9}}{value}");
        assert_eq!(translated("spring", &unknown), Err(Refusal::Unknown));
    }
}

#[test]
fn md5_of_kratos_is_told_from_sun_md5() {
    let kratos = "$md5$uECBtNAj/eKNazDPLinU/w==";
    assert!(translated("kratos", kratos).is_ok());
    assert_eq!(translated("auto", kratos), translated("kratos", kratos));
    for sun in [
        "$md5$RPgLF6IJ$WTvAlUJ7MqH5xak2FMEwS/",
        "$md5,rounds=904$iPPKEBnEkp3JV8uX$0L6m7rOFTVFn.SGqo2M9W1",
    ] {
        assert!(matches!(
            translated("auto", sun),
            Err(Refusal::Unsupported(_))
        ));
    }
}

#[test]
fn recipes_that_cannot_be_computed_are_refused() {
    for recipe in [
        "sha256()",
        "sha256(salt)",
        "sha256(password",
        "sha256(password))",
        "sha256(password) utf8",
        "md4(password)",
        "sha256(password + sha1(password))",
        "sha256(salt + hex(salt) + password)",
        "sha256('open + password)",
        "scrypt(password, salt, 1000, 8, 1)",
        "scrypt(password, salt)",
        "pbkdf2-sha256(password, salt)",
        "pbkdf2-md4(password, salt, 1)",
        "hmac-sha256(password)",
        "bcrypt(salt)",
        "md5(md5(md5(md5(md5(password)))))",
        "salt:hash",
        "password",
        "sha256(password, many)",
        "sha256(PASSWORD)",
        "(password)",
        "sha256(password,)",
    ] {
        assert!(recipe.parse::<Scheme>().is_err(), "{recipe}");
    }
    let recipe = "hash$salt sha1('x' + salt + sha1(password)) hex";
    assert_eq!(scheme(recipe).to_string(), recipe);
}

#[test]
fn names_of_schemes_are_unique_and_read_what_they_show() {
    let mut names: Vec<&str> = Vec::new();
    for (named, its_names) in Scheme::ALL {
        assert_eq!(&scheme(&named.to_string()), named);
        for name in *its_names {
            assert_eq!(&scheme(name), named);
        }
        names.extend(*its_names);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert_eq!("no-such-scheme".parse::<Scheme>(), Err(Refusal::NoScheme));
}

/// The first column of the table of schemes has the names, and the recipes of the page can be declared.
#[test]
fn the_page_on_passwords_has_all_schemes() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/moving-in/passwords.md"
    );
    let page = std::fs::read_to_string(page).unwrap();
    let in_backticks = |text: &str| -> Vec<String> {
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let first_column = |heading: &str| -> Vec<String> {
        let (_, table) = page.split_once(heading).unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        rows.flat_map(|row| in_backticks(row.split(" |").next().unwrap()))
            .collect()
    };
    let mut listed = first_column("| scheme | stored | computed |");
    let mut named: Vec<String> = Scheme::ALL
        .iter()
        .flat_map(|(_, names)| *names)
        .map(|name| (*name).to_owned())
        .collect();
    listed.sort();
    named.sort();
    assert_eq!(listed, named);
    let recipes = first_column("| recipe | |");
    assert!(recipes.len() > 5);
    for recipe in recipes {
        assert!(matches!(scheme(&recipe), Scheme::Recipe(_)), "{recipe}");
    }
}

/// Nothing is computed for them: a value of [`ImportedHash`] is the proof that the limits are kept.
#[test]
fn hostile_parameters_are_refused() {
    let long = |n: usize| "A".repeat(n);
    for (name, text) in [
        ("bcrypt", BCRYPT.replace("$10$", "$17$")),
        ("bcrypt", BCRYPT.replace("$10$", "$31$")),
        ("argon2", format!("$argon2id$v=19$m=4294967295,t=1,p=1${SALT}${OUTPUT}")),
        ("argon2", format!("$argon2id$v=19$m=262145,t=1,p=1${SALT}${OUTPUT}")),
        ("argon2", format!("$argon2id$v=19$m=65536,t=17,p=1${SALT}${OUTPUT}")),
        ("argon2", format!("$argon2id$v=19$m=64,t=4294967295,p=1${SALT}${OUTPUT}")),
        ("argon2", format!("$argon2id$v=19$m=65536,t=1,p=17${SALT}${OUTPUT}")),
        ("django", format!("pbkdf2_sha256$4000001$salt${OUTPUT}=")),
        ("django", format!("pbkdf2_sha256$4294967295$salt${OUTPUT}=")),
        ("django", format!("scrypt$2147483648$salt$8$1${OUTPUT}")),
        ("django", format!("scrypt$16384$salt$4294967295$4294967295${OUTPUT}")),
        ("django", format!("argon2$argon2i$v=19$m=1048576,t=9,p=1${SALT}${OUTPUT}")),
        // Sixteen blocks of output each take all iterations.
        ("passlib", format!("$pbkdf2-sha256$1000000${SALT}${}", long(683))),
        ("passlib", format!("$scrypt$ln=63,r=8,p=1${SALT}${OUTPUT}")),
        ("passlib", format!("$scrypt$ln=17,r=9,p=1${SALT}${OUTPUT}")),
        ("passlib", format!("$scrypt$ln=17,r=8,p=8${SALT}${OUTPUT}")),
        ("kratos", format!("$scrypt$ln=1073741824,r=8,p=1${SALT}=${OUTPUT}=")),
        ("werkzeug", format!("pbkdf2:sha512:4000001$salt${OUTPUT_HEX}")),
        ("werkzeug", format!("scrypt:1048576:8:1$salt${OUTPUT_HEX}")),
        ("crypt", "$6$rounds=1000001$salt$5sr0xs5Q/ccpYYPIHTKlym4EvyGqDGduKG99/M78R6P/mkta9elXbcvIKzErHK83t2E2fXDUm6ID4uMFJ1jlX1".into()),
        ("crypt", "$6$rounds=999999999$salt$5sr0xs5Q/ccpYYPIHTKlym4EvyGqDGduKG99/M78R6P/mkta9elXbcvIKzErHK83t2E2fXDUm6ID4uMFJ1jlX1".into()),
        ("crypt", "$y$jLT$5QdHWS7g7xr/iiWY7uU/71$ux19x7ztbsTR4FFnJNlkx/Qk7lszCZKj12QTvmQVXV3".into()),
        ("crypt", "$y$j9zzzzzz$5QdHWS7g7xr/iiWY7uU/71$ux19x7ztbsTR4FFnJNlkx/Qk7lszCZKj12QTvmQVXV3".into()),
        ("crypt", "$y$j9T/zzzzzz$5QdHWS7g7xr/iiWY7uU/71$ux19x7ztbsTR4FFnJNlkx/Qk7lszCZKj12QTvmQVXV3".into()),
        ("phpass", "$P$Z94Vi6Di8NwrO79NlazkPa2rybjBLI0".into()),
        ("phpass", "$P$z94Vi6Di8NwrO79NlazkPa2rybjBLI0".into()),
        ("supabase", format!("$fbscrypt$v=1,n=63,r=8,p=1,ss=Qnc=,sk={OUTPUT}=${SALT}=${OUTPUT}=")),
        ("supabase", format!("$fbscrypt$v=1,n=14,r=4294967295,p=1,ss=Qnc=,sk={OUTPUT}=${SALT}=${OUTPUT}=")),
        ("spring", format!("{{scrypt}}$ffff0801${SALT}${OUTPUT}")),
        ("openldap", format!("{{PBKDF2-SHA512}}4000001${SALT}${OUTPUT}")),
        ("dovecot", format!("{{SCRAM-SHA-256}}4000001,{SALT}=,{OUTPUT}=,{OUTPUT}=")),
        ("logto", format!(r#"["pbkdf2",["salt","4294967295","32","sha1","@"],"{OUTPUT_HEX}"]"#)),
        ("auth0", format!(r#"{{"algorithm":"scrypt","hash":{{"value":"{OUTPUT}","encoding":"base64","keylen":32,"cost":1073741824,"blockSize":8,"parallelization":1}},"salt":{{"value":"salt"}}}}"#)),
        ("keycloak", format!(r#"{{"secretData":{{"value":"{OUTPUT}=","salt":"{SALT}="}},"credentialData":{{"hashIterations":4000001,"algorithm":"pbkdf2"}}}}"#)),
        ("sha256(password, 100001)", OUTPUT_HEX.to_owned()),
        ("sha256(previous + password + 'a', 50000)", OUTPUT_HEX.to_owned()),
        ("auto", long(16 * 1024 + 1)),
    ] {
        let refusal = translated(name, &text).unwrap_err();
        assert!(matches!(refusal, Refusal::TooExpensive { .. }), "{name}, {text}: {refusal}");
    }
    // Too short to tell a right password from a wrong one.
    for (name, text) in [
        ("passlib", format!("$pbkdf2-sha256$1000${SALT}$")),
        ("passlib", format!("$pbkdf2-sha256$1000${SALT}$MDEyMzQ1")),
        (
            "argon2",
            format!("$argon2id$v=19$m=64,t=1,p=1${SALT}$MDEyMzQ1"),
        ),
        (
            "argon2",
            format!("$argon2id$v=19$m=64,t=1,p=1$c2FsdA${OUTPUT}"),
        ),
        ("werkzeug", "pbkdf2:sha256:1000$salt$".to_owned()),
        ("werkzeug", "scrypt:1024:8:1$salt$00".to_owned()),
    ] {
        let refusal = translated(name, &text).unwrap_err();
        assert!(
            matches!(refusal, Refusal::TooLittle { .. }),
            "{name}, {text}: {refusal}"
        );
    }
}

/// Beginnings that lead deep into the readers.
const BEGINNINGS: &[&str] = &[
    "",
    "$",
    "$2b$10$",
    "$argon2id$v=19$m=64,t=1,p=1$",
    "$pbkdf2-sha256$",
    "$pbkdf2$f=",
    "$scrypt$ln=",
    "$5$rounds=",
    "$6$",
    "$y$j9T$",
    "$y$",
    "$1$",
    "$apr1$",
    "$P$B",
    "$wp$2y$10$",
    "$bcrypt-sha256$",
    "$p5k2$",
    "$fbscrypt$v=1,n=",
    "$firescrypt$ln=",
    "$sha256$pf=",
    "$hmac-sha256$",
    "$md5$",
    "{SSHA}",
    "{SSHA512.HEX}",
    "{PBKDF2}",
    "{SCRAM-SHA-256}",
    "{CRYPT}$",
    "{scrypt}$",
    "{MD5}{",
    "{pbkdf2@SpringSecurity_v5_8}",
    "pbkdf2_sha256$1$",
    "scrypt$2$",
    "scrypt:2:",
    "pbkdf2:sha1:",
    "pbkdf2-sha256-v1:",
    "1|$",
    "[\"",
    "{\"",
    "{\"secretData\":",
    "{\"algorithm\":\"sha1\",\"hash\":{\"encoding\":\"hex\",\"value\":\"",
    "AQAAAA",
    "grub.pbkdf2.sha512.1.",
];

fn any_scheme() -> impl Strategy<Value = Scheme> {
    let recipe = prop::sample::select(vec![
        "salt:hash sha256(salt + password)",
        "hash.salt scrypt(password, hex(salt), 16, 8, 1)",
        "bcrypt(md5(password))",
        "pbkdf2-sha1(password, base64(salt), 9) base64",
        "hmac-md5(salt, password)",
    ]);
    let named = prop::sample::select(Scheme::ALL).prop_map(|(scheme, _)| scheme);
    prop_oneof![4 => named, 1 => recipe.prop_map(scheme)]
}

fn any_text() -> impl Strategy<Value = String> {
    let rest = prop_oneof!["\\PC{0,80}", "[0-9a-f$:,]{0,80}", "[./0-9A-Za-z$=+]{0,120}"];
    (prop::sample::select(BEGINNINGS), rest)
        .prop_map(|(beginning, rest)| format!("{beginning}{rest}"))
}

/// One hash as its producer stored it, with one change.
fn changed() -> impl Strategy<Value = String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/studied");
    let mut texts = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        texts.extend(
            rows.iter()
                .filter_map(|row| Some(row.get("stored")?.as_str()?.to_owned())),
        );
    }
    let change = prop_oneof!["\\PC{0,3}", "[$,=:{}.0-9]{1,4}"];
    (
        prop::sample::select(texts),
        any::<prop::sample::Index>(),
        0..3_usize,
        change,
    )
        .prop_map(|(text, at, removed, change)| {
            let at = at.index(text.chars().count() + 1);
            let (before, after): (String, String) = (
                text.chars().take(at).collect(),
                text.chars().skip(at + removed).collect(),
            );
            format!("{before}{change}{after}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// And what is taken is within the limits, and is what its canonical text says.
    #[test]
    fn no_text_makes_a_scheme_panic(
        scheme in any_scheme(),
        text in prop_oneof![any_text(), changed()],
        salt in prop::option::of("[0-9a-f]{0,40}|\\PC{0,20}"),
        algorithm in prop::option::of(prop_oneof![
            prop::sample::select(vec!["pbkdf2_sha1", "scrypt_firebase", "md5", "pbkdf2$1$32", "$pbkdf2-sha256$i=1,l=32$", "Legacy"])
                .prop_map(str::to_owned),
            "\\PC{0,30}",
        ]),
        has_pepper: bool,
    ) {
        let pepper: PepperName = "old".parse().unwrap();
        let project = Project {
            signer_key: OUTPUT.to_owned(), salt_separator: "Bw==".to_owned(), rounds: 8, mem_cost: 14,
        };
        let stored = Stored {
            hash: &text,
            salt: salt.as_deref(),
            algorithm: algorithm.as_deref(),
            pepper: has_pepper.then_some(&pepper),
            project: Some(&project),
        };
        match translate(&scheme, &stored) {
            Ok(Password::Hash(hash)) => {
                prop_assert_eq!(ImportedHash::parse(&hash.to_string()), Ok(hash.clone()));
                prop_assert!(hash.cost().work <= 1 << 16 && hash.cost().memory <= 1 << 28);
            }
            Ok(Password::None) => {}
            Err(refusal) => prop_assert!(!refusal.to_string().is_empty()),
        }
    }

    #[test]
    fn no_text_makes_a_recipe_panic(text in "(salt.hash )?[a-z0-9-]{1,12}\\([a-z0-9()'+, -]{0,40}\\)?( hex)?") {
        if let Ok(scheme) = text.parse::<Scheme>() {
            prop_assert_eq!(scheme.to_string().parse(), Ok(scheme));
        }
    }
}

#[test]
fn peppers_that_are_not_configured_make_no_password_right() {
    let pepper: PepperName = "old_app".parse().unwrap();
    let stored = Stored {
        pepper: Some(&pepper),
        ..Stored::new(BCRYPT)
    };
    assert!(!hash("devise", &stored).verify("Tr0ub4dor&3", &Peppers::default()));
    assert!(hash("devise", &Stored::new(BCRYPT)).verify("Tr0ub4dor&3", &Peppers::default()));
}

#[test]
fn hashes_of_hallpass_are_of_the_nfkc_form() {
    let made = include_str!("../../../tests/vectors/bcrypt_sha256.json");
    let made: Vec<Value> = serde_json::from_str(made).unwrap();
    assert!(!made.is_empty());
    for vector in made {
        let hash = vector["hash"].as_str().unwrap();
        let Ok(Password::Hash(read)) = translate(&Scheme::Hallpass, &Stored::new(hash)) else {
            panic!("{hash}");
        };
        assert!(
            read.verify(vector["password"].as_str().unwrap(), &Peppers::default()),
            "{hash}"
        );
        let again = read.to_string();
        assert!(again.starts_with("$in$nfkc,"), "{again}");
        assert_eq!(
            translate(&Scheme::Hallpass, &Stored::new(&again)),
            Ok(Password::Hash(read))
        );
    }
    assert!(translate(&Scheme::Auto, &Stored::new("$in$raw$2b$04$x")).is_err());
}
