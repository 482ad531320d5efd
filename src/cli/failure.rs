//! How a command fails: a sentence for the operator and an exit code for scripts.

use std::fmt;
use std::process::ExitCode;

use crate::app::BuildError;
use crate::config::SettingErrors;
use crate::domain::violation::ValidationError;
use crate::service;

#[derive(Debug)]
pub enum Failure {
    Failed(String),
    /// What the operator typed breaks a rule (`EX_DATAERR` of sysexits.h).
    Refused(String),
    /// `EX_UNAVAILABLE`.
    DatabaseUnavailable(String),
    /// `EX_CONFIG`.
    Settings(SettingErrors),
    /// `EX_CONFIG`: a setting that was found wanting only when it was used.
    SettingRefused(String),
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Refused(_) => 65,
            Self::DatabaseUnavailable(_) => 69,
            Self::Settings(_) | Self::SettingRefused(_) => 78,
        })
    }

    /// An argument that was refused.
    pub fn refused(argument: &str) -> impl Fn(ValidationError) -> Self {
        move |refusal| Self::Refused(format!("{argument}: {refusal}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why)
            | Self::Refused(why)
            | Self::DatabaseUnavailable(why)
            | Self::SettingRefused(why) => f.write_str(why),
            Self::Settings(faults) => faults.fmt(f),
        }
    }
}

impl From<SettingErrors> for Failure {
    fn from(faults: SettingErrors) -> Self {
        Self::Settings(faults)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let why = error.to_string();
        match error {
            BuildError::Database(_) => Self::DatabaseUnavailable(why),
            BuildError::DatabaseUrl(_) | BuildError::Secrets(_) | BuildError::MailServer(_) => {
                Self::SettingRefused(why)
            }
            BuildError::TooNew(_)
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
            Error::Invalid(faults) => {
                let lines: Vec<String> = faults
                    .iter()
                    .map(|fault| format!("{}: {}", fault.field, fault.message))
                    .collect();
                Self::Refused(lines.join("\n"))
            }
            Error::EmailTaken | Error::MfaNotEnrolled | Error::OrganizationNotFound => {
                Self::Refused(error.to_string())
            }
            Error::Busy(_) | Error::Conflict | Error::Unavailable(_) => {
                Self::DatabaseUnavailable(error.to_string())
            }
            Error::InvalidCredentials
            | Error::TooManyAttempts { .. }
            | Error::InvalidToken
            | Error::TokenExpired
            | Error::TokenRevoked
            | Error::Forbidden
            | Error::InvalidCode
            | Error::InvalidOrExpiredToken
            | Error::EmailNotVerified
            | Error::InvitationRequired
            | Error::MfaAlreadyEnabled
            | Error::MfaEnrolmentRequired
            | Error::MfaRequired
            | Error::SessionNotFound
            | Error::UserNotFound
            | Error::InvitationNotFound
            | Error::InvitationNotYours
            | Error::AlreadyMember
            | Error::OrganizationClosed
            | Error::ApiTokenNotFound
            | Error::TooManyApiTokens
            | Error::LastAdmin
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
    fn every_exit_code_means_what_the_help_says() {
        let code = |error: Error| Failure::from(error).exit_code();
        let fault = Violation::new("email", "invalid_email", "Please enter an e-mail address.");
        assert_eq!(code(Error::Invalid(vec![fault])), ExitCode::from(65));
        assert_eq!(code(Error::EmailTaken), ExitCode::from(65));
        assert_eq!(
            code(Error::Unavailable("gone".to_owned())),
            ExitCode::from(69)
        );
        assert_eq!(code(Error::Internal("odd".to_owned())), ExitCode::from(1));
    }

    #[test]
    fn a_refusal_lists_every_field() {
        let faults = vec![
            Violation::new("email", "invalid_email", "Please mend it."),
            Violation::new("password", "too_short", "Please use more."),
        ];
        let failure = Failure::from(Error::Invalid(faults)).to_string();
        assert_eq!(
            failure,
            "email: Please mend it.\npassword: Please use more."
        );
    }
}
