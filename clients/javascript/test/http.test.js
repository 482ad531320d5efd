/** Over real HTTP, with real timers: what a script in the same process cannot show. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { createVerifier, either, packed, publishedKeys, sharedSecret } from "../src/index.js";
import { entriesOf, fresh, vectors } from "./support.js";

const { laptop, phone } = vectors.probes;
const { base64 } = vectors.packed.find(({ name }) => name === "one session");

async function server(t, { stream }) {
  const requests = [];
  const hallpass = createServer((request, response) => {
    requests.push(request);
    if (request.url === "/.well-known/jwks.json") return response.end(JSON.stringify(vectors.keys.jwks));
    if (request.headers.authorization !== "Bearer hps_test") return response.writeHead(401).end();
    if (request.headers.accept === "application/octet-stream") return response.end(Buffer.from(base64, "base64"));
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    stream(response, requests);
  });
  hallpass.listen(0, "127.0.0.1");
  await once(hallpass, "listening");
  t.after(() => {
    hallpass.closeAllConnections();
    hallpass.close();
  });
  return { url: `http://127.0.0.1:${hallpass.address().port}`, requests };
}

function verifierOf(t, url, options) {
  const keys = either(sharedSecret(vectors.keys.secrets), publishedKeys);
  const verifier = createVerifier({ url, key: "hps_test", keys, now: () => vectors.now * 1000, ...options });
  t.after(() => verifier.close());
  return verifier;
}

test("a revocation in the stream is refused, and a token of a published key judged", async (t) => {
  let response;
  const { url } = await server(t, { stream: (it) => (response = it).write(entriesOf([]) + fresh()) });
  const verifier = verifierOf(t, url);
  await verifier.ready();
  assert.equal((await verifier.verify(laptop)).status, "ok");
  assert.equal((await verifier.verify(vectors.tokens.find(({ name }) => name === "ES256").token)).status, "ok");
  const { sid } = JSON.parse(Buffer.from(laptop.split(".")[1], "base64url"));
  response.write(`data: [{"sid":"${sid}"}]\n\n`);
  while ((await verifier.verify(laptop)).status === "ok") await new Promise(setImmediate);
  assert.equal((await verifier.verify(laptop)).status, "revoked");
  assert.equal((await verifier.verify(phone)).status, "ok");
});

test("a cut connection is made again, where it ended, and asks for no compression", async (t) => {
  const { promise, resolve } = (() => {
    let resolve;
    return { promise: new Promise((done) => (resolve = done)), resolve };
  })();
  const stream = (response, requests) => {
    response.write(requests.length === 1 ? entriesOf([]) + fresh("1.a") + "event: reset\n" : fresh("2.b"));
    if (requests.length === 1) setImmediate(() => response.destroy());
    else resolve(requests);
  };
  const { url } = await server(t, { stream });
  const verifier = verifierOf(t, url, { onError: () => {} });
  await verifier.ready();
  const [, again] = await promise;
  assert.equal(again.headers["last-event-id"], "1.a");
  assert.equal(again.headers["accept-encoding"], "identity");
});

test("a wrong key is told, and all stays stale", async (t) => {
  const { url } = await server(t, { stream: () => assert.fail("nobody may come this far") });
  const errors = [];
  const verifier = verifierOf(t, url, { key: "hps_wrong", onError: (error) => errors.push(error.message) });
  await verifier.ready();
  assert.deepEqual(errors, ["HTTP 401"]);
  assert.equal((await verifier.verify(laptop)).status, "stale");
});

test("the packed list comes over HTTP as well", async (t) => {
  const { url } = await server(t, { stream: (response) => response.write(fresh()) });
  const verifier = verifierOf(t, url, { load: packed });
  await verifier.ready();
  assert.deepEqual(
    [(await verifier.verify(laptop)).status, (await verifier.verify(phone)).status],
    ["revoked", "ok"],
  );
});
