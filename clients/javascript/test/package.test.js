import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const HERE = new URL("..", import.meta.url).pathname;

test("the packed package has its licenses and types, can be imported, and its README's links lead to files in it", async (t) => {
  const to = mkdtempSync(join(tmpdir(), "hallpass-verify-"));
  t.after(() => rmSync(to, { recursive: true }));
  const env = { ...process.env, npm_config_loglevel: "error" };
  execFileSync("npm", ["pack", "--pack-destination", to], { cwd: HERE, env, stdio: "pipe" });
  const { name, version, exports } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
  execFileSync("tar", ["-xf", `${name}-${version}.tgz`], { cwd: to });
  const read = (file) => readFileSync(join(to, "package", file), "utf8");
  for (const license of ["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]) {
    assert.equal(read(license), readFileSync(join(HERE, "../..", license), "utf8"), license);
  }
  for (const [, link] of read("README.md").matchAll(/\]\(([^)]+)\)/g)) {
    if (!link.startsWith("https://")) assert(read(link).length > 0, link);
  }
  const found = Object.keys(await import(join(to, "package", exports["."].default)));
  const declared = [...read(exports["."].types).matchAll(/^export (?:function|const) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(found.sort(), declared.sort());
});
