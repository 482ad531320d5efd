//! The OpenAPI document, arranged for readers: how `docs/reference.html` is generated.

use minijinja::{Environment, HtmlEscape};
use serde::Serialize;
use serde_json::Value;

use super::docs::STYLE;
use super::embedded::PUBLIC_URL;
use crate::http::error_code::ErrorCode;
use crate::http::openapi::{self, Fields, example_of, resolve};

const TEMPLATE: &str = include_str!("docs.html");

#[derive(Serialize)]
struct ReferencePage {
    version: &'static str,
    introduction: Vec<String>,
    base: String,
    groups: Vec<Group>,
    errors: Vec<ErrorLine>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    anchor: String,
    description: String,
    routes: Vec<Route>,
}

#[derive(Serialize)]
struct Route {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    needs_token: bool,
    parameters: Vec<Field>,
    bodies: Vec<Shape>,
    answers: Vec<Answer>,
    errors: Vec<ErrorLine>,
}

/// One variant of a request body.
#[derive(Serialize)]
struct Shape {
    description: String,
    is_optional: bool,
    fields: Vec<Field>,
    /// A shell command that sends the body's required fields.
    curl: String,
}

#[derive(Serialize)]
struct Field {
    name: String,
    kind: String,
    is_required: bool,
    description: String,
}

#[derive(Serialize)]
struct Answer {
    status: String,
    description: String,
    /// Pretty-printed JSON, one for each variant of the answer.
    examples: Vec<String>,
}

#[derive(Serialize)]
struct ErrorLine {
    status: u16,
    code: &'static str,
    message: &'static str,
    meaning: &'static str,
    remedy: &'static str,
}

fn build() -> ReferencePage {
    let document = serde_json::to_value(openapi::document()).unwrap_or_default();
    let base = PUBLIC_URL.to_owned();
    let groups = list(&document["tags"])
        .map(|tag| Group {
            name: text(&tag["name"]),
            anchor: text(&tag["name"]).to_lowercase().replace(' ', "-"),
            description: text(&tag["description"]),
            routes: routes(&document, &tag["name"], &base),
        })
        .collect();
    ReferencePage {
        version: env!("CARGO_PKG_VERSION"),
        introduction: text(&document["info"]["description"])
            .split("\n\n")
            .map(str::to_owned)
            .collect(),
        base,
        groups,
        errors: ErrorCode::ALL.iter().map(error_line).collect(),
    }
}

fn routes(document: &Value, tag: &Value, base: &str) -> Vec<Route> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        })
        .filter(|(_, _, operation)| &operation["tags"][0] == tag)
        .map(|(path, method, operation)| route(document, base, path, method, operation))
        .collect()
}

fn route(document: &Value, base: &str, path: &str, method: &str, operation: &Value) -> Route {
    let method = method.to_uppercase();
    let needs_token = operation.get("security").is_some();
    let curl = |body: Option<&Value>| curl(base, path, &method, needs_token, body);
    let mut bodies = bodies(document, operation, &curl);
    if bodies.is_empty() {
        bodies.push(Shape {
            description: String::new(),
            is_optional: true,
            fields: Vec::new(),
            curl: curl(None),
        });
    }
    let responses = operation["responses"].as_object().into_iter().flatten();
    Route {
        anchor: text(&operation["operationId"]),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        needs_token,
        parameters: list(&operation["parameters"]).map(parameter).collect(),
        bodies,
        answers: responses
            .filter(|(status, _)| status.as_str() < "400")
            .map(|(status, response)| answer(document, status, response))
            .collect(),
        errors: ErrorCode::ALL
            .iter()
            .filter(|code| list(&operation["x-error-codes"]).any(|name| name == code.as_str()))
            .map(error_line)
            .collect(),
        method,
    }
}

fn bodies(
    document: &Value,
    operation: &Value,
    curl: &impl Fn(Option<&Value>) -> String,
) -> Vec<Shape> {
    let body = &operation["requestBody"];
    let schema = &body["content"]["application/json"]["schema"];
    variants(schema, document)
        .into_iter()
        .map(|schema| {
            let example = example_of(schema, document, Fields::Required);
            let has_fields = example != serde_json::json!({});
            Shape {
                description: text(&schema["description"]),
                is_optional: body["required"] != true,
                fields: fields(schema, document),
                curl: curl(has_fields.then_some(&example)),
            }
        })
        .collect()
}

/// The variants a schema allows: itself, or each of its `oneOf`.
fn variants<'a>(schema: &'a Value, document: &'a Value) -> Vec<&'a Value> {
    let schema = resolve(schema, document);
    match schema.get("oneOf") {
        Some(variants) => list(variants).map(|v| resolve(v, document)).collect(),
        None if schema.is_null() => Vec::new(),
        None => vec![schema],
    }
}

fn fields(schema: &Value, document: &Value) -> Vec<Field> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| {
            // An optional reference is `oneOf` the reference and null.
            let property = property["oneOf"].get(0).unwrap_or(property);
            Field {
                name: name.clone(),
                kind: kind(resolve(property, document)),
                is_required: list(&schema["required"]).any(|required| required == name),
                description: text(&property["description"]),
            }
        })
        .collect()
}

fn parameter(parameter: &Value) -> Field {
    Field {
        name: text(&parameter["name"]),
        kind: text(&parameter["in"]),
        is_required: parameter["required"] == true,
        description: text(&parameter["description"]),
    }
}

/// `email, ≤ 254 characters`
fn kind(schema: &Value) -> String {
    let format = schema.get("format").unwrap_or(&schema["type"]);
    let mut kind = text(format);
    match (schema["minLength"].as_u64(), schema["maxLength"].as_u64()) {
        (Some(min), Some(max)) if min > 1 => kind += &format!(", {min}–{max} characters"),
        (_, Some(max)) => kind += &format!(", ≤ {max} characters"),
        _ => {}
    }
    kind
}

fn answer(document: &Value, status: &str, response: &Value) -> Answer {
    let schema = &response["content"]["application/json"]["schema"];
    Answer {
        status: status.to_owned(),
        description: text(&response["description"]),
        examples: variants(schema, document)
            .into_iter()
            .map(|schema| example_of(schema, document, Fields::All))
            .filter(|example| example != &serde_json::json!({}))
            .map(|example| serde_json::to_string_pretty(&example).unwrap_or_default())
            .collect(),
    }
}

fn error_line(code: &ErrorCode) -> ErrorLine {
    ErrorLine {
        status: code.status().as_u16(),
        code: code.as_str(),
        message: code.message(),
        meaning: code.meaning(),
        remedy: code.remedy(),
    }
}

fn curl(base: &str, path: &str, method: &str, needs_token: bool, body: Option<&Value>) -> String {
    // `{id}` becomes a shell variable like the token, for the reader to set.
    let path = path.replace('{', "$").replace('}', "");
    let mut command = if path.contains('$') {
        format!("curl \"{base}{path}\"")
    } else {
        format!("curl {base}{path}")
    };
    if method != "GET" && !(method == "POST" && body.is_some()) {
        command += &format!(" -X {method}");
    }
    if needs_token {
        command += " \\\n  -H \"Authorization: Bearer $TOKEN\"";
    }
    if let Some(body) = body {
        let body = serde_json::to_string_pretty(body)
            .unwrap_or_default()
            .replace('\n', "\n  ")
            .replace('\'', r"'\''");
        command += &format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'");
    }
    command
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn render(page: &ReferencePage) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_filter("prose", prose);
    environment.add_template("docs.html", TEMPLATE)?;
    environment
        .get_template("docs.html")?
        .render(minijinja::context! { style => STYLE, page => page })
}

/// Escapes text and marks what is between backticks as code.
fn prose(text: &str) -> minijinja::Value {
    let mut html = String::new();
    for (i, part) in text.split('`').enumerate() {
        let part = HtmlEscape(part);
        html += &if i % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            part.to_string()
        };
    }
    minijinja::Value::from_safe_string(html)
}

mod tests {
    use super::*;
    use crate::http::generated;
    use crate::http::routes::{REGISTERED, in_document};

    fn page() -> String {
        let mut page = render(&build()).unwrap();
        page.push('\n');
        page
    }

    #[test]
    fn the_reference_page_in_the_repository_is_up_to_date() {
        generated::assert_up_to_date("docs/reference.html", &page());
    }

    #[test]
    fn prose_is_escaped_and_its_code_is_marked() {
        assert_eq!(prose("a <b> `c`").to_string(), "a &lt;b&gt; <code>c</code>");
    }

    #[test]
    fn the_page_loads_nothing_from_anywhere() {
        let page = page();
        for loader in ["<script", "<link", "<img", "<iframe", "@import", "url("] {
            assert!(!page.contains(loader), "{loader}");
        }
    }

    #[test]
    fn the_page_shows_every_route_and_calls_it_by_the_public_url() {
        let page = page().replace("&#x2f;", "/");
        for (path, methods) in REGISTERED {
            assert!(page.contains(path), "{path}");
            for method in *methods {
                let method = in_document(method).to_uppercase();
                assert!(page.contains(&method), "{method} {path}");
            }
        }
        assert!(page.contains("curl @PUBLIC_URL@/api/auth/login"));
    }
}
