"""A FastAPI dependency that lets nobody pass without a good token."""

from __future__ import annotations

from typing import Annotated, Callable, Optional

from fastapi import Depends, FastAPI, Header, HTTPException

from hallpass_verify import Claims, Verifier


def requires_token(verifier: Verifier) -> Callable[..., Claims]:
    # Not `async`: FastAPI then calls it in a thread, where it may wait for a new key of Hallpass.
    def claims(authorization: Annotated[Optional[str], Header()] = None) -> Claims:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise HTTPException(401, "Authentication required", {"WWW-Authenticate": "Bearer"})
        result = verifier.verify(token.strip())
        if result.claims is not None:
            return result.claims
        if result.status == "stale":
            # Hallpass is not heard: not the token's fault, and a 401 would sign everyone out.
            raise HTTPException(503, "Try again later", {"Retry-After": "5"})
        raise HTTPException(401, f"Token {result.status}", {"WWW-Authenticate": 'Bearer error="invalid_token"'})

    return claims


def create_app(verifier: Verifier) -> FastAPI:
    app = FastAPI()
    token = Depends(requires_token(verifier))

    @app.get("/orders")
    def orders(claims: Claims = token) -> dict[str, Optional[str]]:
        return {"user": claims["sub"], "organization": claims.get("orgId")}

    return app
