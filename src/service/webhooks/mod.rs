//! Webhooks: an organization is told by HTTP what happens to its people.
//!
//! A webhook is worth what its owner could still do: it ends when they are no longer an admin of the organization,
//! unless another admin has taken it over. See decision 54.

mod admissible;
mod backlog;
mod create;
mod delete;
mod deliver;
mod event_body;
mod find;
mod lanes;
mod list;
mod list_deliveries;
mod retry;
mod rotate_secret;
mod secret;
mod take_over;
mod test;
mod update;

pub use backlog::{Backlog, backlog};
pub use create::{CreateWebhook, CreatedWebhook, create};
pub use delete::delete;
pub use deliver::{Delivery, claim, deliver, wait_until_announced};
pub use find::find;
pub use lanes::Lanes;
pub use list::list;
pub use list_deliveries::list_deliveries;
pub use rotate_secret::rotate_secret;
pub(in crate::service) use secret::opens_one;
pub use secret::reseal_secrets;
pub use take_over::take_over;
pub use test::test;
pub use update::{UpdateWebhook, update};
