//! Sessions of the system that was here before: for a while, each of its tokens is exchanged for a session of ours.
//!
//! A token counts once, and only for a person whom an import has brought from that system; nothing it says but their
//! id, and when it was issued and ends, counts at all. `docs/decisions/0059-exchange-of-old-sessions.md` has the rules.

mod exchange;
mod system;

pub use exchange::exchange;
pub use system::LegacySessions;
