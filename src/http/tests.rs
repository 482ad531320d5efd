//! The application without services: what every answer guarantees.

use std::io::Write;
use std::sync::{Arc, Mutex};

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode, header};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, Responder};
use serde_json::{Value, json};

use super::app::layered;
use super::body::Valid;
use super::error::ApiError;
use super::error_code::ErrorCode;
use super::routes::{self, REGISTERED};
use super::settings::Settings;
use super::token_api::change_password::ChangePasswordRequest;
use super::token_api::login::LoginRequest;
use super::token_api::refresh::RefreshRequest;
use super::token_api::register::RegisterRequest;
use crate::domain::TokenDelivery;
use crate::service::RequestContext;

const FRIEND: &str = "https://app.example.com";

fn settings(public_url: &str) -> web::Data<Settings> {
    web::Data::new(Settings::new(
        public_url.parse().unwrap(),
        public_url.parse().unwrap(),
        &[FRIEND.to_owned()],
        vec!["10.0.0.0/8".parse().unwrap()],
        TokenDelivery::Fragment,
        None,
        Vec::new(),
    ))
}

/// Routes that do one thing each, to test middleware and extractors.
fn probes(config: &mut web::ServiceConfig) {
    async fn accept<T>(_: Valid<T>) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
    config
        .route("/login", web::post().to(accept::<LoginRequest>))
        .route("/register", web::post().to(accept::<RegisterRequest>))
        .route("/refresh", web::post().to(accept::<RefreshRequest>))
        .route("/password", web::post().to(accept::<ChangePasswordRequest>))
        .route("/number/{n}", web::get().to(async |_: web::Path<u8>| "ok"))
        .route("/context", web::get().to(context))
        .route("/api/broken", web::get().to(broken))
        .route("/api/without", web::get().to(without))
        .service(
            web::resource("/api/panic")
                .wrap(actix_web::middleware::from_fn(super::layers::each_route))
                .route(web::get().to(panics)),
        );
}

async fn context(context: RequestContext) -> impl Responder {
    let address = context.address.map(|address| address.to_string());
    web::Json(json!({
        "id": context.request_id,
        "address": address,
        "device": context.device,
    }))
}

async fn broken() -> Result<&'static str, ApiError> {
    Err(ApiError::internal("secret cause"))
}

async fn without() -> Result<&'static str, ApiError> {
    Err(ErrorCode::SlackNotSetUp.into())
}

async fn panics() -> HttpResponse {
    panic!("secret cause")
}

/// Sends one request to the probes.
async fn probe(request: TestRequest) -> ServiceResponse<BoxBody> {
    let app = init_service(layered(settings("http://localhost:8080"), probes)).await;
    call_service(&app, request.to_request()).await
}

/// Sends one request to the product's routes.
async fn send(request: TestRequest) -> ServiceResponse<BoxBody> {
    let app = layered(settings("http://localhost:8080"), routes::configure);
    call_service(&init_service(app).await, request.to_request()).await
}

fn header<'a>(response: &'a ServiceResponse<BoxBody>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|v| v.to_str().unwrap())
}

async fn json_of(response: ServiceResponse<BoxBody>) -> Value {
    serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap()
}

/// The error body for `code`, after checking the headers that every answer has.
async fn assert_problem(response: ServiceResponse<BoxBody>, code: ErrorCode) {
    assert_eq!(header(&response, "x-error-code"), Some(code.as_str()));
    assert_eq!(response.status(), code.status());
    assert_eq!(header(&response, "content-type"), Some("application/json"));
    assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"));
    assert_eq!(header(&response, "vary"), Some("Origin"));
    assert!(header(&response, "x-request-id").is_some());
    let mut body = json_of(response).await;
    if code == ErrorCode::ValidationFailed {
        body.as_object_mut().unwrap().remove("details");
    }
    assert_eq!(
        body,
        json!({
            "statusCode": code.status().as_u16(),
            "message": code.message(),
            "error": code.reason(),
        })
    );
}

fn post(path: &str, body: impl Into<Bytes>) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header(header::ContentType::json())
        .set_payload(body)
}

/// `field code` of each fault of a refused body.
async fn faults(path: &str, body: impl Into<Bytes>) -> Vec<String> {
    let response = probe(post(path, body)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(header(&response, "x-error-code"), Some("validation_failed"));
    let body = json_of(response).await;
    assert_eq!(body["message"], "Validation failed");
    let details = body["details"].as_array().unwrap();
    details
        .iter()
        .map(|fault| {
            assert_ne!(fault["message"], "");
            format!(
                "{} {}",
                fault["field"].as_str().unwrap(),
                fault["code"].as_str().unwrap()
            )
        })
        .collect()
}

#[actix_web::test]
async fn an_unknown_path_is_404_in_our_envelope() {
    for path in ["/nowhere", "/api/nowhere", "/api/auth/login/", "/api"] {
        let response = send(TestRequest::get().uri(path)).await;
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        assert_problem(response, ErrorCode::NotFound).await;
    }
}

#[actix_web::test]
async fn a_wrong_method_is_405_and_names_the_right_ones() {
    for (path, methods) in REGISTERED.iter().filter(|(_, methods)| *methods != ["any"]) {
        for wrong in [Method::TRACE, Method::PUT, Method::OPTIONS] {
            let response = send(TestRequest::default().method(wrong).uri(path)).await;
            let mut allowed: Vec<_> = header(&response, "allow")
                .unwrap()
                .split(", ")
                .map(str::to_lowercase)
                .filter(|method| method != "head")
                .collect();
            allowed.sort_unstable();
            assert_eq!(allowed, *methods, "{path}");
            assert_problem(response, ErrorCode::MethodNotAllowed).await;
        }
    }
}

#[actix_web::test]
async fn what_answers_get_answers_head_and_nothing_else_does() {
    let head = |path| TestRequest::default().method(Method::HEAD).uri(path);
    assert_eq!(send(head("/livez")).await.status(), 200);
    assert_eq!(send(head("/api/auth/me")).await.status(), 401);
    assert_eq!(send(head("/api/auth/login")).await.status(), 405);
}

#[actix_web::test]
async fn a_percent_encoded_path_is_the_same_path() {
    let response = send(TestRequest::get().uri("/%61pi/auth/%6De")).await;
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert_problem(response, ErrorCode::AuthenticationRequired).await;
}

#[actix_web::test]
async fn without_a_credential_401_challenges_without_an_error() {
    let response = send(TestRequest::get().uri("/api/auth/me")).await;
    assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
    assert_problem(response, ErrorCode::AuthenticationRequired).await;
}

#[actix_web::test]
async fn two_credentials_are_rejected() {
    let request = TestRequest::get()
        .uri("/api/auth/me")
        .append_header(("authorization", "Bearer a"))
        .append_header(("authorization", "Bearer a"));
    let response = send(request).await;
    assert_eq!(
        header(&response, "www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
    assert_problem(response, ErrorCode::InvalidToken).await;
}

#[actix_web::test]
async fn framework_errors_have_our_error_body() {
    assert_eq!(
        probe(TestRequest::get().uri("/number/7")).await.status(),
        200
    );
    let response = probe(TestRequest::get().uri("/number/seven")).await;
    assert_problem(response, ErrorCode::NotFound).await;
}

#[actix_web::test]
async fn the_cause_of_an_error_is_not_sent() {
    let response = probe(TestRequest::get().uri("/api/broken")).await;
    assert_problem(response, ErrorCode::InternalError).await;
}

#[actix_web::test]
async fn a_panic_is_one_500_and_the_next_request_is_served() {
    let app = init_service(layered(settings("http://localhost"), probes)).await;
    for _ in 0..2 {
        let request = TestRequest::get().uri("/api/panic").to_request();
        assert_problem(call_service(&app, request).await, ErrorCode::InternalError).await;
    }
    let request = TestRequest::get().uri("/context").to_request();
    assert_eq!(call_service(&app, request).await.status(), 200);
}

#[actix_web::test]
async fn a_request_id_is_kept_or_made() {
    let own = TestRequest::get()
        .uri("/context")
        .insert_header(("x-request-id", "trace.7"));
    let response = probe(own).await;
    assert_eq!(header(&response, "x-request-id"), Some("trace.7"));
    assert_eq!(json_of(response).await["id"], "trace.7");

    let unfit = TestRequest::get()
        .uri("/context")
        .insert_header(("x-request-id", "a b"));
    let response = probe(unfit).await;
    let id = header(&response, "x-request-id").unwrap().to_owned();
    assert!(id.parse::<uuid::Uuid>().is_ok());
    assert_eq!(json_of(response).await["id"], id);
}

#[actix_web::test]
async fn services_learn_the_client_behind_a_trusted_proxy() {
    let request = |peer: &str| {
        TestRequest::get()
            .uri("/context")
            .peer_addr(format!("{peer}:9").parse().unwrap())
            .insert_header(("x-forwarded-for", "198.51.100.7"))
            .insert_header(("user-agent", "curl/8"))
    };
    let context = json_of(probe(request("10.0.0.1")).await).await;
    assert_eq!(context["address"], "198.51.100.7");
    assert_eq!(context["device"], "curl 8");
    let context = json_of(probe(request("192.0.2.1")).await).await;
    assert_eq!(context["address"], "192.0.2.1");
}

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The one event logged for `request`.
async fn logged(request: TestRequest) -> Value {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(move || writer.clone())
        .finish();
    let app = init_service(layered(settings("http://localhost"), |config| {
        routes::configure(config);
        probes(config);
    }))
    .await;
    let guard = tracing::subscriber::set_default(subscriber);
    call_service(&app, request.to_request()).await;
    drop(guard);
    let text = log.0.lock().unwrap();
    serde_json::from_slice(&text).expect("one line")
}

#[actix_web::test]
async fn a_request_is_logged_by_its_route_never_by_what_was_typed() {
    let request = TestRequest::put()
        .uri("/api/auth/sessions/private?token=secret")
        .insert_header(("x-request-id", "trace.7"))
        .insert_header(("authorization", "Basic c2VjcmV0"));
    let event = logged(request).await;
    let fields = &event["fields"];
    assert_eq!(event["level"], "INFO");
    assert_eq!(fields["method"], "PUT");
    assert_eq!(fields["route"], "/api/auth/sessions/{id}");
    assert_eq!(fields["status"], 405);
    assert_eq!(fields["request_id"], "trace.7");
    let text = event.to_string();
    for typed in ["private", "secret", "c2VjcmV0"] {
        assert!(!text.contains(typed), "{typed}");
    }
}

#[actix_web::test]
async fn the_cause_of_a_failure_is_logged_once() {
    let event = logged(TestRequest::get().uri("/api/broken")).await;
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["fields"]["cause"], "secret cause");
    let event = logged(TestRequest::get().uri("/api/panic")).await;
    assert_eq!(event["fields"]["cause"], "panic: secret cause");
}

#[actix_web::test]
async fn an_unconfigured_feature_is_not_logged_as_a_failure() {
    let event = logged(TestRequest::get().uri("/api/without")).await;
    assert_eq!(event["level"], "INFO");
    assert_eq!(event["fields"]["status"], 501);
}

#[actix_web::test]
async fn hsts_is_sent_only_under_https() {
    for (url, expected) in [
        ("https://id.example.com", Some("max-age=31536000")),
        ("http://localhost:8080", None),
    ] {
        let app = init_service(layered(settings(url), routes::configure)).await;
        let response = call_service(&app, TestRequest::get().uri("/livez").to_request()).await;
        assert_eq!(header(&response, "strict-transport-security"), expected);
    }
}

fn from_origin(request: TestRequest, origin: &str) -> TestRequest {
    request.insert_header((header::ORIGIN, origin))
}

#[actix_web::test]
async fn an_allowed_origin_may_read_answers_and_errors() {
    for path in ["/livez", "/nowhere", "/api/auth/me"] {
        let response = send(from_origin(TestRequest::get().uri(path), FRIEND)).await;
        assert_eq!(
            header(&response, "access-control-allow-origin"),
            Some(FRIEND)
        );
        assert_eq!(
            header(&response, "access-control-expose-headers"),
            Some(
                "WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, \
                 X-Error-Code, Date"
            )
        );
        assert_eq!(header(&response, "vary"), Some("Origin"));
    }
}

#[actix_web::test]
async fn any_other_origin_may_read_nothing() {
    let others = [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "HTTPS://APP.EXAMPLE.COM",
        "null",
        "*",
        "",
    ];
    for origin in others {
        let response = send(from_origin(TestRequest::get().uri("/livez"), origin)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "vary"), Some("Origin"));
        for (name, _) in response.headers() {
            assert!(!name.as_str().starts_with("access-control"), "{origin}");
        }
    }
    let both = from_origin(TestRequest::get().uri("/livez"), FRIEND)
        .append_header((header::ORIGIN, "https://evil.example"));
    assert_eq!(
        header(&send(both).await, "access-control-allow-origin"),
        None
    );
}

fn preflight(origin: &str) -> TestRequest {
    TestRequest::default()
        .method(Method::OPTIONS)
        .uri("/api/auth/me")
        .insert_header((header::ORIGIN, origin))
        .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "PATCH"))
}

#[actix_web::test]
async fn a_preflight_tells_an_allowed_origin_what_it_may_send() {
    let response = send(preflight(FRIEND)).await;
    assert_eq!(response.status(), 204);
    let expected = [
        ("access-control-allow-origin", FRIEND),
        ("access-control-allow-methods", "GET, POST, PATCH, DELETE"),
        (
            "access-control-allow-headers",
            "Authorization, Content-Type, X-Request-Id",
        ),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ];
    for (name, value) in expected {
        assert_eq!(header(&response, name), Some(value));
    }
}

#[actix_web::test]
async fn a_preflight_tells_any_other_origin_nothing() {
    let response = send(preflight("https://evil.example")).await;
    assert_eq!(header(&response, "vary"), Some("Origin"));
    assert!(header(&response, "x-request-id").is_some());
    for (name, _) in response.headers() {
        assert!(!name.as_str().starts_with("access-control"), "{name}");
    }
}

const LOGIN: &str = r#"{"email":"ada@example.com","password":"correct horse"}"#;

#[actix_web::test]
async fn a_body_is_json_whatever_its_parameters() {
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
    ] {
        let request = TestRequest::post()
            .uri("/login")
            .insert_header(("content-type", kind))
            .set_payload(LOGIN);
        assert_eq!(probe(request).await.status(), 200, "{kind}");
    }
}

#[actix_web::test]
async fn a_body_of_another_kind_is_415() {
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "text/json",
        "",
    ] {
        let request = TestRequest::post()
            .uri("/login")
            .insert_header(("content-type", kind))
            .set_payload(LOGIN);
        assert_problem(probe(request).await, ErrorCode::UnsupportedMediaType).await;
    }
    let undeclared = TestRequest::post().uri("/login").set_payload(LOGIN);
    assert_problem(probe(undeclared).await, ErrorCode::UnsupportedMediaType).await;
}

#[actix_web::test]
async fn a_body_of_16_kib_is_read_and_a_byte_more_is_413() {
    let sized = |len: usize| format!("{LOGIN:<len$}");
    assert_eq!(probe(post("/login", sized(16_384))).await.status(), 200);
    let response = probe(post("/login", sized(16_385))).await;
    assert!(response.response().head().connection_type() == actix_web::http::ConnectionType::Close);
    assert_problem(response, ErrorCode::BodyTooLarge).await;

    let declared = post("/login", LOGIN).insert_header((header::CONTENT_LENGTH, "16385"));
    assert_problem(probe(declared).await, ErrorCode::BodyTooLarge).await;
}

#[actix_web::test]
async fn what_is_no_json_object_is_400_without_the_parser_s_words() {
    let deep = format!(r#"{{"email":{}{}}}"#, "[".repeat(8000), "]".repeat(8000));
    let bodies: [&[u8]; 12] = [
        b"{",
        b"null",
        b"[]",
        b"\"text\"",
        b"7",
        b"{\"email\":\"a\"}{}",
        b"{'email':'a'}",
        b"{\"email\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\"email\":\"\\ud800\"}",
        b" ",
        deep.as_bytes(),
    ];
    for body in bodies {
        let response = probe(post("/login", body.to_vec())).await;
        assert_problem(response, ErrorCode::MalformedRequest).await;
    }
}

#[actix_web::test]
async fn every_fault_of_a_body_is_reported_at_once() {
    assert_eq!(
        faults(
            "/login",
            r#"{"email":"ada","organizationId":7,"admin":true}"#
        )
        .await,
        [
            "admin unknown_field",
            "email invalid_email",
            "organizationId invalid_type",
            "password required",
        ]
    );
}

#[actix_web::test]
async fn missing_and_null_and_empty_fields_are_required() {
    for body in [
        "{}",
        r#"{"email":null,"password":null}"#,
        r#"{"email":"","password":""}"#,
    ] {
        assert_eq!(
            faults("/login", body).await,
            ["email required", "password required"],
            "{body}"
        );
    }
    let optional = r#"{"email":"ada@example.com","password":"x","organizationId":null}"#;
    assert_eq!(probe(post("/login", optional)).await.status(), 200);
}

#[actix_web::test]
async fn a_field_of_the_wrong_type_is_named() {
    for wrong in ["7", "true", "[]", r#"["a@b.example"]"#, r#"{"$ne":""}"#] {
        let body = format!(r#"{{"email":{wrong},"password":"x"}}"#);
        assert_eq!(faults("/login", body).await, ["email invalid_type"]);
    }
}

#[actix_web::test]
async fn a_field_sent_twice_is_named_once() {
    let body = r#"{"email":"ada@example.com","email":"eve@example.com","password":"x"}"#;
    assert_eq!(faults("/login", body).await, ["email duplicate_field"]);
}

#[actix_web::test]
async fn nul_is_rejected_everywhere_in_a_body() {
    for (field, body) in [
        ("email", r#"{"email":"a\u0000@example.com","password":"x"}"#),
        (
            "password",
            r#"{"email":"ada@example.com","password":"x\u0000y"}"#,
        ),
        ("email", r#"{"email":{"a\u0000":1},"password":"x"}"#),
        ("email", r#"{"email":["\u0000"],"password":"x"}"#),
    ] {
        let expected = format!("{field} invalid_characters");
        assert_eq!(faults("/login", body).await, [expected]);
    }
}

#[actix_web::test]
async fn a_password_has_at_most_100_characters() {
    let body = |n: usize| {
        let password = "é".repeat(n);
        format!(r#"{{"currentPassword":"x","newPassword":"{password}"}}"#)
    };
    assert_eq!(probe(post("/password", body(100))).await.status(), 200);
    assert_eq!(
        faults("/password", body(101)).await,
        ["newPassword too_long"]
    );
}

#[actix_web::test]
async fn the_number_of_reported_faults_is_limited() {
    let body = |n: u32| {
        let fields: Vec<_> = (0..n).map(|i| format!(r#""f{i}":0"#)).collect();
        format!("{{{}}}", fields.join(","))
    };
    assert_eq!(faults("/login", body(100)).await.len(), 20);
    let response = probe(post("/login", body(101))).await;
    assert_problem(response, ErrorCode::MalformedRequest).await;
}

#[actix_web::test]
async fn a_call_that_needs_no_body_takes_none_or_an_empty_object() {
    let nothing = TestRequest::post().uri("/refresh");
    assert_eq!(probe(nothing).await.status(), 200);
    assert_eq!(probe(post("/refresh", "{}")).await.status(), 200);
    assert_eq!(
        faults("/refresh", r#"{"orgId":"x"}"#).await,
        ["orgId unknown_field"]
    );
    assert_eq!(
        faults("/refresh", r#"{"organizationId":"x"}"#).await,
        ["organizationId invalid_id"]
    );
}

#[actix_web::test]
async fn organization_name_distinguishes_creating_from_joining() {
    let found = r#"{"organizationName":"Acme","firstName":"Ada","lastName":"Lovelace","email":"ada@example.com","password":"x"}"#;
    assert_eq!(probe(post("/register", found)).await.status(), 200);
    let join = r#"{"email":"ada@example.com","password":"x","name":"Ada","organizationId":"019a9f2e-5d1b-7a20-9c3d-64b1e0f7a8c2"}"#;
    assert_eq!(probe(post("/register", join)).await.status(), 200);

    assert_eq!(
        faults("/register", r#"{"organizationName":"A","role":"admin"}"#).await,
        [
            "email required",
            "firstName required",
            "organizationName too_short",
            "password required",
            "role unknown_field",
        ]
    );
    assert_eq!(
        faults("/register", "{}").await,
        [
            "email required",
            "name required",
            "organizationId required",
            "password required",
        ]
    );
}

#[actix_web::test]
async fn registration_rejects_privileged_fields() {
    for field in ["role", "isAdmin", "emailVerified", "id"] {
        let body = format!(
            r#"{{"email":"ada@example.com","password":"x","name":"Ada","organizationId":"019a9f2e-5d1b-7a20-9c3d-64b1e0f7a8c2","{field}":"admin"}}"#
        );
        assert_eq!(
            faults("/register", body).await,
            [format!("{field} unknown_field")]
        );
    }
}

#[actix_web::test]
async fn the_root_redirects_to_a_page_with_a_strict_policy() {
    let response = send(TestRequest::get().uri("/")).await;
    assert_eq!(header(&response, "location"), Some("/docs"));
    let response = send(TestRequest::get().uri("/docs")).await;
    assert_eq!(response.status(), 200);
    let policy = header(&response, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(!policy.contains("unsafe"));
}
