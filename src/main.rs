//! The `hallpass` binary.

use std::process::ExitCode;

use clap::Parser;
use hallpass::cli::{Arguments, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match actix_web::rt::System::new().block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            #[expect(clippy::print_stderr, reason = "errors belong on standard error")]
            {
                eprintln!("hallpass: {failure}");
            }
            failure.exit_code()
        }
    }
}
