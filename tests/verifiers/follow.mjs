/** The verifier in JavaScript, with a real server: `tests/verifiers/run` gives it one. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { createVerifier, either, packed, publishedKeys, sharedSecret } from "../../clients/javascript/src/index.js";

const { HALLPASS_URL: url, HALLPASS_KEY: key, JWT_SECRET: secret } = process.env;
const keys = either(sharedSecret(secret), publishedKeys);

async function call(method, path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  assert(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

const signIn = (name) =>
  call("POST", "/api/auth/login", { email: `${name}@example.com`, password: "correct horse battery staple" });

for (const load of [undefined, packed]) {
  const verifier = createVerifier({ url, key, keys, load });
  const becomes = async (token, status) => {
    const start = performance.now();
    for (let found = "ok"; found === "ok"; ) {
      assert(performance.now() - start < 10_000, `after ten seconds the token is not ${status}`);
      found = (await verifier.verify(token)).status;
      if (found !== "ok") assert.equal(found, status);
      await sleep(0);
    }
    return performance.now() - start;
  };
  await verifier.ready();

  const waits = [];
  for (let n = 0; n < 20; n++) {
    const { accessToken } = await signIn("alan");
    assert.equal((await verifier.verify(accessToken)).status, "ok");
    await call("POST", "/api/auth/logout", undefined, accessToken);
    waits.push(await becomes(accessToken, "revoked"));
  }
  waits.sort((a, b) => a - b);

  const [ada, alan] = [await signIn("ada"), await signIn("alan")];
  const role = alan.user.role === "manager" ? "employee" : "manager";
  await call("PATCH", `/api/users/${alan.user.id}`, { role }, ada.accessToken);
  await becomes(alan.accessToken, "outdated");
  const { accessToken } = await call("POST", "/api/auth/refresh", {}, alan.accessToken);
  assert.equal((await verifier.verify(accessToken)).claims.role, role);
  await call("POST", "/api/auth/logout-all", undefined, accessToken);
  await becomes(accessToken, "revoked");

  const another = createVerifier({ url, key, keys, load });
  await another.ready();
  assert.equal((await another.verify(accessToken)).status, "revoked");
  assert.equal((await another.verify(ada.accessToken)).status, "ok");
  another.close();
  verifier.close();

  const [median, worst] = [waits[10], waits[19]].map((wait) => wait.toFixed(1));
  console.log(`JavaScript, ${load ? "packed" : "stream"}: refused ${median} ms after a logout, ${worst} ms at worst`);
}

const errors = [];
const stranger = createVerifier({ url, key: "hps_wrong", keys, onError: (error) => errors.push(error.message) });
await stranger.ready();
assert.deepEqual(errors, ["HTTP 401"]);
assert.equal((await stranger.verify((await signIn("ada")).accessToken)).status, "stale");
stranger.close();
