//! The limit of open files, which limits the number of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard limit. Systems default to 1,024 for programs that use `select`, but
/// each connection needs a file descriptor. Only the server calls it, because it affects the whole process.
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
            "failed to raise the limit of open files, which also limits the number of connections"
        ),
    }
}
