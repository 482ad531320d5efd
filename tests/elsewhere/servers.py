"""Configurations of the page, in servers in front of an application that wants to know the user."""

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

import loopback
from bench import Bench, environment
from settings import Ask, Settings

NJS = "/usr/lib/nginx/modules/ngx_http_js_module.so"
APACHE_MODULES = "/usr/lib/apache2/modules"


def _over_http(port: int) -> Ask:
    """Asks the application behind a server, which gets the id of the user in a header."""

    def ask(token: str | None) -> str | None:
        headers = {"X-User-Id": "forged", "OIDC_CLAIM_exp": "9999999999"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/orders?page=2", headers=headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)["x-user-id"]
        except urllib.error.HTTPError as refusal:
            with refusal:
                if refusal.code != 401:
                    raise RuntimeError(f"answered {refusal.code}") from None
            return None

    if ask(None) is not None:
        raise RuntimeError("a request without a token passes")
    return ask


def haproxy(file: str):
    @contextmanager
    def start(bench: Bench, settings: Settings):
        port, folder = loopback.free_port(), bench.writable()
        configuration = folder / "haproxy.cfg"
        configuration.write_text(
            "defaults\n    mode http\n    timeout client 10s\n    timeout connect 10s\n    timeout server 10s\n"
            f"frontend web\n    bind 127.0.0.1:{port}\n{(bench.folder / file).read_text()}"
            f"    default_backend app\nbackend app\n    server app 127.0.0.1:{bench.application}\n"
        )
        variables = environment(JWT_PUBLIC_KEY=str(bench.public_keys[0]), **settings.variables)
        command = ["haproxy", "-db", "-f", str(configuration)]
        with loopback.running(command, port, variables, bench.folder / "log"):
            yield _over_http(port)

    return start


@contextmanager
def njs(bench: Bench, settings: Settings):
    port, folder = loopback.free_port(), bench.writable()
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"load_module {NJS};\nenv JWT_SECRET;\nenv JWT_PUBLIC_KEYS;\npid {folder}/pid;\nerror_log stderr;\n"
        f"daemon off;\nevents {{}}\nhttp {{\n{temporary}access_log off;\n"
        f"js_import hallpass from {bench.folder}/njs/hallpass.js;\n"
        f"upstream app {{ server 127.0.0.1:{bench.application}; }}\n"
        f"server {{\nlisten 127.0.0.1:{port};\ninclude {bench.folder}/njs/server.conf;\n}}\n}}\n"
    )
    command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    with loopback.running(command, port, environment(**settings.variables), bench.folder / "log"):
        yield _over_http(port)


def mod_auth_openidc(file: str):
    @contextmanager
    def start(bench: Bench, settings: Settings):
        port, folder = loopback.free_port(), bench.writable()
        modules = ("mpm_event", "authn_core", "authz_core", "headers", "proxy", "proxy_http", "auth_openidc")
        lines = [f"LoadModule {module}_module {APACHE_MODULES}/mod_{module}.so" for module in modules]
        lines += [
            f"ServerRoot {folder}",
            "ServerName localhost",
            f"Listen 127.0.0.1:{port}",
            f"PidFile {folder}/pid",
            f"DefaultRuntimeDir {folder}",
            f"ErrorLog {folder}/error.log",
            f"OIDCCABundlePath {bench.certificate}",
            f"Define JWKS_URL {bench.https_jwks_url}",
        ]
        if settings.secrets:
            lines.append(f"Define HALLPASS_SECRET {settings.secrets}")
            lines.append(f"Define HALLPASS_KID {bench.keys.secrets[0].kid}")
        lines += [f"Include {bench.folder / file}", f"ProxyPass / http://127.0.0.1:{bench.application}/"]
        configuration = folder / "apache.conf"
        configuration.write_text("\n".join(lines) + "\n")
        command = ["apache2", "-DFOREGROUND", "-f", str(configuration)]
        with loopback.running(command, port, environment(), bench.folder / "log"):
            yield _over_http(port)

    return start
