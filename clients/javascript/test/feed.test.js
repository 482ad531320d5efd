import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { packed } from "../src/index.js";
import { entriesOf, fresh, house, settled, URL_OF_HALLPASS, vectors } from "./support.js";

mock.timers.enable({ apis: ["setTimeout"] });
mock.method(Math, "random", () => 0.5); // Waits are 1.5 times their least.

const { laptop, phone } = vectors.probes;
const sidOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sid;
const list = (...tokens) => entriesOf(tokens.map((token) => ({ sid: sidOf(token) }))) + fresh();
const refusal = (status) => Response.json({ statusCode: status }, { status });

test("a connection says who asks, wants no compression, and goes on where the last one ended", async () => {
  const { playAll, connections, verifier } = house([[list(laptop)], []]);
  await playAll();
  const [first, second] = connections();
  assert.equal(first.url, `${URL_OF_HALLPASS}/api/revocations`);
  assert.deepEqual(first.headers, {
    "last-event-id": "",
    authorization: "Bearer hps_test",
    accept: "text/event-stream",
    "accept-encoding": "identity",
  });
  assert.equal(second.headers["last-event-id"], "1.a");
  verifier.close();
});

test("before the first list all is stale, and the first question begins to ask for it", async () => {
  let answer;
  const { verifier, statusOf, connections } = house([new Promise((resolve) => (answer = resolve))]);
  assert.equal(connections().length, 0);
  assert.equal(await statusOf(laptop), "stale");
  assert.equal(connections().length, 1);
  answer(new Response(list()));
  await verifier.ready();
  assert.equal(await statusOf(laptop), "ok");
  assert.equal(connections().length, 1);
  verifier.close();
});

for (const status of [401, 403, 404, 429, 500, 503]) {
  test(`${status} is told once, and never judged as the token's fault`, async () => {
    const { verifier, statusOf, errors, advance } = house([refusal(status), refusal(status), refusal(status), [list()]]);
    await verifier.ready(); // Not for ever.
    await advance(750);
    await advance(1500);
    assert.deepEqual(errors, [`Error: HTTP ${status}`]);
    assert.equal(await statusOf(laptop), "stale");
    await advance(3000);
    assert.equal(await statusOf(laptop), "ok");
    verifier.close();
  });
}

test("another failure is told, and the same one again after all was well", async () => {
  const bad = () => refusal(401);
  const { verifier, errors, advance } = house([bad(), refusal(503), bad(), [list()], bad(), bad(), []]);
  await verifier.ready();
  for (let n = 0; n < 6; n++) await advance(2500);
  assert.deepEqual(errors, ["Error: HTTP 401", "Error: HTTP 503", "Error: HTTP 401", "Error: HTTP 401"]);
  verifier.close();
});

test("tries are half a second apart at first, then twice as far, and five seconds at most", async () => {
  const scripts = Array.from({ length: 8 }, () => refusal(503));
  const { verifier, advance, connections } = house(scripts);
  await verifier.ready();
  const waits = [];
  for (let before = 0, waited = 0; waits.length < 6; ) {
    await advance(50);
    waited += 50;
    if (connections().length > before + 1) {
      waits.push(waited);
      waited = 0;
      before++;
    }
  }
  assert.deepEqual(waits, [750, 1500, 3000, 3750, 3750, 3750]);
  verifier.close();
});

test("a stream that ends is asked for again at once, as at every deploy, and nothing is told", async () => {
  const { verifier, advance, connections, errors, statusOf } = house([[list(laptop)], [fresh("2.b")], [fresh("3.c")]]);
  await verifier.ready();
  await settled();
  await advance(749);
  assert.equal(connections().length, 1);
  await advance(1);
  assert.equal(connections().length, 2);
  await advance(750);
  assert.equal(connections().length, 3);
  assert.deepEqual(errors, []);
  assert.equal(await statusOf(laptop), "revoked");
  verifier.close();
});

test("a connection that is silent for five seconds is dead, and another one takes its place", async () => {
  const { verifier, advance, connections, errors, statusOf } = house([[list(laptop)], [fresh("2.b")], []]);
  await verifier.ready();
  await settled();
  await advance(750); // The first one has ended; the second one will.
  await advance(750);
  assert.equal(connections().length, 3);
  await advance(4999);
  assert.deepEqual(errors, []);
  await advance(1);
  await advance(1500);
  assert.equal(connections().length, 4);
  assert.equal(connections()[3].headers["last-event-id"], "2.b");
  assert.match(errors[0], /aborted/);
  assert.equal(await statusOf(laptop), "revoked");
  verifier.close();
});

test("bytes that say nothing keep a connection, and not the list: it goes stale", async () => {
  let send;
  const body = new ReadableStream({ start: (controller) => (send = (text) => controller.enqueue(new TextEncoder().encode(text))) });
  const { verifier, advance, connections, statusOf } = house([new Response(body)]);
  void verifier.ready();
  send(list(laptop));
  await settled();
  for (let second = 1; second <= 31; second++) {
    assert.equal(await statusOf(phone), "ok", `after ${second - 1} s`);
    send(": proxy\n\n");
    await settled();
    await advance(1000);
  }
  assert.equal(await statusOf(phone), "stale");
  assert.equal(await statusOf(laptop), "revoked");
  assert.equal(connections().length, 1);
  send(fresh("2.b"));
  await settled();
  assert.equal(await statusOf(phone), "ok");
  verifier.close();
});

test("whoever closes it hears no more, and it asks no more", async () => {
  const { verifier, advance, connections, errors, statusOf } = house([[list(laptop)], [fresh()]]);
  await verifier.ready();
  verifier.close();
  for (let n = 0; n < 20; n++) await advance(5000);
  assert.equal(await statusOf(phone), "stale");
  assert.equal(await statusOf(laptop), "revoked");
  assert.equal(connections().length, 1);
  assert.deepEqual(errors, []);
});

test("a follower that was stopped with its request begins again with another one", async () => {
  const { verifier, time, connections, statusOf } = house([[list(laptop)], []]);
  await verifier.ready();
  await settled();
  // In Workers neither timers nor connections outlive a request: time passes, and nothing happens.
  time.monotonic += 60_000;
  assert.equal(await statusOf(phone), "stale");
  await settled();
  assert.equal(connections().length, 2);
  verifier.close();
});

test("a line without end is not kept, and does not stop the verifier", async () => {
  const endless = Array.from({ length: 40 }, () => "x".repeat(100_000));
  const { verifier, advance, statusOf } = house([
    [list(laptop), "data: ", ...endless, "\n\n", fresh("2.b")],
    [list(phone)],
  ]);
  await verifier.ready();
  await settled();
  assert.equal(await statusOf(laptop), "revoked");
  await advance(5000);
  assert.equal(await statusOf(phone), "revoked");
  verifier.close();
});

test("resets without end leave the list as it was", async () => {
  const resets = Array.from({ length: 1000 }, () => entriesOf([{ sid: sidOf(phone) }]));
  const { verifier, statusOf } = house([[list(laptop), ...resets]]);
  await verifier.ready();
  await settled();
  assert.deepEqual([await statusOf(laptop), await statusOf(phone)], ["revoked", "ok"]);
  verifier.close();
});

test("events that are no JSON, or no entries, end the connection, and are told", async () => {
  for (const data of ["{", "5", "null", '[{"sid":"x"}]']) {
    const { verifier, statusOf, errors, advance } = house([[list(laptop), `data: ${data}\n\n`, fresh("2.b")], [list(phone)]]);
    await verifier.ready();
    await settled();
    assert.equal(errors.length, 1, data);
    await advance(5000);
    assert.equal(await statusOf(phone), "revoked", data);
    verifier.close();
  }
});

test("a packed list comes first, and the stream goes on from its cursor", async () => {
  const { base64 } = vectors.packed.find(({ name }) => name === "one session");
  const { verifier, statusOf, connections } = house([new Response(Buffer.from(base64, "base64")), [fresh("2.b")]], { load: packed });
  await verifier.ready();
  const [first, second] = connections();
  assert.equal(first.headers.accept, "application/octet-stream");
  assert.deepEqual([second.headers.accept, second.headers["last-event-id"]], ["text/event-stream", "1.a"]);
  assert.deepEqual([await statusOf(laptop), await statusOf(phone)], ["revoked", "ok"]);
  verifier.close();
});

test("a packed list alone is not fresh", async () => {
  const { base64 } = vectors.packed.find(({ name }) => name === "one session");
  const { verifier, statusOf } = house([new Response(Buffer.from(base64, "base64")), refusal(429)], { load: packed });
  await verifier.ready();
  assert.deepEqual([await statusOf(laptop), await statusOf(phone)], ["revoked", "stale"]);
  verifier.close();
});
