// Reads [{secret, headers, body}, …] and writes whether each is queued by the receiver of docs/webhooks.md, with npm's
// standardwebhooks and Express.
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import express from "express";
import { Webhook } from "standardwebhooks";

const page = await readFile("../../docs/webhooks.md", "utf8");
const [, program] = /```js\nimport .*\n([^]*?)```/.exec(page);
const listen = new Function("Webhook", "express", "process", "app", "queue", program);

const accepts = async ({ secret, headers, body }) => {
  const [app, queued] = [express(), []];
  const queue = { add: (event, { id }) => queued.push([event, id]) };
  listen(Webhook, express, { env: { HALLPASS_WEBHOOK_SECRET: secret } }, app, queue);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/hooks/hallpass`;
  const { status } = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
  });
  server.close();
  const told = JSON.stringify(queued) === JSON.stringify([[JSON.parse(body), headers["webhook-id"]]]);
  if (status !== (told ? 204 : 400)) throw new Error(`${status}, ${JSON.stringify(queued)}`);
  return told;
};

const verified = [];
for (const told of JSON.parse(await text(process.stdin))) verified.push(await accepts(told));
console.log(JSON.stringify(verified));
