//! `GET /api/auth/account/export`

use std::sync::Arc;

use actix_web::http::header::{CONTENT_DISPOSITION, ContentType};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::domain::account_export::AccountExport;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, ReauthenticationRequired};
use crate::http::only_looks::only_looks;
use crate::service::{self, Caller, ExportedFile, Services};

/// Export the account
///
/// Everything that is kept about the caller, as a file: no passwords, secrets or hashes, and nothing of other people.
/// Requires a proof of identity within the last fifteen minutes. Each account has five files an hour. A file that could
/// not be read to its end ends in the middle of the JSON, and the connection is closed.
#[utoipa::path(
    get,
    path = "/api/auth/account/export",
    tag = "Current user",
    security(("bearer" = [])),
    responses((status = 200, description = "The file.", body = AccountExport, headers(
        ("Content-Disposition" = String,
            description = "`attachment; filename=\"hallpass-account-2026-11-22.json\"`, with the date in UTC"),
    ))),
    extensions(("x-error-codes" = json!([Forbidden, ReauthenticationRequired]))),
)]
pub(crate) async fn export_account(
    request: HttpRequest,
    services: Data<Services>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    if only_looks(&request) {
        service::may_export_account(&services, &caller).await?;
        return Ok(HttpResponse::Ok()
            .content_type(ContentType::json())
            .finish());
    }
    let mut file = service::export_account(&services, &caller).await?;
    let name = format!("hallpass-account-{}.json", file.at().format("%Y-%m-%d"));
    // Read before the status is sent, so that a database that does not answer is an error as anywhere.
    let first = file.next(&services).await?;
    let rest = parts(file, services.into_inner());
    Ok(HttpResponse::Ok()
        .content_type(ContentType::json())
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(stream::iter(first.map(|text| Ok(Bytes::from(text)))).chain(rest)))
}

fn parts(
    file: ExportedFile,
    services: Arc<Services>,
) -> impl stream::Stream<Item = service::Result<Bytes>> {
    stream::try_unfold((file, services), async |(mut file, services)| {
        let text = file.next(&services).await?;
        Ok(text.map(|text| (Bytes::from(text), (file, services))))
    })
    .inspect_err(|error| tracing::error!(%error, "an export could not be read to its end"))
}
