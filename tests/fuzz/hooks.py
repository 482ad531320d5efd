"""Who asks: a founder of an organization of their own, and another one as soon as the last is signed out."""

import itertools
import os
import uuid

import requests
import schemathesis

BASE = os.environ["HALLPASS_URL"]
PASSWORD = "correct horse battery staple 7"
numbers = itertools.count(1)


class Founder:
    """An admin's tokens for both kinds of calls, thrown away when an answer says that one is no good any more."""

    token = None
    session_token = None
    user = None

    def sign_in(self):
        run = uuid.uuid4().hex[:8]
        email = f"founder{next(numbers)}-{run}@example.com"
        founding = {
            "organizationName": f"Fuzz {run}",
            "firstName": "Ada",
            "lastName": "Byron",
            "email": email,
            "password": PASSWORD,
        }
        requests.post(f"{BASE}/api/auth/register", json=founding, timeout=10).raise_for_status()
        login = requests.post(f"{BASE}/api/auth/login", json={"email": email, "password": PASSWORD}, timeout=10)
        login.raise_for_status()
        self.token, self.user = login.json()["accessToken"], login.json()["user"]
        login = {"name": email, "password": PASSWORD, "returnToken": True}
        login = requests.post(f"{BASE}/api/v1/login", json=login, timeout=10)
        login.raise_for_status()
        self.session_token = login.json()["token"]


founder = Founder()


@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, context):
        if founder.token is None:
            founder.sign_in()
        return founder.session_token if case.operation.path.startswith("/api/v1/") else founder.token

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Half of all ids are the founder's own, so that more than 404 is seen."""
    if founder.user and path_parameters and str(path_parameters.get("id", "8"))[0] in "01234567":
        operation = context.operation
        own = "organizationId" if operation and "/organizations/" in operation.path else "id"
        return {**path_parameters, "id": founder.user[own]}
    return path_parameters


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code in (401, 403) and case.headers and founder.token:
        if case.headers.get("Authorization") in (f"Bearer {founder.token}", f"Bearer {founder.session_token}"):
            founder.token = None
