//! How the result of a sign-in reaches the return URL.

use actix_web::HttpResponse;
use actix_web::http::header::{LOCATION, REFERRER_POLICY, SET_COOKIE};

use crate::domain::TokenDelivery;
use crate::http::cookies::Cookie;
use crate::http::settings::Settings;
use crate::service::slack::{CallbackOutcome, CallbackResult};

/// 302 to the return URL, with the state that the client may compare.
pub(super) fn redirect(result: CallbackResult, settings: &Settings) -> HttpResponse {
    let state = ("state", result.state.as_str());
    let delivery = match (&result.outcome, settings.token_delivery) {
        // A client that expects a code reads the query, for errors too.
        _ if result.is_by_code => TokenDelivery::Query,
        // What is not a session yet is no cookie, and goes into the fragment, which no server sees.
        (CallbackOutcome::Challenge(_), TokenDelivery::Cookie) => TokenDelivery::Fragment,
        (_, delivery) => delivery,
    };
    let mut response = HttpResponse::Found();
    let to = |parameters: &[(&str, &str)]| match delivery {
        TokenDelivery::Fragment => result.return_url.with_fragment(parameters),
        TokenDelivery::Query | TokenDelivery::Cookie => result.return_url.with_query(parameters),
    };
    let location = match &result.outcome {
        CallbackOutcome::Failure(failure) => to(&[("error", failure.as_str()), state]),
        CallbackOutcome::Code(code) => to(&[("code", code.expose()), state]),
        CallbackOutcome::Challenge(second_factor) => {
            let seconds = second_factor.expires_in.to_string();
            let token = ("mfaToken", second_factor.token.expose());
            let mut parameters = vec![token, ("expiresIn", &seconds)];
            if second_factor.enrolment_required {
                parameters.push(("enrolmentRequired", "true"));
            }
            parameters.push(state);
            to(&parameters)
        }
        CallbackOutcome::Token(signed_in) => {
            let token = signed_in.access_token.as_str();
            let seconds = signed_in.expires_in;
            if delivery == TokenDelivery::Cookie {
                let cookie = Cookie::Session.set(token, seconds, settings);
                response.insert_header((SET_COOKIE, cookie));
                to(&[state])
            } else {
                to(&[("token", token), ("expiresIn", &seconds.to_string()), state])
            }
        }
    };
    response
        .insert_header((LOCATION, location.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish()
}
