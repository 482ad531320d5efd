//! Every setting there is: the one list that the code reads by and the documents are made from.

use super::Mode;

/// One environment variable.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub default: Fallback,
    /// Whether it may also be given as `NAME_FILE`, and is never printed.
    pub secret: bool,
    /// A value that works anywhere; empty where there is none.
    pub example: &'static str,
    /// Markdown, full sentences.
    pub description: &'static str,
}

/// What holds when a setting is not given.
#[derive(Debug)]
pub enum Fallback {
    None,
    Value(&'static str),
    ByMode {
        serve: &'static str,
        dev: &'static str,
    },
    /// Missing in earnest.
    DevOnly(&'static str),
    /// Follows from other settings, as said here in Markdown.
    Derived(&'static str),
}

impl Fallback {
    pub fn value(&self, mode: Mode) -> Option<&'static str> {
        match (self, mode) {
            (Self::None | Self::Derived(_), _) | (Self::DevOnly(_), Mode::Serve) => None,
            (Self::Value(value), _) | (Self::DevOnly(value), Mode::Dev) => Some(value),
            (Self::ByMode { serve, .. }, Mode::Serve) => Some(serve),
            (Self::ByMode { dev, .. }, Mode::Dev) => Some(dev),
        }
    }
}

/// The settings in reading order, under the headings they are documented by.
pub static SECTIONS: &[(&str, &[&Setting])] = &[
    (
        "Server",
        &[
            &HOST,
            &PORT,
            &PUBLIC_URL,
            &CORS_ALLOWED_ORIGINS,
            &TRUSTED_PROXIES,
            &RATE_LIMITS,
            &METRICS_ADDR,
            &SECURITY_CONTACT,
        ],
    ),
    ("Database", &[&DATABASE_URL]),
    ("Tokens", &[&JWT_SECRET, &JWT_ISSUER, &JWT_AUDIENCE]),
    (
        "Passwords",
        &[&BCRYPT_COST, &PASSWORD_MIN_LENGTH, &HASHING_THREADS],
    ),
    (
        "Accounts",
        &[
            &DEFAULT_JOIN_POLICY,
            &REQUIRE_VERIFIED_EMAIL,
            &ALLOWED_RETURN_URLS,
            &APP_URL,
            &TENANT_DOMAIN,
        ],
    ),
    (
        "Slack",
        &[
            &SLACK_CLIENT_ID,
            &SLACK_CLIENT_SECRET,
            &SLACK_FLOW,
            &SLACK_BASE_URL,
            &SLACK_TOKEN_DELIVERY,
            &SLACK_ALLOW_GUESTS,
            &SLACK_FIRST_USER_ROLE,
        ],
    ),
    ("Mail", &[&SMTP_URL, &MAIL_FROM, &MAIL_TEMPLATES]),
    ("Logs", &[&LOG_FORMAT, &RUST_LOG]),
];

pub static HOST: Setting = Setting {
    name: "HOST",
    default: Fallback::Value("127.0.0.1"),
    secret: false,
    example: "127.0.0.1",
    description: "IP address to listen on. Anything but a loopback address needs `JWT_SECRET`.",
};

pub static PORT: Setting = Setting {
    name: "PORT",
    default: Fallback::Value("8080"),
    secret: false,
    example: "8080",
    description: "TCP port to listen on. 0 picks a free one.",
};

pub static PUBLIC_URL: Setting = Setting {
    name: "PUBLIC_URL",
    default: Fallback::Derived("`http://HOST:PORT`"),
    secret: false,
    example: "http://127.0.0.1:8080",
    description: "Where browsers reach this service. Every URL it hands out begins with it, whatever a \
                  request's `Host` says. An https address needs `JWT_SECRET`.",
};

pub static CORS_ALLOWED_ORIGINS: Setting = Setting {
    name: "CORS_ALLOWED_ORIGINS",
    default: Fallback::Derived("none (`hallpass dev`: its own origin)"),
    secret: false,
    example: "https://app.example.com,http://localhost:3000",
    description: "Origins whose pages may call the API, comma separated: scheme, host and port, nothing else.",
};

pub static TRUSTED_PROXIES: Setting = Setting {
    name: "TRUSTED_PROXIES",
    default: Fallback::None,
    secret: false,
    example: "10.0.0.0/8,192.168.7.1/32",
    description: "Networks (CIDR, comma separated) of the proxies in front. Only their word on a client's \
                  address is taken; without it, everybody behind a proxy counts as one address.",
};

pub static RATE_LIMITS: Setting = Setting {
    name: "RATE_LIMITS",
    default: Fallback::Value("on"),
    secret: false,
    example: "on",
    description: "`on` or `off`: whether too many requests from an address, and too many wrong passwords, are answered \
                  with 429. Turn it off for measurements, or where something in front limits both.",
};

pub static METRICS_ADDR: Setting = Setting {
    name: "METRICS_ADDR",
    default: Fallback::None,
    secret: false,
    example: "127.0.0.1:9090",
    description: "Address and port of a listener of its own for `/metrics`. Not given: no metrics.",
};

pub static SECURITY_CONTACT: Setting = Setting {
    name: "SECURITY_CONTACT",
    default: Fallback::Derived("none: there is no `security.txt`"),
    secret: false,
    example: "mailto:security@example.com",
    description: "Whom to tell of a security hole, the best way first, comma separated: `mailto:`, `https:` or `tel:`. Shown \
                  at `/.well-known/security.txt` (RFC 9116).",
};

pub static DATABASE_URL: Setting = Setting {
    name: "DATABASE_URL",
    default: Fallback::ByMode {
        serve: "sqlite:hallpass.db",
        dev: "sqlite:hallpass-dev.db",
    },
    secret: true,
    example: "sqlite:hallpass.db",
    description: "`sqlite:` and a path (`sqlite:hallpass.db`, `sqlite:///var/lib/hallpass/hallpass.db`), or \
                  `postgres://user:password@host/database`. PostgreSQL needs `JWT_SECRET`.",
};

pub static JWT_SECRET: Setting = Setting {
    name: "JWT_SECRET",
    default: Fallback::Derived(
        "on loopback with SQLite a random one, kept beside the database file; else required",
    ),
    secret: true,
    example: "",
    description: "What access tokens are signed with, as `hallpass secret generate` prints it: at least 32 \
                  bytes, weak ones are refused. To rotate, put the new one in front of the old one, comma \
                  separated: the first signs, all verify. Spaces around a secret do not count. SIGHUP reads \
                  it again.",
};

pub static JWT_ISSUER: Setting = Setting {
    name: "JWT_ISSUER",
    default: Fallback::None,
    secret: false,
    example: "https://auth.example.com",
    description: "The `iss` claim of every token. Once given, tokens without it are refused.",
};

pub static JWT_AUDIENCE: Setting = Setting {
    name: "JWT_AUDIENCE",
    default: Fallback::None,
    secret: false,
    example: "example-api",
    description: "The `aud` claim of every token. Once given, tokens without it are refused.",
};

pub static BCRYPT_COST: Setting = Setting {
    name: "BCRYPT_COST",
    default: Fallback::ByMode {
        serve: "12",
        dev: "10",
    },
    secret: false,
    example: "12",
    description: "Work per password hash, 10 to 16; one more doubles it. Older hashes are renewed when their \
                  owners sign in. `hallpass dev` takes 4 as well.",
};

pub static PASSWORD_MIN_LENGTH: Setting = Setting {
    name: "PASSWORD_MIN_LENGTH",
    default: Fallback::Value("8"),
    secret: false,
    example: "8",
    description: "Characters a new password needs at least, 6 to 64.",
};

pub static HASHING_THREADS: Setting = Setting {
    name: "HASHING_THREADS",
    default: Fallback::Derived("as many as there are cores"),
    secret: false,
    example: "1",
    description: "Threads that compute password hashes, six at once each, 1 to 256. `hallpass doctor` says what \
                  they can do here.",
};

pub static DEFAULT_JOIN_POLICY: Setting = Setting {
    name: "DEFAULT_JOIN_POLICY",
    default: Fallback::Value("open"),
    secret: false,
    example: "open",
    description: "Who may join a new organization: `open` (anybody who knows its id), `domain` (addresses of its \
                  own domains), `invite` (the invited) or `closed` (nobody).",
};

pub static REQUIRE_VERIFIED_EMAIL: Setting = Setting {
    name: "REQUIRE_VERIFIED_EMAIL",
    default: Fallback::Value("off"),
    secret: false,
    example: "off",
    description: "`on` or `off`: whether people must verify their e-mail address before they can sign in with a password.",
};

pub static ALLOWED_RETURN_URLS: Setting = Setting {
    name: "ALLOWED_RETURN_URLS",
    default: Fallback::Derived("none (`hallpass dev`: `PUBLIC_URL` and `http://localhost:3000`)"),
    secret: false,
    example: "https://app.example.com/auth,com.example.app://signed-in",
    description: "Where a sign-in with Slack may lead back to, comma separated. Full URLs: scheme, host and port \
                  must be equal, the path equal or below; custom schemes must be equal throughout. http only \
                  on loopback, no wildcards, user names, queries or fragments.",
};

pub static APP_URL: Setting = Setting {
    name: "APP_URL",
    default: Fallback::Derived("`PUBLIC_URL`"),
    secret: false,
    example: "https://app.example.com",
    description: "Where links in mails point.",
};

pub static TENANT_DOMAIN: Setting = Setting {
    name: "TENANT_DOMAIN",
    default: Fallback::None,
    secret: false,
    example: "example.com",
    description: "With `example.com`, a request to `acme.example.com` speaks of the organization `acme` where it \
                  names none.",
};

pub static SLACK_CLIENT_ID: Setting = Setting {
    name: "SLACK_CLIENT_ID",
    default: Fallback::DevOnly("1122334455.6677889900"),
    secret: false,
    example: "1234567890.1234567890123",
    description: "The Slack application's client id. Given together with `SLACK_CLIENT_SECRET`, it switches \
                  sign-in with Slack on.",
};

pub static SLACK_CLIENT_SECRET: Setting = Setting {
    name: "SLACK_CLIENT_SECRET",
    default: Fallback::DevOnly("known-to-everybody-slack-sandbox"),
    secret: true,
    example: "",
    description: "The Slack application's client secret.",
};

pub static SLACK_FLOW: Setting = Setting {
    name: "SLACK_FLOW",
    default: Fallback::Value("v2"),
    secret: false,
    example: "v2",
    description: "`v2` (OAuth; knows guests and owners) or `oidc` (OpenID Connect; the lightest consent).",
};

pub static SLACK_BASE_URL: Setting = Setting {
    name: "SLACK_BASE_URL",
    default: Fallback::Derived(
        "`https://slack.com` (`hallpass dev` without `SLACK_CLIENT_ID`: its own sandbox)",
    ),
    secret: false,
    example: "https://slack.com",
    description: "Where Slack is; another address is for tests.",
};

pub static SLACK_TOKEN_DELIVERY: Setting = Setting {
    name: "SLACK_TOKEN_DELIVERY",
    default: Fallback::Value("fragment"),
    secret: false,
    example: "fragment",
    description: "How the token reaches the return URL: in its `fragment`, in its `query` (ends up in logs and \
                  histories), or as a `cookie`.",
};

pub static SLACK_ALLOW_GUESTS: Setting = Setting {
    name: "SLACK_ALLOW_GUESTS",
    default: Fallback::Value("false"),
    secret: false,
    example: "false",
    description: "`true` or `false`: whether a workspace's guests may sign in.",
};

pub static SLACK_FIRST_USER_ROLE: Setting = Setting {
    name: "SLACK_FIRST_USER_ROLE",
    default: Fallback::Value("admin"),
    secret: false,
    example: "admin",
    description: "The role of the first person from a workspace: `admin`, `manager` or `employee`. Its owners \
                  and admins become `admin` whatever this says.",
};

pub static SMTP_URL: Setting = Setting {
    name: "SMTP_URL",
    default: Fallback::Derived("none: letters wait (`hallpass dev`: a mailbox of its own)"),
    secret: true,
    example: "smtp://localhost:1025",
    description: "The mail server: `smtps://user:password@host` (TLS, port 465) or `smtp://host` (port 587, STARTTLS \
                  where it is offered; on loopback none). `?tls=required` insists on STARTTLS, `?tls=none` does \
                  without; `ca=/path/ca.pem` trusts those authorities instead of the public ones. Needs `MAIL_FROM`.",
};

pub static MAIL_FROM: Setting = Setting {
    name: "MAIL_FROM",
    default: Fallback::DevOnly("Hallpass <no-reply@example.com>"),
    secret: false,
    example: "Hallpass <no-reply@example.com>",
    description: "The sender of mails, an address with or without a name. Letters are signed with the name.",
};

pub static MAIL_TEMPLATES: Setting = Setting {
    name: "MAIL_TEMPLATES",
    default: Fallback::None,
    secret: false,
    example: "",
    description: "A folder of templates to use instead of those that are built in, such as `verify_email.html`.",
};

pub static LOG_FORMAT: Setting = Setting {
    name: "LOG_FORMAT",
    default: Fallback::ByMode {
        serve: "auto",
        dev: "pretty",
    },
    secret: false,
    example: "auto",
    description: "`json`, `pretty`, or `auto`: pretty on a terminal, JSON otherwise.",
};

pub static RUST_LOG: Setting = Setting {
    name: "RUST_LOG",
    default: Fallback::Value("info,actix=warn,actix_http=off,actix_server=warn,hyper=warn"),
    secret: false,
    example: "info,hallpass=debug",
    description: "What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or several by module.",
};
