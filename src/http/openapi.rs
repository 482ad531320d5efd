//! The OpenAPI document: the routes' own descriptions, and the errors each of them can return.

use serde_json::{Value, json};
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Content, ContentBuilder, Header, HeaderBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder,
    OneOfBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Type,
    example::ExampleBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::error::Problem;
use super::error_code::ErrorCode;
use super::next_auth::answer::Next;
use super::rate_limit;
use super::routes::Documented;
use crate::service::limits::Group;

const DESCRIPTION: &str = "\
Sign-in, sessions and organizations behind one set of rules.

Bodies are JSON in camelCase, at most 16 KiB; unknown fields are refused. Ids are UUIDs, times are \
RFC 3339 in UTC. All errors have the same body, and a machine-readable code in `X-Error-Code`. Every \
answer has an `X-Request-Id`: your own, if you sent 1–128 letters, digits, `.`, `_` or `-`. An unknown \
path is 404, and a wrong method is 405 with `Allow`. Every URL that answers GET also answers HEAD.";

const TAGS: [(&str, &str); 17] = [
    (
        "Signing in",
        "Sign in with an e-mail address and a password for an access token.",
    ),
    (
        "Accounts",
        "Verify an address, and reset a password. Both work with single-use tokens from e-mails.",
    ),
    (
        "Slack",
        "Sign in with Slack: from a button to a token at the application's return URL, which the operator must allow.",
    ),
    (
        "Second factor",
        "Codes of an authenticator (RFC 6238), in addition to the password or Slack. Five wrong codes in a \
         row lock it for fifteen minutes.",
    ),
    ("Current user", "Read and change the caller's own account."),
    (
        "Sessions",
        "List and end the caller's sessions. The tokens of an ended session are rejected within a second.",
    ),
    (
        "NextAuth",
        "Sessions for front ends with the `next-auth` client, version 4: a cookie instead of a token.",
    ),
    (
        "Session tokens",
        "For older server-to-server clients: an opaque token of 64 characters, valid for 30 days, in `?token=`, \
         as Bearer, or in a cookie.",
    ),
    (
        "Gates",
        "For the proxies of other applications, which ask with each request of a visitor whether it may pass.",
    ),
    (
        "Users",
        "The users of the caller's organization: employees see themselves, managers also their direct and \
         indirect reports, admins everyone.",
    ),
    (
        "API tokens",
        "For services. A token acts for the user who created it, in one organization, with the lower of its own \
         role and that user's. Its form: `hp_`, 43 characters of base64url, and a checksum of 6 characters: the \
         base64url of the first four bytes of the SHA-256 of everything before it.",
    ),
    (
        "Services",
        "For services that verify access tokens themselves. Each has a key, which the operator makes: `hps_`, 43 \
         characters of base64url, and a checksum as that of API tokens.",
    ),
    (
        "Webhooks",
        "Where the organization is told by HTTP what happens to its people, signed by Standard Webhooks.",
    ),
    (
        "Audit",
        "Who did what in the organization, from which address, and with which outcome.",
    ),
    (
        "Organizations",
        "The organization of the token, its members, and its invitations. Other organizations are not found.",
    ),
    (
        "Pages",
        "The targets of e-mail links, for applications without such pages. They need no script; opening one \
         changes nothing.",
    ),
    ("Operations", "For operators."),
];

/// The security scheme that is added to every route with `bearer`.
const SESSION_COOKIE: &str = "sessionCookie";

/// The extension in which a route lists its own errors.
const ERROR_CODES: &str = "x-error-codes";

/// The extension in which a route says that people get its errors as pages.
const ERROR_PAGES: &str = "x-error-pages";

/// The extension in which a route says that `json: true` gets a URL with its errors, as the NextAuth client expects.
const ERROR_URLS: &str = "x-error-urls";

pub(super) fn document() -> OpenApi {
    let mut document = Documented::openapi();
    document.info = InfoBuilder::new()
        .title("Hallpass")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(
            LicenseBuilder::new()
                .name(env!("CARGO_PKG_LICENSE"))
                .identifier(Some(env!("CARGO_PKG_LICENSE")))
                .build(),
        ))
        .build();
    document.tags = Some(
        TAGS.iter()
            .map(|(name, description)| {
                TagBuilder::new()
                    .name(*name)
                    .description(Some(*description))
                    .build()
            })
            .collect(),
    );
    let components = document.components.get_or_insert_default();
    let mut problem = Vec::new();
    Problem::schemas(&mut problem);
    components.schemas.extend(problem);
    components
        .schemas
        .insert(Problem::name().into(), Problem::schema());
    components.security_schemes.insert(
        "bearer".into(),
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(
                    "The `accessToken` of the login answer, or an API token (`hp_…`).",
                ))
                .build(),
        )
        .into(),
    );
    components.security_schemes.insert(
        "serviceBasic".into(),
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Basic)
                .description(Some(
                    "The name or the id of a service as the user, and its key as the password.",
                ))
                .build(),
        )
        .into(),
    );
    components.security_schemes.insert(
        "serviceKey".into(),
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(
                    "The key of a service (`hps_…`), made by `hallpass service add`.",
                ))
                .build(),
        )
        .into(),
    );
    let cookie = |name, description| {
        let value = ApiKeyValue::with_description(name, description);
        SecurityScheme::ApiKey(ApiKey::Cookie(value))
    };
    components.security_schemes.insert(
        SESSION_COOKIE.into(),
        cookie(
            "next-auth.session-token",
            "The same JWT in a cookie, `__Secure-next-auth.session-token` under https. It is used if no \
             `Authorization` is sent. A call that changes something must come from our own origin or one of \
             `CORS_ALLOWED_ORIGINS`, or have the CSRF token in `X-CSRF-Token` and in its cookie.",
        )
        .into(),
    );
    let query = ApiKeyValue::with_description("token", "The session token of `/api/v1/login`.");
    let opaque = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    for (name, scheme) in [
        ("sessionToken", SecurityScheme::ApiKey(ApiKey::Query(query))),
        (
            "sessionTokenBearer",
            SecurityScheme::Http(
                opaque
                    .description(Some("The session token of `/api/v1/login`, 64 characters."))
                    .build(),
            ),
        ),
        (
            "sessionTokenCookie",
            cookie(
                "hallpass-session",
                "The session token in a cookie, `__Host-hallpass-session` under https. The rules \
                 of `sessionCookie` apply.",
            ),
        ),
    ] {
        components
            .security_schemes
            .insert(name.into(), scheme.into());
    }
    for (name, header) in headers() {
        components.headers.insert(name.into(), header.into());
    }
    let schemas = json!({ "components": { "schemas": components.schemas } });
    for (path, item) in &mut document.paths.paths {
        for (operation, is_safe) in operations_mut(item) {
            complete(operation, is_safe, rate_limit::group_of(path), &schemas);
        }
    }
    document
}

/// Each operation, and whether its method is safe.
fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&mut Operation, bool)> {
    [
        (&mut item.get, true),
        (&mut item.post, false),
        (&mut item.patch, false),
        (&mut item.delete, false),
    ]
    .into_iter()
    .filter_map(|(operation, is_safe)| Some((operation.as_mut()?, is_safe)))
}

fn headers() -> [(&'static str, Header); 4] {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    [
        (
            "X-Request-Id",
            HeaderBuilder::new()
                .description(Some("Identifies this request in the service's log."))
                .schema(Some(
                    text().examples([json!("019a9f2e-5d1e-7b33-8f10-2a6c4e8d0b97")]),
                ))
                .build(),
        ),
        (
            "Retry-After",
            HeaderBuilder::new()
                .description(Some("Seconds to wait before trying again."))
                .schema(Some(
                    ObjectBuilder::new()
                        .schema_type(Type::Integer)
                        .minimum(Some(1)),
                ))
                .build(),
        ),
        (
            "RateLimit",
            HeaderBuilder::new()
                .description(Some(
                    "The call's bucket, how many calls are left in it (`r`), and in how many seconds there are \
                     more (`t`).",
                ))
                .schema(Some(text().examples([json!("\"login\";r=599;t=1")])))
                .build(),
        ),
        (
            "RateLimit-Policy",
            HeaderBuilder::new()
                .description(Some(
                    "How many calls the bucket holds (`q`), and in how many seconds it fills (`w`).",
                ))
                .schema(Some(text().examples([json!("\"login\";q=600;w=60")])))
                .build(),
        ),
    ]
}

/// The errors of bodies that cannot be read, so that a `json: true` in them is unknown.
const OF_BODIES: [ErrorCode; 5] = [
    ErrorCode::ValidationFailed,
    ErrorCode::MalformedRequest,
    ErrorCode::RequestTimeout,
    ErrorCode::BodyTooLarge,
    ErrorCode::UnsupportedMediaType,
];

/// Adds what follows from a route's shape, so that its attributes list only its own errors.
fn complete(operation: &mut Operation, is_safe: bool, group: Option<Group>, document: &Value) {
    give_examples(operation, document);
    let mut codes = own_codes(operation);
    let bearer = SecurityRequirement::new::<_, _, String>("bearer", []);
    if let Some(ways) = &mut operation.security
        && ways.contains(&bearer)
    {
        ways.push(SecurityRequirement::new::<_, _, String>(SESSION_COOKIE, []));
        if !is_safe {
            codes.push(ErrorCode::CrossSiteRequest);
        }
    }
    if operation.security.is_some() {
        codes.extend([
            ErrorCode::AuthenticationRequired,
            ErrorCode::InvalidToken,
            ErrorCode::TokenExpired,
            ErrorCode::TokenRevoked,
        ]);
        // Without the required second factor, a user may only enrol one.
        let enrols = |tags: &Vec<String>| tags.iter().any(|tag| tag == "Second factor");
        if !operation.tags.as_ref().is_some_and(enrols) {
            codes.push(ErrorCode::MfaEnrolmentRequired);
        }
    }
    if operation.request_body.is_some() {
        codes.extend(OF_BODIES);
    }
    if operation.security.is_some() || operation.request_body.is_some() {
        codes.extend([ErrorCode::Busy, ErrorCode::Unavailable]);
    }
    if group.is_some() {
        codes.push(ErrorCode::TooManyRequests);
    }
    codes.push(ErrorCode::InternalError);
    codes.sort_unstable();
    codes.dedup();

    let has_pages = take_error_pages(operation);
    let has_urls = take(operation, ERROR_URLS);
    for same_status in codes.chunk_by(|a, b| a.status() == b.status()) {
        if let [first, ..] = same_status {
            let mut problem = problem(same_status);
            if has_pages {
                let page = ContentBuilder::new().schema(Some(String::schema())).build();
                problem.content.insert("text/html".into(), page.into());
            }
            if has_urls && !same_status.iter().any(|code| OF_BODIES.contains(code)) {
                offer_url(&mut problem);
            }
            operation
                .responses
                .responses
                .insert(first.status().as_str().into(), problem.into());
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            let mut promise = |name: &str| {
                response.headers.insert(name.into(), header_ref(name));
            };
            promise("X-Request-Id");
            if group.is_some_and(rate_limit::is_told) || status == "429" {
                promise("RateLimit");
                promise("RateLimit-Policy");
            }
        }
    }
    let codes = json!(codes);
    operation
        .extensions
        .get_or_insert_default()
        .insert(ERROR_CODES.into(), codes);
}

/// Adds examples, and marks a body without required fields as optional.
fn give_examples(operation: &mut Operation, document: &Value) {
    let schema_of = |content: &Content| serde_json::to_value(&content.schema).unwrap_or_default();
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            let example = example_of(&schema_of(content), document, Fields::Required);
            if example == json!({}) {
                body.required = Some(Required::False);
            }
            content.example = Some(example);
        }
    }
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else {
            continue;
        };
        if let Some(RefOr::T(content)) = response.content.get_mut("application/json") {
            content.example = Some(example_of(&schema_of(content), document, Fields::All));
        }
    }
}

/// Which fields an example shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    Required,
    All,
}

/// A value that fits `schema`, built from the examples of its parts.
pub(super) fn example_of(schema: &Value, document: &Value, fields: Fields) -> Value {
    let schema = resolve(schema, document);
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(Value::Array(variants)) = schema.get("oneOf") {
        return variants
            .first()
            .map_or(Value::Null, |first| example_of(first, document, fields));
    }
    if let Some(Value::Object(properties)) = schema.get("properties") {
        let required = |name: &String| {
            schema["required"]
                .as_array()
                .is_some_and(|names| names.iter().any(|n| n == name))
        };
        return properties
            .iter()
            .filter(|(name, _)| fields == Fields::All || required(name))
            .map(|(name, property)| (name.clone(), example_of(property, document, fields)))
            .collect();
    }
    if schema["format"] == "uuid" {
        return json!("019a9f2e-5d1b-7a20-9c3d-64b1e0f7a8c2");
    }
    match schema.get("items") {
        Some(item) => json!([example_of(item, document, fields)]),
        None => schema
            .get("enum")
            .map_or(json!({}), |values| values[0].clone()),
    }
}

/// Follows `$ref`.
pub(super) fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    schema["$ref"]
        .as_str()
        .and_then(|pointer| document.pointer(pointer.strip_prefix('#')?))
        .unwrap_or(schema)
}

/// Whether people may get an error of this route as a page. Removes the extension; readers see it in the responses.
fn take_error_pages(operation: &mut Operation) -> bool {
    let is_page = |tag: &String| tag == "Pages";
    take(operation, ERROR_PAGES) || operation.tags.iter().flatten().any(is_page)
}

/// Whether the route has the extension, which is removed.
fn take(operation: &mut Operation, extension: &str) -> bool {
    let extensions = operation.extensions.as_mut();
    extensions.is_some_and(|extensions| extensions.remove(extension).is_some())
}

/// Adds that the body may be the URL of the error page.
fn offer_url(problem: &mut Response) {
    problem
        .description
        .push_str("\n\nWith `json: true`, errors of the sign-in itself have the body `Next`.");
    if let Some(RefOr::T(content)) = problem.content.get_mut("application/json") {
        let either = OneOfBuilder::new()
            .item(Ref::from_schema_name(Problem::name()))
            .item(Ref::from_schema_name(Next::name()));
        content.schema = Some(either.into());
    }
}

/// The codes a route lists itself.
fn own_codes(operation: &Operation) -> Vec<ErrorCode> {
    let named = operation
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get(ERROR_CODES)?.as_array());
    ErrorCode::ALL
        .iter()
        .copied()
        .filter(|code| named.is_some_and(|named| named.iter().any(|name| name == code.as_str())))
        .collect()
}

/// The response for all errors of a status.
fn problem(codes: &[ErrorCode]) -> Response {
    let mut content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name())));
    let mut description = Vec::new();
    let mut response = ResponseBuilder::new();
    for code in codes {
        description.push(format!("`{}`: {}", code.as_str(), code.meaning()));
        let example = ExampleBuilder::new()
            .summary(code.message())
            .value(Some(example(*code)))
            .build();
        content = content.examples_from_iter([(code.as_str(), example)]);
    }
    let one_of = |values: Vec<&str>| {
        HeaderBuilder::new()
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(values)),
            ))
            .build()
    };
    response = response
        .description(description.join("\n\n"))
        .content("application/json", content.build())
        .header(
            "X-Error-Code",
            one_of(codes.iter().map(|code| code.as_str()).collect()),
        );
    let mut challenges: Vec<_> = codes
        .iter()
        .filter_map(|code| Some(code.challenge()?.as_str()))
        .collect();
    challenges.dedup();
    if !challenges.is_empty() {
        response = response.header("WWW-Authenticate", one_of(challenges));
    }
    let mut response = response.build();
    if codes.iter().any(|code| code.retry_after().is_some()) {
        response
            .headers
            .insert("Retry-After".into(), header_ref("Retry-After"));
    }
    response
}

fn example(code: ErrorCode) -> Value {
    let mut body = json!({
        "statusCode": code.status().as_u16(),
        "message": code.message(),
        "error": code.reason(),
    });
    if code == ErrorCode::ValidationFailed {
        body["details"] = json!([{
            "field": "email",
            "code": "invalid_email",
            "message": "Please enter an e-mail address such as ada@example.com.",
        }]);
    }
    body
}

fn header_ref(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::ServerBuilder;

    use super::*;
    use crate::http::generated;
    use crate::http::routes::{REGISTERED, in_document};

    #[test]
    fn the_document_in_the_repository_is_up_to_date() {
        let mut document = document();
        document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
        let mut json = document.to_pretty_json().unwrap();
        json.push('\n');
        generated::assert_up_to_date("docs/openapi.json", &json);
    }

    #[test]
    fn the_document_has_exactly_the_registered_routes() {
        let document = serde_json::to_value(document()).unwrap();
        let mut documented = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.push((path.as_str(), method.as_str()));
            }
        }
        let mut registered: Vec<_> = REGISTERED
            .iter()
            .flat_map(|(path, methods)| {
                methods
                    .iter()
                    .map(move |method| (*path, in_document(method)))
            })
            .collect();
        documented.sort_unstable();
        registered.sort_unstable();
        assert_eq!(documented, registered);
    }

    #[test]
    fn a_limited_route_documents_its_rate_limit_headers() {
        let document = serde_json::to_value(document()).unwrap();
        let promises = |path: &str, method: &str, status: &str| {
            let headers = &document["paths"][path][method]["responses"][status]["headers"];
            ["RateLimit", "RateLimit-Policy"].map(|name| headers[name].is_object())
        };
        assert_eq!(promises("/api/auth/login", "post", "200"), [true; 2]);
        assert_eq!(promises("/api/auth/login", "post", "429"), [true; 2]);
        assert_eq!(promises("/api/auth/me", "get", "200"), [false; 2]);
        assert_eq!(promises("/api/auth/me", "get", "429"), [true; 2]);
        assert!(document["paths"]["/livez"]["get"]["responses"]["429"].is_null());
    }

    #[test]
    fn next_auth_clients_get_urls_for_all_errors_but_those_of_the_body() {
        let document = serde_json::to_value(document()).unwrap();
        let may_get_url = |path: &str, status: &str| {
            let answer = &document["paths"][path]["post"]["responses"][status];
            let schema = &answer["content"]["application/json"]["schema"];
            assert!(schema.is_object(), "{path} {status}");
            schema.to_string().contains("schemas/Next")
        };
        for path in [
            "/api/auth/callback/credentials",
            "/api/auth/signin/credentials",
        ] {
            for status in ["401", "403", "429", "500", "503"] {
                assert!(may_get_url(path, status), "{path} {status}");
            }
            for status in ["400", "408", "413", "415"] {
                assert!(!may_get_url(path, status), "{path} {status}");
            }
        }
        assert!(!may_get_url("/api/auth/login", "401"));
    }

    #[test]
    fn a_route_names_the_errors_it_can_answer() {
        let document = serde_json::to_value(document()).unwrap();
        let codes = |path: &str, method: &str| {
            let operation = &document["paths"][path][method];
            let codes: Vec<_> = operation[ERROR_CODES]
                .as_array()
                .unwrap()
                .iter()
                .map(|code| code.as_str().unwrap().to_owned())
                .collect();
            for code in &codes {
                let code = ErrorCode::ALL.iter().find(|c| c.as_str() == code).unwrap();
                let response = &operation["responses"][code.status().as_str()];
                let example = &response["content"]["application/json"]["examples"][code.as_str()];
                assert_eq!(example["value"]["message"], code.message());
            }
            codes
        };
        let login = codes("/api/auth/login", "post");
        for code in ["invalid_credentials", "validation_failed", "busy"] {
            assert!(login.iter().any(|c| c == code), "{code}");
        }
        assert!(!login.iter().any(|code| code == "invalid_token"));
        for code in ["too_many_attempts", "too_many_requests"] {
            assert!(login.iter().any(|c| c == code), "{code}");
        }
        assert_eq!(codes("/livez", "get"), ["internal_error"]);
        let me = codes("/api/auth/me", "get");
        assert!(me.iter().any(|code| code == "token_revoked"));
        assert!(!me.iter().any(|code| code == "validation_failed"));
    }
}
