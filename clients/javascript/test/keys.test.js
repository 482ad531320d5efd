import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mock, test } from "node:test";

import { publishedKeys, sharedSecret } from "../src/index.js";
import { entriesOf, fresh, house, settled, vectors } from "./support.js";

mock.timers.enable({ apis: ["setTimeout"] });
let time = 1000;
mock.method(performance, "now", () => time);

const vector = (name) => vectors.tokens.find((vector) => vector.name === name).token;
const ES256 = vector("ES256");
const SECOND = vector("ES256 with the second key");
const UNKNOWN = vector("ES256 with a key that is not published");
const HS256 = vector("HS256 with the newer secret");

async function ready(options) {
  const it = house([[entriesOf([]) + fresh()]], options);
  await it.verifier.ready();
  it.keySets = () => it.asked.filter(({ url }) => url.endsWith("/.well-known/jwks.json")).length;
  return it;
}

test("the key set is asked for once, however many unknown keys come at once, and again after 30 seconds", async () => {
  const { verifier, statusOf, keySets } = await ready();
  const all = await Promise.all([...Array(100)].map((_, n) => statusOf(n % 2 ? ES256 : UNKNOWN)));
  assert.deepEqual([...new Set(all)], ["invalid", "ok"]);
  for (let n = 0; n < 100; n++) assert.equal(await statusOf(UNKNOWN), "invalid");
  time += 30_000;
  await statusOf(UNKNOWN);
  assert.equal(keySets(), 1);
  time += 1;
  await statusOf(UNKNOWN);
  assert.equal(keySets(), 2);
  verifier.close();
});

test("a key that is published later is found", async () => {
  const { keys } = vectors.keys.jwks;
  let published = keys.slice(0, -1);
  const { verifier, statusOf } = await ready({ jwks: () => Response.json({ keys: published }) });
  assert.deepEqual([await statusOf(ES256), await statusOf(SECOND)], ["ok", "invalid"]);
  published = keys;
  time += 30_001;
  assert.equal(await statusOf(SECOND), "ok");
  verifier.close();
});

test("a key that is withdrawn counts no more, not even for tokens seen before", async () => {
  let published = vectors.keys.jwks;
  const { verifier, statusOf } = await ready({ jwks: () => Response.json(published) });
  assert.equal(await statusOf(SECOND), "ok");
  published = { keys: published.keys.slice(0, -1) };
  time += 30_001;
  await statusOf(ES256);
  await settled();
  assert.deepEqual([await statusOf(ES256), await statusOf(SECOND)], ["ok", "invalid"]);
  verifier.close();
});

test("404 means that there are no keys; then a token of one is invalid", async () => {
  let status = 404;
  const { verifier, statusOf, errors } = await ready({ jwks: () => Response.json(vectors.keys.jwks, { status }) });
  assert.equal(await statusOf(ES256), "invalid");
  assert.deepEqual(errors, []);
  status = 200;
  time += 30_001;
  assert.equal(await statusOf(ES256), "ok");
  verifier.close();
});

test("a key set that cannot be had is told, and makes stale what its keys may have signed", async () => {
  const answers = {
    "no network": () => Promise.reject(new TypeError("fetch failed")),
    "an error of Hallpass": () => Response.json({ statusCode: 503 }, { status: 503 }),
    "a page of something else": () => new Response("<p>Sign in to this network</p>"),
  };
  for (const [name, jwks] of Object.entries(answers)) {
    const { verifier, statusOf, errors } = await ready({ jwks });
    assert.deepEqual([await statusOf(ES256), await statusOf(HS256)], ["stale", "ok"], name);
    assert.equal(errors.length, 1, name);
    verifier.close();
  }
});

test("keys stay while the key set cannot be had again", async () => {
  let answer = () => Response.json(vectors.keys.jwks);
  const { verifier, statusOf } = await ready({ jwks: () => answer() });
  assert.equal(await statusOf(ES256), "ok");
  answer = () => Promise.reject(new TypeError("fetch failed"));
  time += 30_001;
  assert.deepEqual([await statusOf(SECOND), await statusOf(UNKNOWN)], ["ok", "stale"]);
  verifier.close();
});

test("one source of keys knows nothing of the other's", async () => {
  const secret = await ready({ keys: sharedSecret(vectors.keys.secrets) });
  assert.deepEqual([await secret.statusOf(HS256), await secret.statusOf(ES256)], ["ok", "invalid"]);
  assert.equal(secret.keySets(), 0);
  const published = await ready({ keys: publishedKeys });
  assert.deepEqual([await published.statusOf(HS256), await published.statusOf(ES256)], ["invalid", "ok"]);
  for (const { verifier } of [secret, published]) verifier.close();
});

test("signatures are verified once, as long as no more than 20,000 others have come since", async (t) => {
  const { verifier, statusOf } = await ready();
  const { verify } = crypto.subtle;
  let verified = 0;
  t.mock.method(crypto.subtle, "verify", (...args) => (verified++, verify.apply(crypto.subtle, args)));
  const [secret] = vectors.keys.secrets.split(",");
  const [header, payload] = HS256.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  const another = (n) => {
    const text = `${header}.${Buffer.from(JSON.stringify({ ...claims, n })).toString("base64url")}`;
    return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
  };
  for (let n = 0; n < 3; n++) assert.equal(await statusOf(HS256), "ok");
  assert.equal(verified, 1);
  for (let n = 0; n <= 20_000; n++) await statusOf(another(n));
  await statusOf(HS256);
  assert.equal(verified, 1 + 20_001 + 1);
  verifier.close();
});

test("claims are those of the token, cannot be changed, and come with ok alone", async () => {
  const { verifier } = await ready();
  const { claims } = await verifier.verify(HS256);
  assert.deepEqual({ ...claims }, JSON.parse(Buffer.from(HS256.split(".")[1], "base64url")));
  assert.throws(() => (claims.role = "admin"), TypeError);
  assert.equal((await verifier.verify(vector("no pv, as in older tokens"))).claims.pv, 0);
  assert.deepEqual(await verifier.verify(vector("exp is now")), { status: "expired" });
  verifier.close();
});

test("whatever is no token is invalid", async () => {
  const { verifier } = await ready();
  for (const value of [undefined, null, 5, {}, [], [HS256], Symbol(), "\ud800", "a.b.c", "\0".repeat(5000)]) {
    assert.deepEqual(await verifier.verify(value), { status: "invalid" });
  }
  verifier.close();
});
