import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import * as express from "../examples/express.js";
import * as fastify from "../examples/fastify.js";
import { entriesOf, fresh, house, vectors } from "./support.js";

const { laptop, phone } = vectors.probes;
const { sub, sid, orgId } = JSON.parse(Buffer.from(laptop.split(".")[1], "base64url"));

const listening = {
  async express(t, verifier) {
    const server = express.createApp(verifier).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    return `http://127.0.0.1:${server.address().port}`;
  },
  async fastify(t, verifier) {
    const app = fastify.createApp(verifier);
    t.after(() => app.close());
    return app.listen({ port: 0, host: "127.0.0.1" });
  },
};

for (const [name, listen] of Object.entries(listening)) {
  test(`${name} lets good tokens in, answers 401 to bad ones, and 503 while Hallpass is not heard`, async (t) => {
    const { verifier, time } = house([[entriesOf([{ sid }]) + fresh()]]);
    t.after(() => verifier.close());
    await verifier.ready();
    const url = (await listen(t, verifier)) + "/orders";
    const answer = async (authorization) => {
      const response = await fetch(url, { headers: authorization ? { authorization } : {} });
      const { status, headers } = response;
      return [status, headers.get("www-authenticate"), headers.get("retry-after"), await response.json()];
    };
    const refused = (message) => [401, 'Bearer error="invalid_token"', null, { message }];
    assert.deepEqual(await answer(), [401, "Bearer", null, { message: "Authentication required" }]);
    assert.deepEqual(await answer("Basic YTpi"), [401, "Bearer", null, { message: "Authentication required" }]);
    assert.deepEqual(await answer(`Bearer ${phone}`), [200, null, null, { user: sub, organization: orgId }]);
    assert.deepEqual(await answer(`bearer ${phone}`), [200, null, null, { user: sub, organization: orgId }]);
    assert.deepEqual(await answer(`Bearer ${laptop}`), refused("Token revoked"));
    assert.deepEqual(await answer("Bearer x.y.z"), refused("Token invalid"));
    time.monotonic += 31_000;
    assert.deepEqual(await answer(`Bearer ${phone}`), [503, null, "5", { message: "Try again later" }]);
    assert.deepEqual(await answer(`Bearer ${laptop}`), refused("Token revoked"));
  });
}
