//! Errors of commands: a message for the operator and an exit code for scripts.

use std::fmt;
use std::process::ExitCode;

use crate::app::BuildError;
use crate::config::SettingErrors;
use crate::domain::ImportId;
use crate::domain::violation::ValidationError;
use crate::service;

#[derive(Debug)]
pub enum Failure {
    Failed(String),
    /// The arguments do not fit each other, or the terminal.
    Usage(String),
    /// A dry run would refuse something.
    WouldRefuse(String),
    /// A signal has stopped it.
    Stopped(String),
    /// Another program does it (`EX_USAGE`).
    OtherTool(String),
    /// The input is not valid (`EX_DATAERR` of sysexits.h).
    InvalidInput(String),
    /// `EX_NOINPUT`.
    NoDatabase(String),
    /// `EX_UNAVAILABLE`.
    DatabaseUnavailable(String),
    /// `EX_CONFIG`.
    Settings(SettingErrors),
    /// `EX_CONFIG`: a setting that turned out to be invalid when it was used.
    InvalidSetting(String),
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::WouldRefuse(_) => 3,
            Self::Stopped(_) => 130,
            Self::OtherTool(_) => 64,
            Self::InvalidInput(_) => 65,
            Self::NoDatabase(_) => 66,
            Self::DatabaseUnavailable(_) => 69,
            Self::Settings(_) | Self::InvalidSetting(_) => 78,
        })
    }

    /// The error of an import that can go on.
    pub fn after(error: service::Error, id: ImportId) -> Self {
        let goes_on =
            format!("Whatever is written stays; go on with `hallpass import resume {id}`");
        match Self::from(error) {
            Self::InvalidInput(why) => Self::InvalidInput(format!("{why} {goes_on}")),
            Self::DatabaseUnavailable(why) => {
                Self::DatabaseUnavailable(format!("{why}. {goes_on}"))
            }
            other => other,
        }
    }

    /// The error for an invalid argument.
    pub fn invalid(argument: &str) -> impl Fn(ValidationError) -> Self {
        move |error| Self::InvalidInput(format!("{argument}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why)
            | Self::Usage(why)
            | Self::WouldRefuse(why)
            | Self::Stopped(why)
            | Self::OtherTool(why)
            | Self::InvalidInput(why)
            | Self::NoDatabase(why)
            | Self::DatabaseUnavailable(why)
            | Self::InvalidSetting(why) => f.write_str(why),
            Self::Settings(errors) => errors.fmt(f),
        }
    }
}

impl From<SettingErrors> for Failure {
    fn from(errors: SettingErrors) -> Self {
        Self::Settings(errors)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let why = error.to_string();
        match error {
            BuildError::NoDatabase(_) => Self::NoDatabase(why),
            BuildError::Database(_) => Self::DatabaseUnavailable(why),
            BuildError::DatabaseUrl { .. }
            | BuildError::UnsuitableDatabase(_)
            | BuildError::Secrets(_)
            | BuildError::MailServer(_)
            | BuildError::LegacySessionsTooLong { .. } => Self::InvalidSetting(why),
            BuildError::Schema(_)
            | BuildError::Bind { .. }
            | BuildError::System(_)
            | BuildError::Tls(_)
            | BuildError::Seed(_)
            | BuildError::NotASeededDatabase => Self::Failed(why),
        }
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        use service::Error;
        match error {
            Error::Invalid(violations) => {
                let lines: Vec<String> = violations
                    .iter()
                    .map(|violation| format!("{}: {}", violation.field, violation.message))
                    .collect();
                Self::InvalidInput(lines.join("\n"))
            }
            Error::EmailTaken
            | Error::MfaNotEnrolled
            | Error::OrganizationNotFound
            | Error::SlugTaken
            | Error::TooManySlugs
            | Error::TooManyOrganizations
            | Error::UserNotFound
            | Error::SessionNotFound
            | Error::AlreadyMember
            | Error::OrganizationClosed
            | Error::LastAdmin
            | Error::Import(_)
            | Error::LastAdminOf(_) => Self::InvalidInput(error.to_string()),
            Error::Busy(_) | Error::Conflict | Error::Unavailable(_) => {
                Self::DatabaseUnavailable(error.to_string())
            }
            Error::InvalidCredentials
            | Error::TooManyAttempts { .. }
            | Error::TooManyRequests { .. }
            | Error::InvalidToken
            | Error::TokenExpired
            | Error::TokenRevoked
            | Error::Forbidden
            | Error::NoOrganization
            | Error::ReauthenticationRequired
            | Error::SessionTooOld
            | Error::InvalidCode
            | Error::AuthenticatorUnusable
            | Error::InvalidOrExpiredToken
            | Error::EmailNotVerified
            | Error::InviterNotVerified
            | Error::InvitationRequired
            | Error::RegistrationClosed
            | Error::OrganizationCreationClosed { .. }
            | Error::MfaAlreadyEnabled
            | Error::SecondFactorRequired
            | Error::MfaEnrolmentRequired
            | Error::MfaRequired
            | Error::InvitationNotFound
            | Error::InvitationNotYours
            | Error::PasswordAlreadySet
            | Error::IdentityNotFound
            | Error::LastWayIn
            | Error::ApiTokenNotFound
            | Error::TooManyApiTokens
            | Error::JoinLinkNotFound
            | Error::TooManyJoinLinks
            | Error::WebhookNotFound
            | Error::TooManyWebhooks
            | Error::WebhookSwitchedOff
            | Error::MemberElsewhere
            | Error::SlackNotSetUp
            | Error::SignIn(_)
            | Error::Internal(_) => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Violation;
    use crate::service::Error;

    #[test]
    fn exit_codes_match_the_help() {
        let code = |error: Error| Failure::from(error).exit_code();
        let violation = Violation::new("email", "invalid_email", "Please enter an e-mail address.");
        assert_eq!(code(Error::Invalid(vec![violation])), ExitCode::from(65));
        assert_eq!(code(Error::EmailTaken), ExitCode::from(65));
        assert_eq!(code(Error::LastAdmin), ExitCode::from(65));
        let missing = Failure::from(BuildError::NoDatabase(String::new()));
        assert_eq!(missing.exit_code(), ExitCode::from(66));
        assert_eq!(
            code(Error::Unavailable("no connection".to_owned())),
            ExitCode::from(69)
        );
        assert_eq!(code(Error::Internal("bug".to_owned())), ExitCode::from(1));
    }

    #[test]
    fn an_invalid_input_lists_every_field() {
        let violations = vec![
            Violation::new("email", "invalid_email", "Please fix it."),
            Violation::new("password", "too_short", "Please use more."),
        ];
        let failure = Failure::from(Error::Invalid(violations)).to_string();
        assert_eq!(failure, "email: Please fix it.\npassword: Please use more.");
    }
}
