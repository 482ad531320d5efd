import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

test("the minified bundle is at most 3,072 bytes when compressed", (t) => {
  const bundle = readFileSync(new URL("../dist/hallpass.min.js", import.meta.url));
  const size = gzipSync(bundle, { level: 9 }).length;
  t.diagnostic(`hallpass.min.js: ${size} bytes compressed, ${bundle.length} plain`);
  assert(size <= 3_072, `${size} bytes`);
});

test("the package has no dependencies, and its lock names no registry", () => {
  const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  const { dependencies, peerDependencies } = JSON.parse(read("package.json"));
  assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  assert(!/"resolved"|https?:\/\/[^"]*\.tgz/.test(read("package-lock.json")));
});
