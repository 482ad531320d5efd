use super::*;

/// Every section and form in one file.
const WHOLE: &str = r##"
source = "acme-app"
format = { type = "csv", delimiter = "auto", encoding = "auto", date = "%d.%m.%Y", zone = "Europe/Zurich" }
[person]
external_id = "id"
email       = { from = "email", fold = true }
verified    = { from = "emailVerified", when = "not-null" }
name        = { from = ["display_name", "first+last", "email-local"] }
created     = "created_at"
disabled    = { from = "is_active", invert = true }
password    = { from = "password", scheme = "django" }
[password.pepper]
name = "devise"
[membership]
organization = { from = "company", create = true }
role         = { from = "role", map = { Admin = "admin", Lead = "manager", "*" = "employee" } }
manager      = { from = "boss_email", by = "email" }
[slack]
user = "providerAccountId"
team = { from = "id_token#https://slack.com/team_id", else = "T0123" }
[totp]
secret = { from = "secret", encoding = "base32" }
"##;

fn with(addition: &str) -> Result<Mapping, String> {
    let text = format!("source = \"acme\"\n{addition}");
    Mapping::parse(&text).map_err(|error| error.to_string())
}

#[test]
fn every_form_of_a_mapping_is_read() {
    let mapping = Mapping::parse(WHOLE).unwrap();
    assert_eq!(mapping.source, "acme-app");
    assert_eq!(mapping.format.file_type, FileType::Csv);
    assert_eq!(mapping.format.zone.0, chrono_tz::Tz::Europe__Zurich);
    assert_eq!(mapping.person.verified.unwrap().when, When::NotNull);
    assert_eq!(mapping.person.name.unwrap().from.0.len(), 3);
    assert!(mapping.person.disabled.unwrap().invert);
    let membership = mapping.membership.as_ref().unwrap();
    assert!(membership.organization.create);
    assert_eq!(
        membership.role.as_ref().unwrap().map.as_ref().unwrap()["Lead"],
        crate::Role::Manager
    );
    assert_eq!(
        mapping.slack.unwrap().team.otherwise.as_deref(),
        Some("T0123")
    );
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_key() {
    let error = with("[person]\nemial = \"email\"").unwrap_err();
    assert!(
        error.contains("line 3") && error.contains("Did you mean `email`?"),
        "{error}"
    );
    let error = with("[person]\nemail = { form = \"email\" }").unwrap_err();
    assert!(error.contains("Did you mean `from`?"), "{error}");
    let error =
        with("[person]\nemail = \"email\"\nverified = { from = \"v\", when = \"notnull\" }")
            .unwrap_err();
    assert!(error.contains("Did you mean `not-null`?"), "{error}");
    let error =
        with("[person]\nemail = \"email\"\n[memberships]\norganization = \"o\"").unwrap_err();
    assert!(error.contains("Did you mean `membership`?"), "{error}");
    let error = with("[person]\nemail = \"email\"\nzzz = 1").unwrap_err();
    assert!(!error.contains("Did you mean"), "{error}");
}

#[test]
fn values_that_cannot_be_are_refused() {
    for (text, part) in [
        ("[person]\nemail = 1", "name of a column"),
        ("[person]\nemail = \"a[b\"", "a [ needs its ]"),
        ("[person]\nemail = \"\"", "empty part"),
        ("[person]\nname = \"n\"", "nobody could sign in"),
        (
            "format = { zone = \"Zurich\" }\n[person]\nemail = \"e\"",
            "Europe/Zurich",
        ),
        (
            "format = { date = \"dd.mm.yyyy\" }\n[person]\nemail = \"e\"",
            "%d.%m.%Y",
        ),
        (
            "format = { delimiter = \"ab\" }\n[person]\nemail = \"e\"",
            "tab or one character",
        ),
        (
            "[person]\nemail = \"e\"\n[also.account]\noptional = true",
            "[also.account] needs either",
        ),
        (
            "[person]\nemail = \"e\"\n[also.a]\non = { x = \"b.y\" }\n[also.b]\non = { y = \"a.x\" }",
            "joined to itself",
        ),
        (
            "[person]\nemail = \"e\"\n[totp]\nsecret = { from = \"s\", encoding = \"base46\" }",
            "base32, hex, text",
        ),
        (
            "[person]\nemail = { fold = true }",
            "`person.email` needs `from`",
        ),
        (
            "[person]\nemail = \"e\"\nverified = { when = \"true\" }",
            "`person.verified` needs `from`",
        ),
        (
            "[person]\nemail = \"e\"\n[membership]\norganization = { create = true }",
            "`membership.organization` needs",
        ),
        (
            "[person]\nemail = \"e\"\npassword = { from = \"p\", scheme = \"bcript\" }",
            "Did you mean \"bcrypt\"?",
        ),
        (
            "[person]\nemail = \"e\"\n[password.pepper]\nname = \"Better-Auth\"",
            "lower-case letters",
        ),
    ] {
        let error = with(text).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(Mapping::parse("source = \" \"\n[person]\nemail = \"e\"").is_err());
}

#[test]
fn secrets_of_a_mapping_are_named() {
    let mapping = with(
        "[person]\nemail = \"e\"\n[password.pepper]\nname = \"devise\"\n[totp]\n\
         secret = { from = \"s\", decrypt = { scheme = \"better-auth\", name = \"better_auth\" } }",
    );
    assert_eq!(
        mapping
            .unwrap()
            .peppers()
            .into_iter()
            .map(PepperName::as_str)
            .collect::<Vec<_>>(),
        ["better_auth", "devise"]
    );
}
