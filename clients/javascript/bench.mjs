/** What a list of a million costs, and what a token costs, against other libraries: `npm run bench`. */

import { createHmac, createPublicKey, createSecretKey, generateKeyPairSync, hkdfSync, randomBytes, randomUUID, sign } from "node:crypto";
import { jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";

import { createVerifier, either, packed, publishedKeys, sharedSecret } from "./src/index.js";

const SECRET = randomBytes(32).toString("base64url");
const PAIR = generateKeyPairSync("ec", { namedCurve: "P-256" });
const JWK = { ...createPublicKey(PAIR.privateKey).export({ format: "jwk" }), kid: "bench", use: "sig", alg: "ES256" };
const KID = Buffer.from(hkdfSync("sha256", SECRET, "", "hallpass kid", 8)).toString("base64url");

const signers = {
  HS256: (text) => createHmac("sha256", SECRET).update(text).digest("base64url"),
  ES256: (text) => sign("sha256", Buffer.from(text), { key: PAIR.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url"),
};
const keys = { HS256: createSecretKey(Buffer.from(SECRET)), ES256: PAIR.publicKey };

function token(alg) {
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: "JWT", alg, kid: alg === "HS256" ? KID : JWK.kid };
  const ids = { sub: randomUUID(), orgId: randomUUID(), role: "manager" };
  const claims = { ...ids, iat: now, exp: now + 604_800, sid: randomUUID(), ver: 1, pv: 1 };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${signers[alg](text)}`;
}

function verifierOf(sessions) {
  const head = JSON.stringify({ cursor: "1.a", sids: sessions.length, others: [] }) + "\n";
  const stream = async function* () {
    yield new TextEncoder().encode("event: fresh\nid: 1.a\ndata: {}\n\n");
    await new Promise(() => {});
  };
  return createVerifier({
    url: "https://id.example.com",
    key: "hps_bench",
    keys: either(sharedSecret(SECRET), publishedKeys),
    load: packed,
    stale: Infinity,
    async fetch(url, { headers }) {
      if (url.endsWith("jwks.json")) return Response.json({ keys: [JWK] });
      if (headers.accept === "text/event-stream") return { ok: true, body: stream() };
      return new Response(new Blob([head, sessions]));
    },
  });
}

/** Microseconds of CPU time for each item, of all threads, the median of seven rounds. */
async function cost(rounds, run) {
  const found = [];
  for (const items of rounds) {
    const start = process.cpuUsage();
    for (const item of items) await run(item);
    const { user, system } = process.cpuUsage(start);
    found.push((user + system) / items.length);
  }
  return found.sort((a, b) => a - b)[found.length >> 1];
}

const used = () => {
  for (let n = 0; n < 3; n++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const million = new BigUint64Array(1_000_000);
crypto.getRandomValues(new Uint8Array(million.buffer, 0, 65_536)); // The rest are multiples: as good for a search.
for (let n = 8192; n < million.length; n++) million[n] = million[n - 8192] * 6364136223846793005n + 1n;
million.sort();

await verifierOf(million.subarray(0, 1)).ready(); // What is used once for all.
const before = used();
const start = performance.now();
const verifier = verifierOf(million);
await verifier.ready();
const loaded = performance.now() - start;
await new Promise(setImmediate);
console.log(`a packed list of 1,000,000 sessions: loaded in ${loaded.toFixed(0)} ms, ${((used() - before) / 1e6).toFixed(1)} MB held\n`);

const row = (name, cells) => console.log(name.padEnd(14) + cells.map((cell) => String(cell).padStart(14)).join(""));
row("µs a token", ["seen", "first sight", "jose", "jsonwebtoken"]);
for (const alg of ["HS256", "ES256"]) {
  const rounds = Array.from({ length: 7 }, () => Array.from({ length: 1000 }, () => token(alg)));
  const first = await cost(rounds, (token) => verifier.verify(token));
  // As from a header: each time another string, whose hash is not known yet.
  const again = rounds.map((tokens) => tokens.map((token) => `Bearer ${token}`));
  const seen = await cost(again, (header) => verifier.verify(header.slice(7)));
  const jose = await cost(rounds, (token) => jwtVerify(token, keys[alg], { algorithms: [alg] }));
  const other = await cost(rounds, (token) => jsonwebtoken.verify(token, keys[alg], { algorithms: [alg] }));
  const found = [seen, first, jose, other];
  row(alg, found.map((micros) => micros.toFixed(1)));
  row("  × seen", found.map((micros) => (micros / seen).toFixed(1)));
  if ((await verifier.verify(rounds[0][0])).status !== "ok") throw Error("that was no good token");
}
verifier.close();
process.exit();
