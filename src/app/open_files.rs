//! As many connections as the system lets the program have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one: systems keep it at 1,024 for programs that call `select`, and
/// each connection is a file. For a process that serves, not for a library.
pub fn raise_limit_of_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => tracing::info!(
            before = limit.current,
            now = limit.maximum,
            "raised the limit of open files"
        ),
        Err(error) => tracing::warn!(
            %error,
            limit = limit.current,
            "the limit of open files cannot be raised; so many connections are the most there can be"
        ),
    }
}
