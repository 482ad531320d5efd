//! The list of all settings, from which the code reads them and the documentation is generated.

use super::Mode;

/// One environment variable.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub default: Fallback,
    /// Whether it can also be read from the file `NAME_FILE`, and is never printed.
    pub secret: bool,
    /// A value that works in any environment; empty if there is none.
    pub example: &'static str,
    /// Markdown, full sentences.
    pub description: &'static str,
}

/// The default of a setting.
#[derive(Debug)]
pub enum Fallback {
    None,
    Value(&'static str),
    ByMode {
        serve: &'static str,
        dev: &'static str,
    },
    /// Only `hallpass dev` has a default.
    DevOnly(&'static str),
    /// Depends on other settings, as described here in Markdown.
    Derived(&'static str),
}

impl Fallback {
    pub fn value(&self, mode: Mode) -> Option<&'static str> {
        match (self, mode) {
            (Self::None | Self::Derived(_), _)
            | (Self::DevOnly(_), Mode::Serve | Mode::Operator) => None,
            (Self::Value(value), _) | (Self::DevOnly(value), Mode::Dev) => Some(value),
            (Self::ByMode { serve, .. }, Mode::Serve | Mode::Operator) => Some(serve),
            (Self::ByMode { dev, .. }, Mode::Dev) => Some(dev),
        }
    }
}

/// The settings in the order of the documentation, with its headings.
pub static SECTIONS: &[(&str, &[&Setting])] = &[
    (
        "Server",
        &[
            &HOST,
            &PORT,
            &PUBLIC_URL,
            &CORS_ALLOWED_ORIGINS,
            &TRUSTED_PROXIES,
            &TRUSTED_PROXY_HEADER,
            &RATE_LIMITS,
            &METRICS_ADDR,
            &SECURITY_CONTACT,
            &DRAIN_TIME,
        ],
    ),
    (
        "Database",
        &[
            &DATABASE_URL,
            &DATABASE_DIRECT_URL,
            &DATABASE_READ_URL,
            &DATABASE_POOL_SIZE,
            &PEOPLE_CACHE_SIZE,
        ],
    ),
    (
        "Tokens",
        &[
            &JWT_SECRET,
            &JWT_SIGNING_KEY,
            &JWT_SIGNING_ALGORITHM,
            &JWT_ACCEPT_SHARED_SECRET,
            &JWT_ISSUER,
            &JWT_AUDIENCE,
            &JWT_EXTERNAL_ID,
            &TOKEN_LIFETIME,
            &SESSION_LIFETIME,
            &SESSION_IDLE,
        ],
    ),
    (
        "Passwords",
        &[
            &BCRYPT_COST,
            &PASSWORD_MIN_LENGTH,
            &PASSWORD_MIN_GUESSES,
            &HASHING_THREADS,
            &HALLPASS_IMPORT_PEPPER_NAME,
        ],
    ),
    (
        "Accounts",
        &[
            &REGISTRATION,
            &ORGANIZATION_CREATION,
            &REGISTRATION_DOMAINS,
            &DEFAULT_JOIN_POLICY,
            &REQUIRE_VERIFIED_EMAIL,
            &SESSIONS_PER_USER,
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
            &SLACK_WORKSPACES,
            &SLACK_REGISTRATION,
            &SLACK_ORGANIZATION_CREATION,
            &SLACK_ALLOW_GUESTS,
            &SLACK_FIRST_USER_ROLE,
        ],
    ),
    ("Mail", &[&SMTP_URL, &MAIL_FROM, &MAIL_TEMPLATES]),
    ("Webhooks", &[&WEBHOOK_ALLOW_PRIVATE]),
    (
        "Sessions of an earlier system",
        &[
            &LEGACY_SESSION_SOURCE,
            &LEGACY_SESSION_SECRET,
            &LEGACY_SESSION_UNTIL,
            &LEGACY_SESSION_CUT_OVER,
            &LEGACY_SESSION_COOKIE,
            &LEGACY_SESSION_ISSUER,
        ],
    ),
    (
        "Retention",
        &[
            &RETAIN_SESSIONS,
            &RETAIN_AUDIT,
            &RETAIN_EMAILS,
            &RETAIN_INVITATIONS,
        ],
    ),
    ("Logs", &[&LOG_FORMAT, &RUST_LOG, &NO_COLOR]),
];

pub static HOST: Setting = Setting {
    name: "HOST",
    default: Fallback::Value("127.0.0.1"),
    secret: false,
    example: "127.0.0.1",
    description: "IP address to listen on. Any address other than loopback requires `JWT_SECRET`.",
};

pub static PORT: Setting = Setting {
    name: "PORT",
    default: Fallback::Value("8080"),
    secret: false,
    example: "8080",
    description: "TCP port to listen on. 0 picks a free port.",
};

pub static PUBLIC_URL: Setting = Setting {
    name: "PUBLIC_URL",
    default: Fallback::Derived("`http://HOST:PORT`"),
    secret: false,
    example: "http://127.0.0.1:8080",
    description: "The URL at which browsers reach this service, perhaps with a path that a proxy takes off. Every URL \
                  that it generates starts with it, whatever the request's `Host` header says; cookies have its \
                  path, except those with the prefix `__Host-`. An https URL requires `JWT_SECRET`.",
};

pub static CORS_ALLOWED_ORIGINS: Setting = Setting {
    name: "CORS_ALLOWED_ORIGINS",
    default: Fallback::Derived("none (`hallpass dev`: every origin on this machine, in addition)"),
    secret: false,
    example: "https://app.example.com,capacitor://localhost",
    description: "Origins whose pages may call the API, comma-separated: only scheme, host and port, as browsers \
                  write them. Hybrid apps and browser extensions have origins such as `capacitor://localhost`, \
                  `http://tauri.localhost` or `chrome-extension://<id>`.",
};

pub static TRUSTED_PROXIES: Setting = Setting {
    name: "TRUSTED_PROXIES",
    default: Fallback::None,
    secret: false,
    example: "10.0.0.0/8,192.168.7.1/32",
    description: "Networks (CIDR, comma-separated) of your reverse proxies. The client address and the host that a \
                  request forwards are only trusted if it comes from them; otherwise all clients behind a proxy \
                  count as one address.",
};

pub static TRUSTED_PROXY_HEADER: Setting = Setting {
    name: "TRUSTED_PROXY_HEADER",
    default: Fallback::Value("x-forwarded"),
    secret: false,
    example: "forwarded",
    description: "`x-forwarded` or `forwarded`: whether your proxies write `X-Forwarded-For` and `X-Forwarded-Host`, or \
                  `Forwarded` (RFC 7239). The other form is never read, because proxies pass on what clients \
                  send in it.",
};

pub static RATE_LIMITS: Setting = Setting {
    name: "RATE_LIMITS",
    default: Fallback::Value("on"),
    secret: false,
    example: "on",
    description: "`on` or `off`: whether too many requests from an address, and too many wrong passwords, are \
                  rejected with 429. Turn it off for load tests, or if a proxy limits both.",
};

pub static METRICS_ADDR: Setting = Setting {
    name: "METRICS_ADDR",
    default: Fallback::None,
    secret: false,
    example: "127.0.0.1:9090",
    description: "Address and port of a separate listener for `/metrics`. If not set, there are no metrics.",
};

pub static SECURITY_CONTACT: Setting = Setting {
    name: "SECURITY_CONTACT",
    default: Fallback::Derived("none: no `security.txt`"),
    secret: false,
    example: "mailto:security@example.com",
    description: "Contacts for reporting vulnerabilities, in order of preference, comma-separated: `mailto:`, \
                  `https:` or `tel:` URIs. Published at `/.well-known/security.txt` (RFC 9116).",
};

pub static DRAIN_TIME: Setting = Setting {
    name: "DRAIN_TIME",
    default: Fallback::Value("1s"),
    secret: false,
    example: "15s",
    description: "How long an instance that is to stop (SIGTERM) still takes requests while `/readyz` is 503, from `0s` \
                  to `5m`: longer than your load balancer takes to notice, which is its interval times the failures \
                  it waits for. Then running requests have 8 seconds, so allow 10 seconds more before you kill it.",
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
                  `postgres://user:password@host/database`, by a socket \
                  `postgres://user@/database?host=/run/postgresql`, several servers with \
                  `postgres://user@h1:5432,h2:5433/database?target_session_attrs=primary`, which has libpq's words. \
                  PostgreSQL requires `JWT_SECRET`.",
};

pub static DATABASE_DIRECT_URL: Setting = Setting {
    name: "DATABASE_DIRECT_URL",
    default: Fallback::None,
    secret: true,
    example: "postgres://hallpass:password@db.example.com/hallpass",
    description: "The address of PostgreSQL itself, where `DATABASE_URL` leads to a connection pooler such as \
                  PgBouncer. Migrations, and what tells instances of each other's changes, go there. The limits of \
                  statements are then the role's. SQLite ignores it.",
};

pub static DATABASE_READ_URL: Setting = Setting {
    name: "DATABASE_READ_URL",
    default: Fallback::None,
    secret: true,
    example: "postgres://hallpass:password@standby.example.com/hallpass",
    description: "The address of a standby of PostgreSQL, which then answers lists, searches, the audit log and exports. \
                  They show at least what was committed when they were asked for; while the standby is away or \
                  behind, the primary answers. Nobody's rights are read there. SQLite ignores it.",
};

pub static DATABASE_POOL_SIZE: Setting = Setting {
    name: "DATABASE_POOL_SIZE",
    default: Fallback::Value("8"),
    secret: false,
    example: "8",
    description: "Connections to PostgreSQL for requests, 2 to 100, opened as they are needed and closed after a minute \
                  without use. An instance has at most 6 more: 2 for searches, 3 for its own work, 1 that listens for \
                  changes; and one while it migrates. At a standby it has 2. SQLite ignores it.",
};

pub static PEOPLE_CACHE_SIZE: Setting = Setting {
    name: "PEOPLE_CACHE_SIZE",
    default: Fallback::Value("50000"),
    secret: false,
    example: "50000",
    description: "Users, organizations and API tokens that an instance keeps in memory, and access tokens whose ES256 \
                  signature it has verified, 1000 to 10000000 of each. A user takes half a kilobyte. A request of a user \
                  beyond them reads the database.",
};

pub static JWT_SECRET: Setting = Setting {
    name: "JWT_SECRET",
    default: Fallback::Derived(
        "on loopback with SQLite a random secret, stored next to the database file; otherwise required",
    ),
    secret: true,
    example: "",
    description: "The secret that signs access tokens, unless `JWT_SIGNING_KEY` does, and that protects authenticators, \
                  as generated by `hallpass secret generate`: at least 32 \
                  bytes; weak secrets are rejected. To rotate it, put the new secret before the old one, separated \
                  by a comma: the first signs, all verify. Spaces around a secret are ignored. SIGHUP reloads it.",
};

pub static JWT_SIGNING_KEY: Setting = Setting {
    name: "JWT_SIGNING_KEY",
    default: Fallback::Derived("none: `JWT_SECRET` signs (HS256)"),
    secret: true,
    example: "",
    description: "The key that signs access tokens (ES256), so that services can verify them without a secret: P-256, \
                  PKCS#8, as PEM, as generated by `hallpass secret generate --es256`. Of several, one after the other \
                  or comma-separated, the first signs, all verify, and all are published at `/.well-known/jwks.json`. \
                  SIGHUP reloads it.",
};

pub static JWT_SIGNING_ALGORITHM: Setting = Setting {
    name: "JWT_SIGNING_ALGORITHM",
    default: Fallback::Derived("`ES256` with a `JWT_SIGNING_KEY`, otherwise `HS256`"),
    secret: false,
    example: "HS256",
    description: "`ES256`: the `JWT_SIGNING_KEY` signs. `HS256`: `JWT_SECRET` signs, and a `JWT_SIGNING_KEY` only \
                  verifies and is published, until every instance has it. SIGHUP reloads it.",
};

pub static JWT_ACCEPT_SHARED_SECRET: Setting = Setting {
    name: "JWT_ACCEPT_SHARED_SECRET",
    default: Fallback::Value("on"),
    secret: false,
    example: "on",
    description: "`on` or `off`: with a `JWT_SIGNING_KEY`, whether access tokens that `JWT_SECRET` has signed are still \
                  accepted. While they are, whoever has the secret can make tokens: turn it off 7 days after you set the \
                  key. SIGHUP reloads it.",
};

pub static JWT_ISSUER: Setting = Setting {
    name: "JWT_ISSUER",
    default: Fallback::None,
    secret: false,
    example: "https://auth.example.com",
    description: "The `iss` claim of every token. If set, tokens without it are rejected.",
};

pub static JWT_AUDIENCE: Setting = Setting {
    name: "JWT_AUDIENCE",
    default: Fallback::None,
    secret: false,
    example: "example-api",
    description: "The `aud` claim of every token. If set, tokens without it are rejected.",
};

pub static JWT_EXTERNAL_ID: Setting = Setting {
    name: "JWT_EXTERNAL_ID",
    default: Fallback::Value("off"),
    secret: false,
    example: "on",
    description: "`on` or `off`: whether access tokens have a claim `externalId`, the id that their user had in the \
                  system they were imported from, for services whose tables hold that one. Hallpass never reads it.",
};

pub static TOKEN_LIFETIME: Setting = Setting {
    name: "TOKEN_LIFETIME",
    default: Fallback::Value("7d"),
    secret: false,
    example: "1h",
    description: "How long an access token is valid, from `5m` to `7d`: a number with `s`, `m`, `h` or `d`. \
                  `expiresIn` and the session cookie follow it. Tokens that were issued before keep the life they \
                  were issued with. An organization may allow less, also of the next two.",
};

pub static SESSION_LIFETIME: Setting = Setting {
    name: "SESSION_LIFETIME",
    default: Fallback::Value("90d"),
    secret: false,
    example: "30d",
    description: "How long after the sign-in a session ends, however often it is used, from `15m` to `365d`. A \
                  session token of `/api/v1` lives for 30 days at most. A lower value counts for existing sessions at once; a \
                  higher one from their next use.",
};

pub static SESSION_IDLE: Setting = Setting {
    name: "SESSION_IDLE",
    default: Fallback::None,
    secret: false,
    example: "12h",
    description: "How long after its last refresh a session ends, from `5m` to `365d`; not set: never. An access token \
                  lives at most that long, so clients must refresh more often than that. A session token of `/api/v1` \
                  counts from its last use. Uses are stored every five minutes, or every seventh of this time if that is \
                  less, so a session may end that much too soon.",
};

pub static BCRYPT_COST: Setting = Setting {
    name: "BCRYPT_COST",
    default: Fallback::ByMode {
        serve: "12",
        dev: "10",
    },
    secret: false,
    example: "12",
    description: "Cost of password hashing, 10 to 16; each step doubles the time. Existing hashes are updated when \
                  their users sign in. `hallpass dev` allows 4 and above.",
};

pub static PASSWORD_MIN_LENGTH: Setting = Setting {
    name: "PASSWORD_MIN_LENGTH",
    default: Fallback::Value("8"),
    secret: false,
    example: "8",
    description: "Minimum length of a new password in characters, 6 to 64.",
};

pub static PASSWORD_MIN_GUESSES: Setting = Setting {
    name: "PASSWORD_MIN_GUESSES",
    default: Fallback::Value("1000000"),
    secret: false,
    example: "1000000",
    description: "How many guesses a new password must take, by the estimate of zxcvbn for an attacker who knows the \
                  user's address, name and organizations; 1000000 to 4000000000. Common leaked passwords are refused \
                  in any case.",
};

pub static HASHING_THREADS: Setting = Setting {
    name: "HASHING_THREADS",
    default: Fallback::Derived("the number of CPU cores"),
    secret: false,
    example: "1",
    description: "Number of threads that compute password hashes, 1 to 256; each computes six at a time. `hallpass \
                  doctor` measures their speed on this machine.",
};

pub static HALLPASS_IMPORT_PEPPER_NAME: Setting = Setting {
    name: "HALLPASS_IMPORT_PEPPER_NAME",
    default: Fallback::None,
    secret: true,
    example: "",
    description: "A secret that the system people come from mixed into their passwords, such as Devise's `pepper` or \
                  Flask-Security's `SECURITY_PASSWORD_SALT`. Replace `NAME` by the name in the mapping file, in \
                  capitals: letters, digits and `_`. Keep it until nobody's password depends on it; `hallpass doctor` \
                  counts those that cannot be used.",
};

pub static REGISTRATION: Setting = Setting {
    name: "REGISTRATION",
    default: Fallback::Value("open"),
    secret: false,
    example: "open",
    description: "Who may create an account: `open` (anyone), `domain` (invited people, and the owners of addresses at \
                  `REGISTRATION_DOMAINS`, who get an invitation by e-mail), `invite` (invited people) or `closed` \
                  (only people whom the operator creates or invites). The organization's join policy applies as well.",
};

pub static ORGANIZATION_CREATION: Setting = Setting {
    name: "ORGANIZATION_CREATION",
    default: Fallback::Value("open"),
    secret: false,
    example: "open",
    description: "Who may create an organization: `open` (anyone; together with an account, if `REGISTRATION` is open \
                  too), `domain` (people with a verified address at `REGISTRATION_DOMAINS`), `invite` or `closed` \
                  (both: only the operator, who invites its first admin).",
};

pub static REGISTRATION_DOMAINS: Setting = Setting {
    name: "REGISTRATION_DOMAINS",
    default: Fallback::None,
    secret: false,
    example: "example.com",
    description: "The domains of `domain` in the settings above and in those of Slack, comma-separated. A domain does \
                  not include its subdomains. Required by `domain`.",
};

pub static DEFAULT_JOIN_POLICY: Setting = Setting {
    name: "DEFAULT_JOIN_POLICY",
    default: Fallback::Value("open"),
    secret: false,
    example: "open",
    description: "Who may join a new organization: `open` (anyone who knows its id), `domain` (users with a \
                  verified address at one of its domains, and invited users), `invite` (invited users) or `closed` \
                  (no one).",
};

pub static REQUIRE_VERIFIED_EMAIL: Setting = Setting {
    name: "REQUIRE_VERIFIED_EMAIL",
    default: Fallback::Value("off"),
    secret: false,
    example: "off",
    description: "`on` or `off`: whether users must verify their e-mail address before they can sign in with a \
                  password.",
};

pub static SESSIONS_PER_USER: Setting = Setting {
    name: "SESSIONS_PER_USER",
    default: Fallback::Value("100"),
    secret: false,
    example: "100",
    description: "Number of live sessions per user, 1 to 1000. A sign-in above it ends the session that was used \
                  longest ago. Sessions that still lack their second factor are counted separately.",
};

pub static ALLOWED_RETURN_URLS: Setting = Setting {
    name: "ALLOWED_RETURN_URLS",
    default: Fallback::Derived(
        "none (`hallpass dev`: `PUBLIC_URL` and every page on this machine, in addition)",
    ),
    secret: false,
    example: "https://app.example.com/auth,com.example.app://signed-in",
    description: "Allowed return URLs of a sign-in with Slack, comma-separated. A return URL must have the same \
                  scheme, host and port as an entry, and the same path or one below it; with a custom scheme it \
                  must be equal. Entries must not contain wildcards, user names, queries or fragments, and may use \
                  http only on loopback.",
};

pub static APP_URL: Setting = Setting {
    name: "APP_URL",
    default: Fallback::Derived("`PUBLIC_URL`"),
    secret: false,
    example: "https://app.example.com",
    description: "Base URL of the links in e-mails.",
};

pub static TENANT_DOMAIN: Setting = Setting {
    name: "TENANT_DOMAIN",
    default: Fallback::None,
    secret: false,
    example: "example.com",
    description: "With `example.com`, sign-ins at `acme.example.com` that do not name an organization are for the \
                  one with the slug `acme`: by password, by Slack, and on the sign-in page. The hosts of `PUBLIC_URL` \
                  and `APP_URL`, and `www`, name none. The host is that of the request, or the one that \
                  `TRUSTED_PROXIES` forward. List the origins of tenants' pages in `CORS_ALLOWED_ORIGINS`.",
};

pub static SLACK_CLIENT_ID: Setting = Setting {
    name: "SLACK_CLIENT_ID",
    default: Fallback::DevOnly("1122334455.6677889900"),
    secret: false,
    example: "1234567890.1234567890123",
    description: "Client ID of the Slack app. Together with `SLACK_CLIENT_SECRET`, it turns on sign-in with Slack.",
};

pub static SLACK_CLIENT_SECRET: Setting = Setting {
    name: "SLACK_CLIENT_SECRET",
    default: Fallback::DevOnly("known-to-everybody-slack-sandbox"),
    secret: true,
    example: "",
    description: "Client secret of the Slack app.",
};

pub static SLACK_FLOW: Setting = Setting {
    name: "SLACK_FLOW",
    default: Fallback::Value("v2"),
    secret: false,
    example: "v2",
    description: "`v2` (OAuth 2; provides guest and owner status) or `oidc` (OpenID Connect; asks users for fewer \
                  permissions).",
};

pub static SLACK_BASE_URL: Setting = Setting {
    name: "SLACK_BASE_URL",
    default: Fallback::Derived(
        "`https://slack.com` (`hallpass dev` without `SLACK_CLIENT_ID`: its own sandbox)",
    ),
    secret: false,
    example: "https://slack.com",
    description: "Base URL of Slack. Change it only for tests.",
};

pub static SLACK_TOKEN_DELIVERY: Setting = Setting {
    name: "SLACK_TOKEN_DELIVERY",
    default: Fallback::Value("fragment"),
    secret: false,
    example: "fragment",
    description: "How the token is passed to the return URL: in the `fragment`, in the `query` (ends up in logs \
                  and browser histories), or in a `cookie`.",
};

pub static SLACK_WORKSPACES: Setting = Setting {
    name: "SLACK_WORKSPACES",
    default: Fallback::Derived("all"),
    secret: false,
    example: "T0123ABCD",
    description: "The ids of the only workspaces whose members may sign in with Slack, or link it, comma-separated.",
};

pub static SLACK_REGISTRATION: Setting = Setting {
    name: "SLACK_REGISTRATION",
    default: Fallback::Value("open"),
    secret: false,
    example: "open",
    description: "Who may get an account by a sign-in with Slack: `open` (every member of a workspace), `domain` \
                  (invited people, and those whose address, as Slack reports it, is at `REGISTRATION_DOMAINS`; \
                  requires `SLACK_WORKSPACES`), `invite` (people whose address the workspace's organization has \
                  invited) or `closed` (no one). The organization's join policy applies as well.",
};

pub static SLACK_ORGANIZATION_CREATION: Setting = Setting {
    name: "SLACK_ORGANIZATION_CREATION",
    default: Fallback::Value("open"),
    secret: false,
    example: "open",
    description: "Who may create an organization by being the first of a workspace: `open` (anyone; with a new \
                  account, if `SLACK_REGISTRATION` is open too), `domain` (as for `SLACK_REGISTRATION`), `invite` or \
                  `closed` (both: no one).",
};

pub static SLACK_ALLOW_GUESTS: Setting = Setting {
    name: "SLACK_ALLOW_GUESTS",
    default: Fallback::Value("false"),
    secret: false,
    example: "false",
    description: "`true` or `false`: whether guests of a workspace may sign in.",
};

pub static SLACK_FIRST_USER_ROLE: Setting = Setting {
    name: "SLACK_FIRST_USER_ROLE",
    default: Fallback::Value("admin"),
    secret: false,
    example: "admin",
    description: "Role of the first user from a workspace: `admin`, `manager` or `employee`. If the first user is \
                  an owner or admin of the workspace, they always become `admin`.",
};

pub static SMTP_URL: Setting = Setting {
    name: "SMTP_URL",
    default: Fallback::Derived("none: e-mails stay queued (`hallpass dev`: its own mailbox)"),
    secret: true,
    example: "smtp://localhost:1025",
    description: "Mail server: `smtps://user:password@host` (implicit TLS, port 465) or `smtp://host` (port 587, \
                  STARTTLS if offered; no TLS on loopback). `?tls=required` requires STARTTLS, `?tls=none` \
                  disables it; `ca=/path/ca.pem` trusts these certificate authorities instead of the public ones. \
                  Requires `MAIL_FROM`.",
};

pub static MAIL_FROM: Setting = Setting {
    name: "MAIL_FROM",
    default: Fallback::DevOnly("Hallpass <no-reply@example.com>"),
    secret: false,
    example: "Hallpass <no-reply@example.com>",
    description: "Sender of e-mails: an address, optionally with a name. E-mails are signed with the name.",
};

pub static MAIL_TEMPLATES: Setting = Setting {
    name: "MAIL_TEMPLATES",
    default: Fallback::None,
    secret: false,
    example: "",
    description: "Folder with templates, such as `verify_email.html`, that replace the built-in ones.",
};

pub static WEBHOOK_ALLOW_PRIVATE: Setting = Setting {
    name: "WEBHOOK_ALLOW_PRIVATE",
    default: Fallback::ByMode {
        serve: "off",
        dev: "on",
    },
    secret: false,
    example: "off",
    description: "`on` lets webhooks lead to addresses that are not public, and use `http://`. Every admin of an \
                  organization can then have Hallpass send requests into its network: only if you know them all.",
};

pub static LEGACY_SESSION_SOURCE: Setting = Setting {
    name: "LEGACY_SESSION_SOURCE",
    default: Fallback::None,
    secret: false,
    example: "nextauth",
    description: "The system that people were signed in to before: `nextauth`, `authjs`, `better-auth`, `express`, \
        `supabase` or `jwt` (tokens of the application's own). Its sessions are exchanged for sessions of \
        Hallpass ([sessions](moving-in/sessions.md)). If the import had another name for its source, write that after \
        a colon: `jwt:acme-app`.",
};

pub static LEGACY_SESSION_SECRET: Setting = Setting {
    name: "LEGACY_SESSION_SECRET",
    default: Fallback::None,
    secret: true,
    example: "8f3kQ2mZ7tYw4Vx1Uq8Sp5Ro2Nm9Lk6J",
    description: "The secret with which the earlier system encrypted or signed its session tokens, as it was set \
        there: `NEXTAUTH_SECRET`, `AUTH_SECRET`, `BETTER_AUTH_SECRET` and the like. If there were several, separate \
        them by commas. For `supabase` and `jwt` it may be a JWK Set with the public keys of RS256 or ES256.",
};

pub static LEGACY_SESSION_UNTIL: Setting = Setting {
    name: "LEGACY_SESSION_UNTIL",
    default: Fallback::None,
    secret: false,
    example: "2026-12-24T00:00:00Z",
    description: "From when on its sessions are no longer exchanged: a time of RFC 3339, at most 60 days ahead. \
        Required with `LEGACY_SESSION_SOURCE`; remove all of these settings after it.",
};

pub static LEGACY_SESSION_CUT_OVER: Setting = Setting {
    name: "LEGACY_SESSION_CUT_OVER",
    default: Fallback::Derived("each person's import"),
    secret: false,
    example: "2026-12-01T06:00:00Z",
    description: "When the earlier system stopped, as a time of RFC 3339: tokens that it issued later are refused.",
};

pub static LEGACY_SESSION_COOKIE: Setting = Setting {
    name: "LEGACY_SESSION_COOKIE",
    default: Fallback::Derived("the usual cookie of the system; none for `supabase` and `jwt`"),
    secret: false,
    example: "next-auth.session-token",
    description: "The name of its session cookie, without `__Secure-`, if it was another one.",
};

pub static LEGACY_SESSION_ISSUER: Setting = Setting {
    name: "LEGACY_SESSION_ISSUER",
    default: Fallback::None,
    secret: false,
    example: "https://old.example.com/auth/v1",
    description: "The `iss` that tokens of `supabase` and `jwt` must have. Required with a JWK Set, whose keys may be \
        those of many applications.",
};

pub static RETAIN_SESSIONS: Setting = Setting {
    name: "RETAIN_SESSIONS",
    default: Fallback::Value("30d"),
    secret: false,
    example: "30d",
    description: "How long a session is kept after its end, with device and address, from `7d` to `3650d`. What is \
                  older is deleted every hour, here and in the next three.",
};

pub static RETAIN_AUDIT: Setting = Setting {
    name: "RETAIN_AUDIT",
    default: Fallback::Value("400d"),
    secret: false,
    example: "400d",
    description: "How long rows of the audit log are kept, from `7d` to `3650d`.",
};

pub static RETAIN_EMAILS: Setting = Setting {
    name: "RETAIN_EMAILS",
    default: Fallback::Value("30d"),
    secret: false,
    example: "30d",
    description: "How long the record of an e-mail is kept after it was sent or given up, from `7d` to `3650d`. One \
                  that waits for a mail server is given up after seven days, also without `SMTP_URL`.",
};

pub static RETAIN_INVITATIONS: Setting = Setting {
    name: "RETAIN_INVITATIONS",
    default: Fallback::Value("30d"),
    secret: false,
    example: "30d",
    description: "How long an invitation is kept after it was accepted, declined or revoked, or has expired, from `7d` \
                  to `3650d`.",
};

pub static LOG_FORMAT: Setting = Setting {
    name: "LOG_FORMAT",
    default: Fallback::ByMode {
        serve: "auto",
        dev: "pretty",
    },
    secret: false,
    example: "auto",
    description: "`json`, `pretty`, or `auto` (pretty on a terminal, otherwise JSON).",
};

pub static RUST_LOG: Setting = Setting {
    name: "RUST_LOG",
    default: Fallback::Value("info,actix=warn,actix_http=off,actix_server=warn,hyper=warn"),
    secret: false,
    example: "info,hallpass=debug",
    description: "Log level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module.",
};

pub static NO_COLOR: Setting = Setting {
    name: "NO_COLOR",
    default: Fallback::None,
    secret: false,
    example: "1",
    description: "Any value turns off colors on a terminal (<https://no-color.org>).",
};
