import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { revocations } from "../src/list.js";
import { eventReader } from "../src/events.js";

const id = () => {
  const hex = randomBytes(16).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), "7" + hex.slice(13, 16), "9" + hex.slice(17, 20), hex.slice(20)].join("-");
};
const claims = (sid) => ({ sid, sub: "ada", ver: 1, pv: 1 });

test("however many sessions are listed, those and no others are revoked", () => {
  const list = revocations();
  const [listed, others] = [Array.from({ length: 60_000 }, id), Array.from({ length: 20_000 }, id)];
  const rest = [...listed];
  while (rest.length) list.add(rest.splice(0, 1 + (rest.length % 1000)).map((sid) => ({ sid })));
  for (const sid of listed) assert.equal(list.judge(claims(sid)), "revoked");
  for (const sid of others) assert(!list.judge(claims(sid)));
});

test("whatever comes in a stream, in whatever pieces, the reader gives what the standard says", () => {
  // The standard's steps, one character after the other.
  const standard = (text) => {
    const events = [];
    let [id, type, data] = ["", "", ""];
    for (const line of text.replace(/\r\n|\r/g, "\n").split("\n").slice(0, -1)) {
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (line === "") {
        if (data) events.push([type, data, id]);
        type = data = "";
      } else if (field === "event") type = value;
      else if (field === "data") data += "\n" + value;
      else if (field === "id" && !value.includes("\0")) id = value;
    }
    return events;
  };
  const words = ["data", "event", "id", ":", ": ", " ", "\n", "\n", "\r\n", "\r", "x", "\0", "é", "\u2028", "\n\n"];
  const random = (below) => randomBytes(4).readUInt32LE() % below;
  for (let run = 0; run < 5_000; run++) {
    const text = Array.from({ length: random(40) }, () => words[random(words.length)]).join("") + "\n:";
    const events = [];
    const read = eventReader("", (...event) => events.push(event));
    for (let at = 0, end; at < text.length; at = end) {
      end = at + random(7);
      read(text.slice(at, end));
    }
    assert.deepEqual(events, standard(text), JSON.stringify(text));
  }
});

test("of an event without end no more than a million characters are kept", () => {
  const lengths = [];
  const read = eventReader("", (_, data) => lengths.push(data.length));
  read("data: ");
  for (let n = 0; n < 40; n++) read("x".repeat(100_000));
  read("\n\ndata: y\n\n");
  assert(lengths[0] <= 1_000_000, lengths[0]);
  assert.equal(lengths[1], 2);
});
