import fastify from "fastify";

/** Lets nobody pass without a good token; `request.user` has its claims. */
export const requireToken = (verifier) => async (request, reply) => {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (!token) return reply.header("WWW-Authenticate", "Bearer").code(401).send({ message: "Authentication required" });
  const { status, claims } = await verifier.verify(token);
  if (claims) {
    request.user = claims;
    return;
  }
  // Hallpass is not heard: not the token's fault, and a 401 would sign everyone out.
  if (status === "stale") return reply.header("Retry-After", "5").code(503).send({ message: "Try again later" });
  return reply.header("WWW-Authenticate", 'Bearer error="invalid_token"').code(401).send({ message: `Token ${status}` });
};

export function createApp(verifier) {
  const app = fastify();
  app.decorateRequest("user", null);
  app.get("/orders", { preHandler: requireToken(verifier) }, async ({ user }) => ({
    user: user.sub,
    organization: user.orgId,
  }));
  return app;
}
