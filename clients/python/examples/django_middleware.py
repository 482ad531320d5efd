"""A Django middleware that lets nobody pass without a good token; `request.hallpass` has its claims.

In the settings: `MIDDLEWARE = [..., "yours.HallpassMiddleware"]` and `HALLPASS = Verifier(url=..., key=..., secret=...)`.
"""

from typing import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from hallpass_verify import Verifier


class HallpassMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._verifier: Verifier = settings.HALLPASS

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _refusal(401, "Authentication required", "WWW-Authenticate", "Bearer")
        result = self._verifier.verify(token.strip())
        if result.claims is not None:
            setattr(request, "hallpass", result.claims)
            return self._get_response(request)
        if result.status == "stale":
            # Hallpass is not heard: not the token's fault, and a 401 would sign everyone out.
            return _refusal(503, "Try again later", "Retry-After", "5")
        return _refusal(401, f"Token {result.status}", "WWW-Authenticate", 'Bearer error="invalid_token"')


def _refusal(status: int, message: str, header: str, value: str) -> HttpResponse:
    return JsonResponse({"message": message}, status=status, headers={header: value})
