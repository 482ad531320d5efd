"""Instances of Hallpass, and a client that repeats nothing."""

import base64
import http.client
import json
import os
import shutil
import time
from dataclasses import dataclass

from cluster import Process, eventually, free_port

PASSWORD = "Correct-Horse-7-Battery"
SECRET = "c1HqGm0Jr8vXn5sTzWqK3yLb7Rd2Fp6Ua9Ee4Oi"


@dataclass
class Answer:
    status: int
    body: dict
    # When the request was sent and when it was answered, by the clock of `time.monotonic`.
    sent: float
    received: float


class Instance:
    def __init__(self, name, directory, database_url):
        self.name = name
        self.port = free_port()
        binary = directory / "hallpass"
        if not binary.exists():
            # Where the user that runs it may read it.
            shutil.copy(os.environ["HALLPASS"], binary)
            binary.chmod(0o755)
        settings = {
            "PORT": self.port,
            "DATABASE_URL": database_url,
            "JWT_SECRET": SECRET,
            "BCRYPT_COST": 10,
            "RATE_LIMITS": "off",
            "LOG_FORMAT": "json",
        }
        words = [f"{name}={value}" for name, value in settings.items()]
        self.process = Process(f"hallpass-{name}", directory, ["env", *words, binary, "serve"])

    def call(self, method, path, token=None, body=None, request_id=None):
        headers = {"Connection": "close"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        if request_id:
            headers["X-Request-Id"] = request_id
        sent = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return Answer(response.status, json.loads(text) if text else {}, sent, time.monotonic())

    def me(self, token):
        return self.call("GET", "/api/auth/me", token)

    def is_ready(self):
        try:
            return self.call("GET", "/readyz").status == 200
        except OSError:
            return False

    def waits_until_ready(self, seconds=60):
        return eventually(f"instance {self.name} is ready", seconds, self.is_ready)

    def has_read_revocations(self):
        answer = self.call("GET", "/readyz?verbose")
        checks = {check["name"]: check for check in answer.body.get("checks", [])}
        return "within the last two seconds" in checks.get("revocations", {}).get("detail", "")

    def errors(self):
        """The lines of the log at level ERROR."""
        lines = self.process.log.read_text().splitlines()
        return [line for line in lines if json.loads(line)["level"] == "ERROR"]


@dataclass(frozen=True)
class Token:
    text: str
    user: str
    session: str
    # The user's tokens with a lower number are revoked.
    version: int

    @classmethod
    def parse(cls, text):
        payload = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return cls(text, claims["sub"], claims["sid"], claims["ver"])
