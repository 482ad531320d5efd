import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

const HERE = new URL("..", import.meta.url).pathname;

/** What a service bundles that imports these names. */
function bundled(names) {
  const { outputFiles } = buildSync({
    stdin: { contents: `export { ${names} } from "./src/index.js"`, resolveDir: HERE },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    write: false,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

test("a service loads at most 2,048 bytes compressed, whichever way its tokens are signed", (t) => {
  for (const names of ["createVerifier, sharedSecret", "createVerifier, publishedKeys"]) {
    const size = bundled(names);
    t.diagnostic(`${names}: ${size} bytes`);
    assert(size <= 2_048, `${names}: ${size} bytes`);
  }
  t.diagnostic(`everything: ${bundled("createVerifier, sharedSecret, publishedKeys, either, packed")} bytes`);
});

test("the package has no dependencies, and its lock names no registry", () => {
  const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  const { dependencies, peerDependencies } = JSON.parse(read("package.json"));
  assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  assert(!/"resolved"|https?:\/\/[^"]*\.tgz/.test(read("package-lock.json")));
});
