import express from "express";

/** Lets nobody pass without a good token; `request.user` has its claims. */
export const requireToken = (verifier) => async (request, response, next) => {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.get("authorization") ?? "") ?? [];
  if (!token) return response.set("WWW-Authenticate", "Bearer").status(401).json({ message: "Authentication required" });
  const { status, claims } = await verifier.verify(token);
  if (claims) {
    request.user = claims;
    return next();
  }
  // Hallpass is not heard: not the token's fault, and a 401 would sign everyone out.
  if (status === "stale") return response.set("Retry-After", "5").status(503).json({ message: "Try again later" });
  response.set("WWW-Authenticate", 'Bearer error="invalid_token"').status(401).json({ message: `Token ${status}` });
};

export function createApp(verifier) {
  const app = express();
  app.get("/orders", requireToken(verifier), (request, response) => {
    response.json({ user: request.user.sub, organization: request.user.orgId });
  });
  return app;
}
