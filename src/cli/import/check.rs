//! `hallpass import check`

use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::cli::operator::Console;
use crate::cli::user::password::read_once;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::{Email, ImportId};
use crate::service::operations::import::{check_password, sample_import};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass import check 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11 --sample 20",
    "hallpass import check 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11 --email ada@example.com < password",
);

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Id of the import
    run: ImportId,
    /// How many people to look at, chosen at random
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    sample: u32,
    /// Somebody whose password is known: it is read from standard input, and must be right
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let (services, context) = (&console.services, &console.context);
        let sample = sample_import(services, self.run, self.sample).await?;
        let signs_in = match &self.email {
            Some(email) => {
                let email = Email::parse(email).map_err(Failure::invalid("email"))?;
                let password = read_once().await?;
                let password = password.expose_secret();
                Some(check_password(services, context, email, password).await?)
            }
            None => None,
        };
        if self.json {
            output::print_json(&json!({"sample": sample, "signsIn": signs_in}))?;
        } else {
            output::print_table(
                ["ID", "EXTERNAL ID", "E-MAIL", "PASSWORD"],
                sample.people.iter().map(|person| {
                    [
                        person.id.to_string(),
                        person.external_id.clone(),
                        person.email.clone().unwrap_or_default(),
                        if person.has_password { "yes" } else { "no" }.to_owned(),
                    ]
                }),
            )?;
            let forms = sample.passwords.iter();
            let forms: Vec<String> = forms
                .map(|(form, count)| format!("{count} {form}"))
                .collect();
            output::print(&format!("passwords: {}", forms.join(", ")))?;
            if let (Some(true), Some(email)) = (signs_in, &self.email) {
                output::print(&format!("{email} signs in with this password"))?;
            }
        }
        if signs_in == Some(false) {
            return Err(Failure::InvalidInput(
                "the password is wrong here: compare the mapping's scheme, salt and pepper with the old system"
                    .to_owned(),
            ));
        }
        if sample.unusable > 0 {
            return Err(Failure::Failed(format!(
                "{} passwords are in a form that nobody can sign in with",
                sample.unusable
            )));
        }
        Ok(())
    }
}
