import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mock, test } from "node:test";

import { packed } from "../src/index.js";
import { entriesOf, fresh, house, vectors } from "./support.js";

mock.timers.enable({ apis: ["setTimeout"] });

const given = ({ stale, ...options } = {}) => (stale === undefined ? options : { ...options, stale: Number(stale) });

async function judged({ token, options, revoked = [], silence = 0 }) {
  const { verifier, statusOf, time } = house(silence === null ? [[]] : [[entriesOf(revoked) + fresh()]], given(options));
  await (silence === null ? undefined : verifier.ready());
  time.monotonic += (silence ?? 0) * 1000;
  const status = await statusOf(token);
  // The second time its signature is remembered.
  assert.equal(await statusOf(token), status);
  verifier.close();
  return status;
}

test("every token is judged as the vectors say", async () => {
  assert(vectors.tokens.length >= 60);
  for (const vector of vectors.tokens) assert.equal(await judged(vector), vector.expected, vector.name);
});

async function statuses({ connections, silence }, pieces) {
  const { verifier, statusOf, time, playAll, asked } = house([...connections.map(pieces), []]);
  await playAll();
  const cursor = asked.at(-1).headers["last-event-id"];
  time.monotonic += (silence ?? 0) * 1000;
  const found = {};
  for (const [name, token] of Object.entries(vectors.probes)) found[name] = await statusOf(token);
  verifier.close();
  return { cursor, expected: found };
}

const bytesOf = (text) => new TextEncoder().encode(text);

test("every stream leaves the list that the vectors say, in one piece and in single bytes", async () => {
  for (const vector of vectors.streams) {
    const { name, cursor, expected } = vector;
    assert.deepEqual(await statuses(vector, (text) => [text]), { cursor, expected }, name);
    const singly = (text) => Array.from(bytesOf(text), (byte) => Uint8Array.of(byte));
    assert.deepEqual(await statuses(vector, singly), { cursor, expected }, `${name}, in single bytes`);
  }
});

test("every stream may be cut in two at every byte", async () => {
  for (const vector of vectors.streams) {
    const { name, cursor, expected } = vector;
    const longest = Math.max(...vector.connections.map((text) => bytesOf(text).length));
    for (let cut = 1; cut < longest; cut++) {
      const inTwo = (text) => [bytesOf(text).subarray(0, cut), bytesOf(text).subarray(cut)];
      assert.deepEqual(await statuses(vector, inTwo), { cursor, expected }, `${name}, cut after ${cut} bytes`);
    }
  }
});

test("every packed list is loaded, or refused, as the vectors say", async () => {
  for (const { name, base64, expected } of vectors.packed) {
    const list = new Response(Buffer.from(base64, "base64"));
    const { verifier, statusOf, errors } = house([list, [fresh("1.a")]], { load: packed });
    await verifier.ready();
    assert.equal(errors.length, expected ? 0 : 1, `${name}: ${errors}`);
    for (const [probe, token] of Object.entries(vectors.probes)) {
      assert.equal(await statusOf(token), expected ? expected[probe] : "stale", `${name}: ${probe}`);
    }
    verifier.close();
  }
});

test("every webhook is signed as the vectors say", () => {
  for (const { name, secret, id, timestamp, body, signature } of vectors.webhooks) {
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const made = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
    assert.equal(`v1,${made}`, signature, name);
  }
});
