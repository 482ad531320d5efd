//! The page for errors that no other page handles.

use actix_web::HttpResponse;

use super::shell::Page;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;

pub(super) fn error_page(error: ApiError) -> HttpResponse {
    let (title, text) = texts(error.code());
    Page {
        title,
        text: vec![text.into()],
        messages: error.messages().map(str::to_owned).collect(),
        error_code: Some(error.code().as_str()),
        ..Page::default()
    }
    .refusal(error)
}

fn texts(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::EmailTaken => (
            "page.error.email_taken.title",
            "page.error.email_taken.text",
        ),
        ErrorCode::Busy | ErrorCode::Unavailable => (
            "page.error.unavailable.title",
            "page.error.unavailable.text",
        ),
        code if code.status().is_server_error() => {
            ("page.error.internal.title", "page.error.internal.text")
        }
        _ => ("page.error.other.title", "page.error.other.text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_page_keeps_the_status_and_the_code() {
        for code in [
            ErrorCode::EmailTaken,
            ErrorCode::Unavailable,
            ErrorCode::MalformedRequest,
            ErrorCode::InternalError,
        ] {
            let answer = error_page(code.into());
            assert_eq!(answer.status(), code.status());
            let told = answer.headers().get("x-error-code").unwrap();
            assert_eq!(told, code.as_str());
        }
    }
}
