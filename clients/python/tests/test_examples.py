import pathlib
import sys
import unittest

import django
from django import conf
from django.http import JsonResponse
from django.test import Client
from django.urls import path
from fastapi.testclient import TestClient

from hallpass_verify import _feed, _token

from .support import LAPTOP, PHONE, Time, fresh, reset, verifier

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from examples import fastapi_app  # noqa: E402

CLAIMS = _token._read(LAPTOP.split(".")[1])
WHO = {"user": CLAIMS["sub"], "organization": CLAIMS["orgId"]}


def orders(request):
    return JsonResponse({"user": request.hallpass["sub"], "organization": request.hallpass.get("orgId")})


urlpatterns = [path("orders", orders)]


class Examples(unittest.TestCase):
    def setUp(self):
        self.time = Time()
        memory = _feed.Memory()
        stream = _feed.StreamReader(memory, lambda: self.time.monotonic, lambda: None)
        stream.read(reset({"sid": CLAIMS["sid"]}) + fresh())
        self.verifier = verifier(time=self.time)
        self.verifier._feed.memory, self.verifier._feed.start = memory, lambda: None

    def lets_good_tokens_in(self, get):
        """`get` gives status, WWW-Authenticate, Retry-After, body and message."""
        bad = 'Bearer error="invalid_token"'
        self.assertEqual(get(None), (401, "Bearer", None, "Authentication required"))
        self.assertEqual(get("Basic YTpi"), (401, "Bearer", None, "Authentication required"))
        self.assertEqual(get(f"Bearer {PHONE}"), (200, None, None, WHO))
        self.assertEqual(get(f"bearer {PHONE}"), (200, None, None, WHO))
        self.assertEqual(get(f"Bearer {LAPTOP}"), (401, bad, None, "Token revoked"))
        self.assertEqual(get("Bearer x.y.z"), (401, bad, None, "Token invalid"))
        self.time.monotonic += 31
        self.assertEqual(get(f"Bearer {PHONE}"), (503, None, "5", "Try again later"))
        self.assertEqual(get(f"Bearer {LAPTOP}"), (401, bad, None, "Token revoked"))

    def test_fastapi(self):
        client = TestClient(fastapi_app.create_app(self.verifier))

        def get(authorization):
            answer = client.get("/orders", headers={"Authorization": authorization} if authorization else {})
            body = answer.json()
            headers = answer.headers
            return answer.status_code, headers.get("WWW-Authenticate"), headers.get("Retry-After"), body.get("detail", body)

        self.lets_good_tokens_in(get)

    def test_django(self):
        conf.settings.configure(
            ROOT_URLCONF=__name__,
            ALLOWED_HOSTS=["*"],
            MIDDLEWARE=["examples.django_middleware.HallpassMiddleware"],
            HALLPASS=self.verifier,
        )
        django.setup()
        client = Client()

        def get(authorization):
            answer = client.get("/orders", **({"HTTP_AUTHORIZATION": authorization} if authorization else {}))
            body = answer.json()
            headers = answer.headers
            return answer.status_code, headers.get("WWW-Authenticate"), headers.get("Retry-After"), body.get("message", body)

        self.lets_good_tokens_in(get)
