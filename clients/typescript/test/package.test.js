import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const HERE = new URL("..", import.meta.url).pathname;

function unpacked(t) {
  const to = mkdtempSync(join(tmpdir(), "hallpass-client-"));
  t.after(() => rmSync(to, { recursive: true }));
  const env = { ...process.env, npm_config_loglevel: "error" };
  // `npm test` has built it, and other tests use what it has built.
  execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", to], { cwd: HERE, env, stdio: "pipe" });
  const { name, version } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
  execFileSync("tar", ["-xf", `${name}-${version}.tgz`], { cwd: to });
  return join(to, "package");
}

test("the packed package has its licenses, and every link of its README leads to a file in it", (t) => {
  const folder = unpacked(t);
  const read = (file) => readFileSync(join(folder, file), "utf8");
  for (const license of ["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]) {
    assert.equal(read(license), readFileSync(join(HERE, "../..", license), "utf8"), license);
  }
  const links = [...read("README.md").matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);
  assert(links.includes("src/types.ts"));
  for (const link of links) {
    if (link.startsWith("https://")) continue;
    assert(read(link).length > 0, link);
  }
});

test("the packed package can be imported by every name it exports", async (t) => {
  const folder = unpacked(t);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const { types, default: script } of Object.values(exports)) {
    assert(readFileSync(join(folder, types), "utf8").includes("export"));
    assert(Object.keys(await import(join(folder, script))).length > 0, script);
  }
});
