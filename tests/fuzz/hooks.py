"""The caller: the admin of a new organization, replaced by another one when signed out."""

import itertools
import os
import uuid

import requests
import schemathesis

BASE = os.environ["HALLPASS_URL"]
PASSWORD = "correct horse battery staple 7"
numbers = itertools.count(1)


class Admin:
    """An admin and their tokens for both APIs, replaced when an answer says that one is no longer valid."""

    token = None
    session_token = None
    user = None

    def sign_in(self):
        run = uuid.uuid4().hex[:8]
        email = f"admin{next(numbers)}-{run}@example.com"
        registration = {
            "organizationName": f"Fuzz {run}",
            "firstName": "Ada",
            "lastName": "Byron",
            "email": email,
            "password": PASSWORD,
        }
        requests.post(f"{BASE}/api/auth/register", json=registration, timeout=10).raise_for_status()
        login = requests.post(f"{BASE}/api/auth/login", json={"email": email, "password": PASSWORD}, timeout=10)
        login.raise_for_status()
        self.token, self.user = login.json()["accessToken"], login.json()["user"]
        login = {"name": email, "password": PASSWORD, "returnToken": True}
        login = requests.post(f"{BASE}/api/v1/login", json=login, timeout=10)
        login.raise_for_status()
        self.session_token = login.json()["token"]


admin = Admin()


@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, context):
        if admin.token is None:
            admin.sign_in()
        return admin.session_token if case.operation.path.startswith("/api/v1/") else admin.token

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Half of all ids are the admin's own, so that not every answer is 404."""
    if admin.user and path_parameters and str(path_parameters.get("id", "8"))[0] in "01234567":
        operation = context.operation
        own = "organizationId" if operation and "/organizations/" in operation.path else "id"
        return {**path_parameters, "id": admin.user[own]}
    return path_parameters


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code in (401, 403) and case.headers and admin.token:
        if case.headers.get("Authorization") in (f"Bearer {admin.token}", f"Bearer {admin.session_token}"):
            admin.token = None
