//! Checks a link from an e-mail without using it.

use crate::crypto::opaque::Opaque;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::one_time_tokens::{self, Purpose};

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    VerifyEmail,
    ChangeEmail,
    ResetPassword,
    EndSession,
    Undo,
}

/// Whether the link is valid now.
pub async fn is_good(
    services: &Services,
    context: &RequestContext,
    link: Link,
    token: &str,
) -> Result<bool> {
    let Some(secret) = Opaque::parse(token) else {
        return Ok(false);
    };
    let purpose = match link {
        Link::VerifyEmail => Purpose::VerifyEmail,
        Link::ChangeEmail => Purpose::ChangeEmail,
        Link::ResetPassword => Purpose::ResetPassword,
        Link::EndSession => Purpose::EndSession,
        Link::Undo => Purpose::Undo,
    };
    let now = services.now();
    services
        .store
        .read(context, move |tx| {
            let found = one_time_tokens::find(tx, secret.hash().as_str(), purpose, now)?;
            Ok::<_, Error>(found.is_some())
        })
        .await
}
