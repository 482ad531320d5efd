//! Every way to sign in, with and without a second factor: when a session begins, and what is recorded and mailed.

use std::io::Write;
use std::process::Stdio;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::process::{hallpass_on, stderr};
use crate::support::client::Call;
use crate::support::mfa::Authenticator;
use crate::support::slack::{CHALLENGE, RETURN_URL, Returned, VERIFIER};
use crate::support::{
    Actor, Answer, Browser, Db, PASSWORD, SESSION_COOKIE, SlackApp, member_body, on_both_databases,
    organization_body,
};
use Leads::{
    CannotExist, ToCode, ToCodeInForm, ToEnrolment, ToLockedToken, ToNothing, ToRefusal, ToSession,
    ToSwitch, ToTokenLockedForGood,
};

const ADA: &str = "ada@acme.example";
const OWNER: &str = "katherine@example.com";
const MEMBER: &str = "edsger@example.com";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mfa {
    None,
    Enrolled,
    /// By the organization that the session is to speak for.
    Required,
    Both,
}

/// The columns of the table.
const MFA: [Mfa; 4] = [Mfa::None, Mfa::Enrolled, Mfa::Required, Mfa::Both];

#[derive(Debug, Clone, Copy)]
enum Way {
    Password,
    /// For one of several organizations.
    PasswordForOrganization,
    NextAuthForm,
    SessionToken,
    RegistersOrganization,
    RegistersIntoOrganization,
    RegistersWithInvitation,
    NewAccountOnInvitationPage,
    AccountOnInvitationPage,
    SlackFragment,
    SlackCode,
    /// The first person of a workspace.
    SlackFirstFragment,
    SlackFirstCode,
    /// A new person of a workspace that has an organization.
    SlackNewFragment,
    SlackNewCode,
    /// To a workspace that has an organization.
    SlackLinkFragment,
    SlackLinkCode,
    Refresh,
    Join,
    AcceptInvitation,
}

/// What the first step leads to.
#[derive(Debug, Clone, Copy)]
enum Leads {
    ToSession,
    /// The caller's session speaks for the other organization; no session begins.
    ToSwitch,
    /// A challenge, answered with a code.
    ToCode,
    /// A challenge, answered by enrolling an authenticator.
    ToEnrolment,
    /// The same form again, with a code.
    ToCodeInForm,
    /// A session token that opens nothing until it is unlocked with a code.
    ToLockedToken,
    /// Its owner has no authenticator, and clients of `/api/v1` cannot enrol one.
    ToTokenLockedForGood,
    /// No one is signed in.
    ToNothing,
    ToRefusal(u16, &'static str),
    CannotExist(&'static str),
}

struct Row {
    way: Way,
    /// Audit rows of the first step, also when it ends in a challenge.
    at_first: &'static [&'static str],
    /// Audit rows of a first step that needs no second one.
    when_complete: &'static [&'static str],
    /// One for each of [`MFA`].
    leads: [Leads; 4],
}

const NEW_ACCOUNT: Leads = CannotExist("a new account has no authenticator");
const NEW_ORGANIZATION: Leads = CannotExist("a new organization requires no second factor");
const SECOND_STEP: &str = "session.login second_factor";
/// Linking also joins the organization of the workspace.
const LINKED: &[&str] = &["membership.joined slack", "user.identity_linked slack"];

on_both_databases! {
    async fn a_password_alone_opens_nothing_if_a_second_factor_is_due(db: Db) {
        holds(&db, &[
            Row { way: Way::Password, at_first: &[], when_complete: &["session.login password"],
                leads: [ToSession, ToCode, ToEnrolment, ToCode] },
            Row { way: Way::PasswordForOrganization, at_first: &[], when_complete: &["session.login password"],
                leads: [ToSession, ToCode, ToEnrolment, ToCode] },
            Row { way: Way::NextAuthForm, at_first: &[], when_complete: &["session.login password"],
                leads: [ToSession, ToCodeInForm, ToRefusal(403, "mfa_enrolment_required"), ToCodeInForm] },
            Row { way: Way::SessionToken, at_first: &[], when_complete: &["session.login password"],
                leads: [ToSession, ToLockedToken, ToTokenLockedForGood, ToLockedToken] },
        ]).await;
    }

    async fn a_registration_is_no_way_around_a_second_factor(db: Db) {
        holds(&db, &[
            Row { way: Way::RegistersOrganization, at_first: &["organization.founded registration"], when_complete: &[],
                leads: [ToNothing, NEW_ACCOUNT, NEW_ORGANIZATION, NEW_ACCOUNT] },
            Row { way: Way::RegistersIntoOrganization, at_first: &["user.registered registration"], when_complete: &[],
                leads: [ToSession, NEW_ACCOUNT, ToEnrolment, NEW_ACCOUNT] },
            Row { way: Way::RegistersWithInvitation, at_first: &["user.registered invitation"], when_complete: &[],
                leads: [ToSession, NEW_ACCOUNT, ToEnrolment, NEW_ACCOUNT] },
            Row { way: Way::NewAccountOnInvitationPage, at_first: &["user.registered invitation"], when_complete: &[],
                leads: [ToNothing, NEW_ACCOUNT, ToNothing, NEW_ACCOUNT] },
            Row { way: Way::AccountOnInvitationPage, at_first: &["invitation.accepted invitation"], when_complete: &[],
                leads: [ToNothing; 4] },
        ]).await;
    }

    async fn slack_is_no_way_around_a_second_factor(db: Db) {
        holds(&db, &[
            Row { way: Way::SlackFragment, at_first: &[], when_complete: &["session.login slack"],
                leads: [ToSession, ToCode, ToEnrolment, ToCode] },
            Row { way: Way::SlackCode, at_first: &[], when_complete: &["session.login slack"],
                leads: [ToSession, ToCode, ToEnrolment, ToCode] },
            Row { way: Way::SlackFirstFragment, at_first: &["organization.founded slack"], when_complete: &[],
                leads: [ToSession, NEW_ACCOUNT, NEW_ORGANIZATION, NEW_ACCOUNT] },
            // The account is created at the callback, and the session begins in another request, if at all.
            Row { way: Way::SlackFirstCode, at_first: &["organization.founded slack"],
                when_complete: &["session.login slack"],
                leads: [ToSession, NEW_ACCOUNT, NEW_ORGANIZATION, NEW_ACCOUNT] },
            Row { way: Way::SlackNewFragment, at_first: &["user.registered slack"], when_complete: &[],
                leads: [ToSession, NEW_ACCOUNT, ToEnrolment, NEW_ACCOUNT] },
            Row { way: Way::SlackNewCode, at_first: &["user.registered slack"], when_complete: &["session.login slack"],
                leads: [ToSession, NEW_ACCOUNT, ToEnrolment, NEW_ACCOUNT] },
        ]).await;
    }

    async fn a_session_switches_only_where_no_second_factor_is_due(db: Db) {
        holds(&db, &[
            Row { way: Way::SlackLinkFragment, at_first: LINKED, when_complete: &[],
                leads: [ToSwitch, ToSwitch, ToEnrolment, ToSwitch] },
            Row { way: Way::SlackLinkCode, at_first: LINKED, when_complete: &[],
                leads: [ToSwitch, ToSwitch, ToEnrolment, ToSwitch] },
            Row { way: Way::Refresh, at_first: &[], when_complete: &["session.organization_switched session"],
                leads: [ToSwitch, ToSwitch, ToRefusal(403, "mfa_enrolment_required"), ToSwitch] },
            Row { way: Way::Join, at_first: &["membership.joined session"], when_complete: &[],
                leads: [ToSwitch, ToSwitch, ToEnrolment, ToSwitch] },
            Row { way: Way::AcceptInvitation, at_first: &["invitation.accepted session"], when_complete: &[],
                leads: [ToSwitch, ToSwitch, ToEnrolment, ToSwitch] },
        ]).await;
    }

    async fn the_operators_user_commands_begin_no_session(db: Db) {
        runs(&db, &["migrate"]);
        runs(&db, &["org", "create", "Acme"]);
        let create = ["user", "create", ADA, "--name", "Ada Byron", "--organization", "acme", "--role", "admin"];
        runs(&db, &create);
        db.execute(
            "insert into totp (user_id, secret, created_at, confirmed_at)
             select id, 'sealed', created_at, created_at from users",
        )
        .await;
        for command in [
            &["list"][..], &["unlock", ADA], &["reset-mfa", ADA], &["set-password", ADA], &["reset-link", ADA],
            &["verify", ADA], &["sessions", "list", ADA], &["set-role", ADA, "admin", "--organization", "acme"],
            &["disable", ADA, "--even-the-last-admin"], &["enable", ADA], &["disable", ADA, "--even-the-last-admin"],
        ] {
            runs(&db, &[&["user"], command].concat());
        }
        assert_eq!(db.count("select count(*) from totp").await, 0);
        assert_eq!(db.count("select count(*) from users where disabled_at is not null").await, 1);
        assert_eq!(db.count("select count(*) from sessions").await, 0);
        assert_eq!(db.count("select count(*) from audit where action = 'session.login'").await, 0);
    }
}

/// Runs an operator's command, which may read the password from standard input.
fn runs(db: &Db, arguments: &[&str]) {
    let mut command = hallpass_on(db, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may have ended.
    let _ = writeln!(process.stdin.take().unwrap(), "{PASSWORD}");
    let output = process.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
}

/// Checks every cell of the rows, each on a database of its own.
async fn holds(db: &Db, rows: &[Row]) {
    for row in rows {
        for (mfa, leads) in MFA.into_iter().zip(row.leads) {
            if let CannotExist(reason) = leads {
                eprintln!("{:?}, {mfa:?}: {reason}", row.way);
                continue;
            }
            for &has_earlier in row.way.histories(mfa) {
                let cell = format!("{:?}, {mfa:?}, earlier session: {has_earlier}", row.way);
                // Shown when the test fails.
                eprintln!("{cell} leads {leads:?}");
                let app = SlackApp::start(db.fresh().await).await;
                let person = Person::of(&app, row.way, mfa, has_earlier).await;
                let attempt = Attempt {
                    before: person.seen(&app).await,
                    app,
                    person,
                    row,
                    has_earlier,
                    cell,
                };
                attempt.check(leads).await;
            }
        }
    }
}

impl Way {
    /// Whether the person has had a session before, in each case to check.
    fn histories(self, mfa: Mfa) -> &'static [bool] {
        match self {
            // An authenticator is enrolled in a session.
            Self::Password | Self::NextAuthForm | Self::SessionToken if !mfa.is_enrolled() => {
                &[false, true]
            }
            Self::RegistersOrganization
            | Self::RegistersIntoOrganization
            | Self::RegistersWithInvitation
            | Self::NewAccountOnInvitationPage
            | Self::SlackFirstFragment
            | Self::SlackFirstCode
            | Self::SlackNewFragment
            | Self::SlackNewCode => &[false],
            _ => &[true],
        }
    }

    fn email(self) -> &'static str {
        match self {
            Self::SlackFragment
            | Self::SlackCode
            | Self::SlackFirstFragment
            | Self::SlackFirstCode => OWNER,
            Self::SlackNewFragment | Self::SlackNewCode => MEMBER,
            _ => ADA,
        }
    }

    fn persona(self) -> &'static str {
        match self.email() {
            OWNER => "owner",
            _ => "member",
        }
    }
}

impl Mfa {
    fn is_enrolled(self) -> bool {
        matches!(self, Self::Enrolled | Self::Both)
    }

    fn is_required(self) -> bool {
        matches!(self, Self::Required | Self::Both)
    }
}

/// A person who is about to sign in.
struct Person {
    way: Way,
    /// An earlier session.
    earlier: Option<Actor>,
    authenticator: Option<Authenticator>,
    /// The organization they want to speak for; empty where it does not exist yet.
    organization_id: String,
    invitation: Option<String>,
}

/// What the database holds about a person.
#[derive(Debug)]
struct Seen {
    sessions: i64,
    usable: i64,
    audit: Vec<String>,
    notices: usize,
}

impl Person {
    async fn of(app: &SlackApp, way: Way, mfa: Mfa, has_earlier: bool) -> Self {
        let mut person = Self {
            way,
            earlier: None,
            authenticator: None,
            organization_id: String::new(),
            invitation: None,
        };
        match way {
            Way::Password | Way::NextAuthForm | Way::SessionToken => {
                person.organization_id = app.registers("Acme", ADA).await.id;
                if has_earlier {
                    person.earlier = Some(app.logs_in(ADA, PASSWORD).await);
                }
            }
            Way::RegistersOrganization | Way::SlackFirstFragment | Way::SlackFirstCode => {}
            Way::SlackFragment | Way::SlackCode | Way::SlackNewFragment | Way::SlackNewCode => {
                let owner = slack_owner(app).await;
                person.organization_id = owner.organization_id().to_owned();
                person.earlier = has_earlier.then_some(owner);
            }
            Way::SlackLinkFragment | Way::SlackLinkCode => {
                let owner = slack_owner(app).await;
                person.organization_id = owner.organization_id().to_owned();
                person.earlier = Some(app.signs_up("Beta", ADA).await);
            }
            Way::RegistersIntoOrganization
            | Way::RegistersWithInvitation
            | Way::NewAccountOnInvitationPage
            | Way::AccountOnInvitationPage
            | Way::PasswordForOrganization
            | Way::Refresh
            | Way::Join
            | Way::AcceptInvitation => {
                let admin = app.signs_up_verified("Acme", "grace@acme.example").await;
                if has_earlier {
                    person.earlier = Some(app.signs_up("Beta", ADA).await);
                }
                if way.takes_invitation() {
                    admin.invites(ADA, "employee").await.expect(201);
                    person.invitation = Some(app.mailed_token(ADA, "invitation").await);
                }
                person.organization_id = admin.organization_id().to_owned();
            }
        }
        if matches!(way, Way::PasswordForOrganization | Way::Refresh) {
            let ada = person.earlier.as_ref().unwrap();
            ada.also_belongs_to(app, &person.organization_id, "employee")
                .await;
        }
        if mfa.is_enrolled() {
            person.authenticator = Some(person.earlier.as_ref().unwrap().enrols(app).await);
        }
        if mfa.is_required() {
            app.requires_mfa(&person.organization_id).await;
        }
        person
    }

    async fn seen(&self, app: &SlackApp) -> Seen {
        let email = self.way.email();
        let id = format!("(select id from users where email = '{email}')");
        let sessions = format!("select count(*) from sessions where user_id = {id}");
        let usable = format!("{sessions} and not locked and revoked_at is null");
        assert_eq!(
            app.db
                .count(&format!("{usable} and proven_at is null"))
                .await,
            0
        );
        let audit = format!(
            "select action || ' ' || coalesce(method, 'no method') as v from audit
             where outcome = 'ok' and actor_id = {id} and action in ('session.login', 'user.registered',
                'organization.founded', 'session.organization_switched', 'membership.joined', 'invitation.accepted',
                'user.identity_linked')"
        );
        let mut audit: Vec<String> = app.db.values(&audit).await.into_iter().flatten().collect();
        audit.sort_unstable();
        let emails = app.emails_to(email).await;
        Seen {
            sessions: app.db.count(&sessions).await,
            usable: app.db.count(&usable).await,
            audit,
            notices: emails
                .iter()
                .filter(|email| email.kind() == "new_sign_in")
                .count(),
        }
    }

    /// The first step, from a new device.
    async fn enters(&self, app: &SlackApp) -> Answer {
        let invitation = self.invitation.as_deref().unwrap_or_default();
        match self.way {
            Way::Password => {
                posts(
                    app,
                    "/api/auth/login",
                    &json!({"email": ADA, "password": PASSWORD}),
                )
                .await
            }
            Way::PasswordForOrganization => {
                let body = json!({"email": ADA, "password": PASSWORD, "organizationId": self.organization_id});
                posts(app, "/api/auth/login", &body).await
            }
            Way::NextAuthForm => submits(app, "").await,
            Way::SessionToken => {
                let body = json!({"name": ADA, "password": PASSWORD, "returnToken": true});
                posts(app, "/api/v1/login", &body).await
            }
            Way::RegistersOrganization => {
                let body = organization_body("Acme", ADA);
                posts(app, "/api/auth/register", &body).await
            }
            Way::RegistersIntoOrganization => {
                let body = member_body(&self.organization_id, ADA);
                posts(app, "/api/auth/register", &body).await
            }
            Way::RegistersWithInvitation => {
                let body = json!({
                    "email": ADA, "password": PASSWORD, "name": "Ada Byron", "invitationToken": invitation,
                });
                posts(app, "/api/auth/register", &body).await
            }
            Way::NewAccountOnInvitationPage => {
                let fields = [
                    ("token", invitation),
                    ("name", "Ada Byron"),
                    ("password", PASSWORD),
                ];
                from_phone(app.post("/accept-invitation"))
                    .form(&fields)
                    .await
            }
            Way::AccountOnInvitationPage => {
                let fields = [("token", invitation), ("password", PASSWORD)];
                from_phone(app.post("/accept-invitation"))
                    .form(&fields)
                    .await
            }
            Way::SlackFragment | Way::SlackFirstFragment | Way::SlackNewFragment => {
                let callback = app.callback_of(self.way.persona()).await;
                from_phone(app.get(&callback)).await
            }
            Way::SlackCode | Way::SlackFirstCode | Way::SlackNewCode => {
                let by_code = [("codeChallenge", CHALLENGE)];
                let authorization = app.asks_for_url(RETURN_URL, &by_code).await;
                self.redeems(app, &authorization).await
            }
            Way::SlackLinkFragment => {
                let body = json!({"returnUrl": RETURN_URL});
                let authorization = self.calls("/api/auth/slack/link").json(&body).await;
                let callback = app
                    .consents(&url_of(&authorization), self.way.persona())
                    .await;
                let callback = app.get(&callback).header("cookie", authorization.cookie());
                from_phone(callback).await
            }
            Way::SlackLinkCode => {
                let body = json!({"returnUrl": RETURN_URL, "codeChallenge": CHALLENGE});
                let authorization = self.calls("/api/auth/slack/link").json(&body).await;
                self.redeems(app, &authorization).await
            }
            Way::Refresh => {
                let body = json!({"organizationId": self.organization_id});
                self.calls("/api/auth/refresh").json(&body).await
            }
            Way::Join => {
                let path = format!("/api/organizations/{}/join", self.organization_id);
                self.calls(&path).await
            }
            Way::AcceptInvitation => {
                let body = json!({"token": invitation});
                self.calls("/api/invitations/accept").json(&body).await
            }
        }
    }

    /// A request in the earlier session.
    fn calls(&self, path: &str) -> Call {
        from_phone(self.earlier.as_ref().unwrap().post(path))
    }

    async fn redeems(&self, app: &SlackApp, authorization: &Answer) -> Answer {
        let callback = app
            .consents(&url_of(authorization), self.way.persona())
            .await;
        let returned = Returned::of(from_phone(app.get(&callback)).await);
        assert!(returned.fragment.is_empty(), "{:?}", returned.fragment);
        let body = json!({"code": returned.query["code"], "codeVerifier": VERIFIER});
        posts(app, "/api/auth/slack/token", &body).await
    }
}

impl Way {
    fn takes_invitation(self) -> bool {
        matches!(
            self,
            Self::RegistersWithInvitation
                | Self::NewAccountOnInvitationPage
                | Self::AccountOnInvitationPage
                | Self::AcceptInvitation
        )
    }
}

/// One cell of the table.
struct Attempt<'a> {
    app: SlackApp,
    person: Person,
    row: &'a Row,
    before: Seen,
    has_earlier: bool,
    cell: String,
}

impl Attempt<'_> {
    async fn check(&self, leads: Leads) {
        let (app, person) = (&self.app, &self.person);
        let answer = person.enters(app).await;
        match leads {
            ToSession => {
                let token = token_in(&answer).expect(&self.cell);
                self.began(&[self.row.at_first, self.row.when_complete].concat(), 1)
                    .await;
                self.opens(&token).await;
            }
            ToSwitch => {
                let token = token_in(&answer).expect(&self.cell);
                self.is_so(
                    0,
                    0,
                    &[self.row.at_first, self.row.when_complete].concat(),
                    0,
                )
                .await;
                self.opens(&token).await;
            }
            ToCode => {
                let challenge = self.challenge_in(&answer, false).await;
                let code = |code: String| json!({"mfaToken": challenge, "code": code});
                let authenticator = person.authenticator.as_ref().expect("enrolled");
                let path = "/api/auth/mfa/verify";
                let wrong = code(authenticator.wrong_code(app));
                posts(app, path, &wrong).await.refused(401, "Invalid code");
                self.is_so(0, 0, self.row.at_first, 0).await;
                let verified = posts(app, path, &code(authenticator.code(app))).await;
                self.began(&[self.row.at_first, &[SECOND_STEP]].concat(), 1)
                    .await;
                self.opens(&token_in(&verified).expect(&self.cell)).await;
                let again = code(authenticator.code_in(app, 1));
                posts(app, path, &again)
                    .await
                    .refused(400, "Invalid or expired token");
            }
            ToEnrolment => {
                let challenge = self.challenge_in(&answer, true).await;
                let begins = json!({"mfaToken": challenge});
                let begun = posts(app, "/api/auth/mfa/totp", &begins).await.expect(200);
                let authenticator = Authenticator::from_enrolment(&begun);
                let code = |code: String| json!({"mfaToken": challenge, "code": code});
                let path = "/api/auth/mfa/totp/confirm";
                let wrong = code(authenticator.wrong_code(app));
                posts(app, path, &wrong).await.refused(401, "Invalid code");
                self.is_so(0, 0, self.row.at_first, 0).await;
                let confirmed = posts(app, path, &code(authenticator.code(app))).await;
                // Enrolling ends the sessions that began without a second factor.
                let usable = 1 - self.before.usable;
                self.began(&[self.row.at_first, &[SECOND_STEP]].concat(), usable)
                    .await;
                self.opens(&token_in(&confirmed).expect(&self.cell)).await;
                let again = posts(app, "/api/auth/mfa/totp", &begins).await;
                again.refused(400, "Invalid or expired token");
            }
            ToCodeInForm => {
                let authenticator = person.authenticator.as_ref().expect("enrolled");
                let wrong = submits(app, &authenticator.wrong_code(app)).await;
                for (refused, code) in [(answer, "second_factor_required"), (wrong, "invalid_code")]
                {
                    assert_eq!(refused.header("x-error-code"), Some(code), "{}", self.cell);
                    assert_eq!(token_in(&refused), None, "{}", self.cell);
                }
                self.is_so(0, 0, &[], 0).await;
                let entered = submits(app, &authenticator.code(app)).await;
                self.began(&[SECOND_STEP], 1).await;
                self.opens(&token_in(&entered).expect(&self.cell)).await;
            }
            ToLockedToken => {
                let token = self.locked_token_in(&answer).await;
                app.advance(TimeDelta::seconds(30));
                let authenticator = person.authenticator.as_ref().expect("enrolled");
                let wrong = unlocks(app, &token, &authenticator.wrong_code(app)).await;
                wrong.refused(401, "Invalid code");
                self.is_so(1, 0, &[], 1).await;
                unlocks(app, &token, &authenticator.code(app))
                    .await
                    .expect(200);
                self.began(&[SECOND_STEP], 1).await;
                let proven =
                    "select count(*) from sessions where kind = 'token' and proven_at > created_at";
                assert_eq!(app.db.count(proven).await, 1, "{}", self.cell);
                self.opens(&token).await;
            }
            ToTokenLockedForGood => {
                let token = self.locked_token_in(&answer).await;
                unlocks(app, &token, "123456")
                    .await
                    .refused(409, "MFA not enrolled");
                self.is_so(1, 0, &[], usize::from(self.has_earlier)).await;
            }
            ToNothing => {
                assert!(
                    answer.status.is_success(),
                    "{}: {}",
                    self.cell,
                    answer.text()
                );
                self.is_without_token(&answer).await;
                self.is_so(0, 0, self.row.at_first, 0).await;
            }
            ToRefusal(status, code) => {
                assert_eq!(answer.status.as_u16(), status, "{}", self.cell);
                assert_eq!(answer.header("x-error-code"), Some(code), "{}", self.cell);
                self.is_without_token(&answer).await;
                self.is_so(0, 0, &[], 0).await;
            }
            CannotExist(_) => unreachable!("{}", self.cell),
        }
    }

    /// One session has begun, and the number of usable ones has changed by `usable`.
    async fn began(&self, recorded: &[&str], usable: i64) {
        self.is_so(1, usable, recorded, usize::from(self.has_earlier))
            .await;
    }

    /// The database has exactly so much more than before.
    async fn is_so(&self, sessions: i64, usable: i64, recorded: &[&str], notices: usize) {
        let (before, now) = (&self.before, self.person.seen(&self.app).await);
        let mut audit: Vec<&str> = before.audit.iter().map(String::as_str).collect();
        audit.extend(recorded);
        audit.sort_unstable();
        assert_eq!(
            now.sessions,
            before.sessions + sessions,
            "{}: sessions",
            self.cell
        );
        assert_eq!(
            now.usable,
            before.usable + usable,
            "{}: usable sessions",
            self.cell
        );
        assert_eq!(now.audit, audit, "{}: audit rows", self.cell);
        assert_eq!(
            now.notices,
            before.notices + notices,
            "{}: notices",
            self.cell
        );
    }

    /// The token of the challenge in an answer that signs no one in.
    async fn challenge_in(&self, answer: &Answer, requires_enrolment: bool) -> String {
        self.is_without_token(answer).await;
        self.is_so(0, 0, self.row.at_first, 0).await;
        let enrolment = parameter(answer, "enrolmentRequired");
        let required = requires_enrolment.then_some("true");
        assert_eq!(enrolment.as_deref(), required, "{}", self.cell);
        let challenge = parameter(answer, "mfaToken").expect(&self.cell);
        let me = self.app.get("/api/auth/me").bearer(&challenge).await;
        me.refused(401, "Invalid token");
        challenge
    }

    /// No one is signed in, and an earlier session in another organization continues there.
    async fn is_without_token(&self, answer: &Answer) {
        assert_eq!(token_in(answer), None, "{}", self.cell);
        if let Some(earlier) = &self.person.earlier
            && earlier.organization_id() != self.person.organization_id
        {
            assert_eq!(
                earlier.me().await.expect(200),
                earlier.user,
                "{}",
                self.cell
            );
            let refreshed = earlier.refreshes().await.expect(200);
            assert_eq!(refreshed["user"], earlier.user, "{}", self.cell);
        }
    }

    async fn locked_token_in(&self, answer: &Answer) -> String {
        let session = answer.expect(200);
        assert_eq!(session["isUnlocked"], false, "{}", self.cell);
        let token = session["token"].as_str().unwrap().to_owned();
        self.is_so(1, 0, &[], usize::from(self.has_earlier)).await;
        let locked = "select count(*) from sessions where kind = 'token' and locked";
        assert_eq!(self.app.db.count(locked).await, 1, "{}", self.cell);
        searches(&self.app, &token)
            .await
            .refused(403, "Session locked");
        let me = self.app.get("/api/auth/me").bearer(&token).await;
        me.refused(401, "Invalid token");
        token
    }

    async fn opens(&self, token: &str) {
        if matches!(self.row.way, Way::SessionToken) {
            searches(&self.app, token).await.expect(200);
            return;
        }
        let me = self.app.me(token).await;
        let wanted = &self.person.organization_id;
        assert!(
            wanted.is_empty() || me["organizationId"] == **wanted,
            "{}: {me}",
            self.cell
        );
    }
}

async fn slack_owner(app: &SlackApp) -> Actor {
    let token = app.arrives("owner").await.token().to_owned();
    Actor {
        client: app.client.clone(),
        email: OWNER.to_owned(),
        password: String::new(),
        user: app.me(&token).await,
        token,
    }
}

/// No earlier session comes from this device.
fn from_phone(call: Call) -> Call {
    call.header("user-agent", "Phone")
}

async fn posts(app: &SlackApp, path: &str, body: &Value) -> Answer {
    from_phone(app.post(path)).json(body).await
}

/// The form of the NextAuth client.
async fn submits(app: &SlackApp, code: &str) -> Answer {
    let browser = Browser::new(app);
    let csrf = browser.get("/api/auth/csrf").await.expect(200);
    let fields = [
        ("email", ADA),
        ("password", PASSWORD),
        ("code", code),
        ("csrfToken", csrf["csrfToken"].as_str().unwrap()),
        ("json", "true"),
    ];
    let call = browser.call(Method::POST, "/api/auth/callback/credentials");
    from_phone(call).form(&fields).await
}

async fn searches(app: &SlackApp, token: &str) -> Answer {
    let path = format!("/api/v1/search?token={token}");
    posts(app, &path, &json!({"from": 0, "size": 1})).await
}

async fn unlocks(app: &SlackApp, token: &str, code: &str) -> Answer {
    let path = format!("/api/v1/unlock?token={token}");
    posts(app, &path, &json!({"code": code})).await
}

fn url_of(authorization: &Answer) -> Url {
    authorization.expect(200)["url"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// An access token or session token, wherever an answer may hold one.
fn token_in(answer: &Answer) -> Option<String> {
    let mut cookies = answer.set_cookies().into_iter();
    let cookie = cookies.find(|(name, value)| name == SESSION_COOKIE && !value.is_empty());
    cookie
        .map(|(_, value)| value)
        .or_else(|| parameter(answer, "accessToken"))
        .or_else(|| parameter(answer, "token"))
}

/// A member of the body, or a parameter of the fragment or query of the URL that the answer redirects to.
fn parameter(answer: &Answer, name: &str) -> Option<String> {
    if let Ok(Value::Object(body)) = serde_json::from_slice(&answer.body) {
        let value = body.get(name)?;
        return Some(
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        );
    }
    let location: Url = answer.header("location")?.parse().unwrap();
    let parts = [location.fragment(), location.query()];
    let mut pairs = parts
        .into_iter()
        .flatten()
        .flat_map(|part| form_urlencoded::parse(part.as_bytes()));
    Some(pairs.find(|(key, _)| key == name)?.1.into_owned())
}
