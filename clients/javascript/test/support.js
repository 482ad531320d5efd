/** The vectors, a feed in this process whose connections a test scripts, and the time. */

import { readFileSync } from "node:fs";
import { mock } from "node:test";

import { createVerifier, either, publishedKeys, sharedSecret } from "../src/index.js";

export const vectors = JSON.parse(readFileSync(new URL("../../vectors/vectors.json", import.meta.url), "utf8"));

export const URL_OF_HALLPASS = "https://id.example.com";

const secrets = sharedSecret(vectors.keys.secrets); // Derived once, for thousands of verifiers.

const bytes = (text) => new TextEncoder().encode(text);

export const entriesOf = (list) => `event: reset\ndata: {}\n\ndata: ${JSON.stringify(list)}\n\n`;
export const fresh = (cursor = "1.a") => `event: fresh\nid: ${cursor}\ndata: {}\n\n`;

/** Lets everything go on that waits for no timer. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/**
 * A verifier, and a feed that gives each connection the next script: an array of texts or bytes, sent one by one. A
 * connection that has sent all ends, if another script follows; the last one stays open.
 *
 * Timers are those of `mock.timers`, which `advance` moves with both clocks.
 */
export function house(scripts, options = {}) {
  const asked = [];
  const time = { now: vectors.now * 1000, monotonic: 0 };
  const errors = [];
  const queue = [...scripts];

  const stream = async function* (pieces, isLast, signal) {
    for (const piece of pieces) {
      if (signal.aborted) throw signal.reason;
      yield typeof piece === "string" ? bytes(piece) : piece;
    }
    if (isLast) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const fetch = async (url, { headers, signal }) => {
    asked.push({ url, headers });
    if (url.endsWith("/jwks.json")) return options.jwks?.() ?? Response.json(vectors.keys.jwks);
    const script = queue.shift() ?? [];
    if (!Array.isArray(script)) return script;
    return { ok: true, status: 200, body: stream(script, !queue.length, signal) };
  };

  const verifier = createVerifier({
    url: URL_OF_HALLPASS,
    key: "hps_test",
    keys: either(secrets, publishedKeys),
    fetch,
    now: () => time.now,
    monotonic: () => time.monotonic,
    onError: (error) => errors.push(String(error)),
    ...options,
  });
  return {
    verifier,
    asked,
    errors,
    time,
    connections: () => asked.filter(({ url }) => url.endsWith("/api/revocations")),
    statusOf: async (token) => (await verifier.verify(token)).status,
    /** Moves clocks and timers; does not wait for anything. */
    async advance(milliseconds) {
      time.now += milliseconds;
      time.monotonic += milliseconds;
      mock.timers.tick(milliseconds);
      await settled();
    },
    /** Moves timers until each script has had its connection. */
    async playAll() {
      void verifier.ready();
      await settled();
      while (queue.length) {
        mock.timers.tick(5000);
        await settled();
      }
    },
  };
}
