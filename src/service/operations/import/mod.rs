//! People from other systems, imported by the operator: batches beside running servers, rehearsals without an effect, and
//! the way back.

mod batch;
mod check;
mod facts;
mod fingerprint;
mod lookups;
mod newcomer;
mod organizations;
mod pace;
mod password_form;
mod report;
mod run;
mod settled;
mod undo;
mod update;

pub use check::{ImportSample, SampledPerson, check_password, sample_import};
pub use facts::Facts;
pub use password_form::PasswordForm;
pub use report::{Group, Outcome, Reason, RowReport, Summary};
pub use run::{
    BATCH, Ending, Held, ImportSettings, Lines, Observe, TakeOver, begin_import, find_import,
    import, list_imports, rehearse_import, take_over_import,
};
pub use undo::{Kept, UndoneImport, WhyKept, undo_import};
