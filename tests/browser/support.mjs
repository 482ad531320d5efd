/** `hallpass dev` on a private port with a database of its own, and a browser. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { chromium } from "playwright-core";

const BINARY = resolve(process.env.HALLPASS ?? "../../target/debug/hallpass");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
};

/** Starts both; `close` stops both and deletes their files. */
export const startServer = async () => {
  const directory = await mkdtemp(join(tmpdir(), "hallpass-browser-"));
  const port = await freePort();
  const server = spawn(BINARY, ["dev"], {
    cwd: directory,
    env: { PATH: process.env.PATH, PORT: String(port), BCRYPT_COST: "4" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // The last line of the banner is printed once the port is bound.
  let banner = "";
  for await (const text of server.stdout) {
    banner += text;
    if (banner.includes("\ncurl ")) break;
  }
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--host-resolver-rules=MAP foreign.example 127.0.0.1",
    ],
  });
  const close = async () => {
    await browser.close();
    server.kill("SIGINT");
    await once(server, "exit");
    await rm(directory, { recursive: true });
  };
  return { url: `http://127.0.0.1:${port}`, browser, close };
};
