"""People who sign in, sign out and get other roles, and a record of what was acknowledged."""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field

from instances import PASSWORD, Token

# When a revocation must be known at every instance that reads the database.
HEARD_WITHIN = 1.0

# After so long without reading it, an instance takes no token from memory.
STALE_AFTER = 2.0

# Between two turns of a worker: of a user who writes more than 100 rows a minute, the audit log counts the rest.
PAUSE = 0.3

# So long a worker looks at the other instance after a revocation.
WATCHED_FOR = HEARD_WITHIN + STALE_AFTER + 0.5


@dataclass
class Write:
    """A request that writes, by its id, which the audit log has."""

    kind: str
    request_id: str
    instance: str
    # When it was acknowledged; nothing for one that was refused.
    acknowledged: float | None = None
    took: float = 0.0
    # What a sign-in began, or what a revocation ended.
    tokens: list = field(default_factory=list)
    user: str = ""
    role: str = ""
    # When the last request was sent in which the other instance took a revoked token.
    accepted: float | None = None
    heard_after: float | None = None


@dataclass
class Odd:
    """An answer that only a lost write explains."""

    what: str
    status: int
    at: float
    token: Token | None


class Record:
    def __init__(self):
        self.lock = threading.Lock()
        self.writes = []
        self.odd = []
        self.faults = []
        self.answers = {}

    def count(self, status):
        with self.lock:
            self.answers[status] = self.answers.get(status, 0) + 1

    def add(self, write):
        with self.lock:
            self.writes.append(write)

    def fault(self, text):
        with self.lock:
            self.faults.append(text)


class Worker(threading.Thread):
    """Uses people of its own, so that it knows the order of their changes. Repeats nothing."""

    def __init__(self, number, instances, record, admin_email, people):
        super().__init__(name=f"worker-{number}")
        self.random = random.Random(number)
        self.instances = instances
        self.record = record
        self.admin_email = admin_email
        # The address and id of each.
        self.people = people
        self.live = {user: [] for _, user in people}
        self.ends = threading.Event()

    def run(self):
        try:
            while not self.ends.wait(PAUSE):
                self.turn()
        except Exception as error:
            self.record.fault(f"{self.name}: {error!r}")

    def turn(self):
        here, there = self.random.sample(self.instances, 2)
        email, user = self.random.choice(self.people)
        token = self.sign_in(here, email)
        if not token:
            return
        self.live[user].append(token)
        for instance in (there, here):
            self.answer("GET /me", instance.me(token.text), token)
        choice = self.random.random()
        if choice < 0.6:
            self.live[user].remove(token)
            self.revoke("logout", here, there, "/api/auth/logout", token, [token])
        elif choice < 0.8:
            ended, self.live[user] = self.live[user], []
            self.revoke("logout-all", here, there, "/api/auth/logout-all", token, ended)
        else:
            self.change_role(here, user)

    def write(self, kind, instance, token, method, path, body=None, **about):
        write = Write(kind, f"{kind}-{uuid.uuid4()}", instance.name, **about)
        self.record.add(write)
        answer = instance.call(method, path, token.text if token else None, body, write.request_id)
        if self.answer(kind, answer, token):
            write.acknowledged, write.took = answer.received, answer.received - answer.sent
        return write, answer

    def answer(self, what, answer, token):
        """Whether it is a success. Without a database 503 is right."""
        self.record.count(answer.status)
        if answer.status == 200:
            return True
        if answer.status in (401, 403):
            self.record.odd.append(Odd(what, answer.status, answer.received, token))
        elif answer.status != 503:
            self.record.fault(f"{what} was answered {answer.status}: {answer.body}")
        return False

    def sign_in(self, instance, email):
        body = {"email": email, "password": PASSWORD}
        write, answer = self.write("sign-in", instance, None, "POST", "/api/auth/login", body)
        if write.acknowledged is None:
            return None
        token = Token.parse(answer.body["accessToken"])
        write.user, write.tokens = token.user, [token]
        return token

    def revoke(self, kind, here, there, path, token, ended):
        write, _ = self.write(kind, here, token, "POST", path, user=token.user, tokens=ended)
        if write.acknowledged is not None:
            self.watch(write, there, token)

    def watch(self, write, there, token):
        """Asks the other instance until it refuses the token."""
        while True:
            answer = there.me(token.text)
            self.record.count(answer.status)
            if answer.status == 401:
                write.heard_after = answer.received - write.acknowledged
                return
            if answer.status == 200:
                write.accepted = answer.sent
            elif answer.status != 503:
                self.record.fault(f"GET /me was answered {answer.status}: {answer.body}")
            if answer.sent > write.acknowledged + WATCHED_FOR:
                return
            time.sleep(0.02)

    def change_role(self, here, user):
        admin = self.sign_in(here, self.admin_email)
        if not admin:
            return
        path = f"/api/users/{user}"
        now = here.call("GET", path, admin.text)
        if self.answer(f"GET {path}", now, admin):
            # One that changes nothing would not be in the audit log.
            role = "employee" if now.body["role"] == "manager" else "manager"
            self.write("role", here, admin, "PATCH", path, {"role": role}, user=user, role=role)
        self.write("logout", here, admin, "POST", "/api/auth/logout", user=admin.user, tokens=[admin])
