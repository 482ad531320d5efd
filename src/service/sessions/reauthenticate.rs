//! Reauthenticates the user of a session, so that changes which stay need no other proof for fifteen minutes.

use chrono::{DateTime, Utc};

use crate::domain::audit::{Action, Method};
use crate::domain::{UserId, Violation, lifetimes};
use crate::service::accounts::reauthenticate::reauthenticate as verify_password;
use crate::service::limits::permit_hashing_of;
use crate::service::mfa::check::CodeCheck;
use crate::service::unit_of_work::{Actor, Finished, UnitOfWork};
use crate::service::{Caller, Error, Result, Services};
use crate::store::{Tx, sessions, totp};

const ACTION: Action = Action::Reauthenticated;

/// What the user proves who they are with.
pub enum ReauthenticateWith<'a> {
    Password(&'a str),
    /// A code of the authenticator. Recovery codes do not count.
    Code(&'a str),
}

/// Returns until when the proof counts. Wrong passwords and codes count as at sign-in.
///
/// # Errors
/// `Invalid` for a password where an authenticator is enrolled; `InvalidCredentials`; `InvalidCode`; `MfaNotEnrolled`;
/// `TooManyAttempts`; `Forbidden` for a service.
pub async fn reauthenticate(
    services: &Services,
    caller: &Caller,
    with: ReauthenticateWith<'_>,
) -> Result<DateTime<Utc>> {
    caller.session_id()?;
    match with {
        ReauthenticateWith::Password(password) => {
            let password = services.passwords.read("password", password)?;
            services
                .read_as(caller, |tx, actor| {
                    must_have_no_authenticator(tx, actor.id())
                })
                .await?;
            let permit = permit_hashing_of(services, caller).await?;
            let verified = verify_password(services, caller, &permit, password, ACTION).await?;
            services
                .write_as(caller, move |unit, actor| {
                    must_have_no_authenticator(unit.tx, actor.id())?;
                    verified.confirm(unit, actor)?;
                    set_proven(unit, actor, Method::Password)
                })
                .await
        }
        ReauthenticateWith::Code(code) => {
            let check = CodeCheck::parse_totp(code);
            services
                .write_as(caller, move |unit, actor| {
                    let event = unit.event(ACTION).by(Method::SecondFactor);
                    if let Err(refused) = check.run(unit, actor.id(), &event)? {
                        return unit.refused(refused.into());
                    }
                    set_proven(unit, actor, Method::SecondFactor)
                })
                .await
        }
    }
}

fn set_proven(
    unit: &mut UnitOfWork<'_, '_>,
    actor: &Actor,
    method: Method,
) -> Result<Finished<DateTime<Utc>>> {
    sessions::set_proven(unit.tx, actor.session_id()?, unit.now)?;
    let event = unit.event(ACTION).by(method);
    unit.finish(event, unit.now + lifetimes::FRESH)
}

/// # Errors
/// `Invalid` where an authenticator is enrolled, because only its code counts then.
pub(in crate::service) fn must_have_no_authenticator(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<(), Error> {
    if totp::is_enrolled(tx, user_id)? {
        let why = "Please enter the code that your authenticator shows; nothing else counts here.";
        return Err(Violation::new("code", "required", why).into());
    }
    Ok(())
}
