//! The page for what no page foresaw.

use actix_web::HttpResponse;

use super::shell::Page;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;

pub fn trouble(error: ApiError) -> HttpResponse {
    let (title, text) = words(error.code());
    Page {
        title,
        text: vec![text.into()],
        faults: error.messages().map(str::to_owned).collect(),
        footnote: Some(error.code().as_str().into()),
        ..Page::default()
    }
    .refusal(error)
}

fn words(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::EmailTaken => (
            "This address has an account already",
            "Sign in to that account, or use another address for this one.",
        ),
        ErrorCode::Busy | ErrorCode::Unavailable => (
            "Not right now",
            "Something that this service depends on does not answer, so nothing was done. Please try again in a moment.",
        ),
        code if code.status().is_server_error() => (
            "Something went wrong",
            "That is our fault, and it has been written down. Please try again.",
        ),
        _ => (
            "That did not work",
            "Please open the link in your mail again.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_keeps_its_status_and_its_code() {
        for code in [
            ErrorCode::EmailTaken,
            ErrorCode::Unavailable,
            ErrorCode::MalformedRequest,
            ErrorCode::InternalError,
        ] {
            let answer = trouble(code.into());
            assert_eq!(answer.status(), code.status());
            let told = answer.headers().get("x-error-code").unwrap();
            assert_eq!(told, code.as_str());
        }
    }
}
