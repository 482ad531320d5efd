//! Records that a user from Slack was refused.

use crate::domain::SignInFailure;
use crate::domain::audit::{Action, Method};
use crate::service::{RequestContext, Result, Services};

/// # Errors
/// Always: `failure`, or the error that prevented recording it.
pub(in crate::service) async fn refuse<T: Send + 'static>(
    services: &Services,
    context: &RequestContext,
    failure: SignInFailure,
) -> Result<T> {
    services
        .write(context, move |unit| {
            let event = unit.event(Action::Login).by(Method::Slack);
            unit.refuse(event.refused(failure.as_str()), failure.into())
        })
        .await
}
