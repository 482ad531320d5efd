"""Kills the leader three times under load, switches over once, and compares what was acknowledged with what the
database holds."""

import argparse
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass

from cluster import TTL, Cluster, eventually
from instances import PASSWORD, Instance, Token
from load import HEARD_WITHIN, STALE_AFTER, Record, Worker

KILLS = 3
WORKERS = 6
PEOPLE = 8

# Load before each kill, and after the last.
HEALTHY_FOR = 8

# Before the second kill nothing is replicated for so long, so that something is lost even on one machine.
HELD_UP_FOR = 0.5

# Only what was acknowledged within so many seconds before a kill may be lost.
MAY_BE_LOST = 3


def main():
    parser = argparse.ArgumentParser(prog="tests/patroni/run", description=__doc__)
    parser.add_argument("--synchronous", action="store_true", help="with synchronous_mode, where nothing may be lost")
    is_synchronous = parser.parse_args().synchronous
    # A stop cleans up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    cluster = Cluster(is_synchronous)
    instances = []
    try:
        cluster.query("create database hallpass", "postgres")
        for name in ("here", "there"):
            instances.append(Instance(name, cluster.directory, cluster.url("hallpass")))
            instances[-1].waits_until_ready()
        record, outages = run(cluster, instances)
        faults = judge(cluster, instances, record, outages, is_synchronous)
    finally:
        for instance in instances:
            instance.process.stop()
        cluster.stop()
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    return 1 if faults else 0


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


@dataclass
class Outage:
    """When the leader ended, by the clock of `time.monotonic`: between these."""

    begin: float
    end: float
    may_lose: bool

    def is_near(self, moment, seconds):
        return self.begin - seconds < moment < self.end + seconds


def run(cluster, instances):
    """The record of the load, and when there was no leader."""
    record = Record()
    workers = people(instances, record)
    for worker in workers:
        worker.start()
    outages = []
    try:
        for number in range(KILLS):
            outages.append(kill_leader(cluster, instances, is_held_up=number == 1))
        outages.append(switch_over(cluster, instances))
        time.sleep(HEALTHY_FOR)
    finally:
        for worker in workers:
            worker.ends.set()
        for worker in workers:
            worker.join()
    return record, outages


def people(instances, record):
    """Workers, each with an admin and with people of its own, in one organization."""
    here = instances[0]

    def expect(status, answer):
        if answer.status != status:
            raise RuntimeError(f"{answer.status} instead of {status}: {answer.body}")
        return answer.body

    founder = {"organizationName": "Acme", "firstName": "Ada", "lastName": "Byron", "email": "ada@acme.example",
               "password": PASSWORD}
    organization = expect(201, here.call("POST", "/api/auth/register", body=founder))["organization"]["id"]
    login = {"email": founder["email"], "password": PASSWORD}
    ada = expect(200, here.call("POST", "/api/auth/login", body=login))["accessToken"]

    def join(email):
        body = {"email": email, "password": PASSWORD, "name": "Bob Byte", "organizationId": organization}
        joined = expect(201, here.call("POST", "/api/auth/register", body=body))
        return email, Token.parse(joined["accessToken"]).user

    workers = []
    for number in range(WORKERS):
        admin, admin_id = join(f"ada{number}@acme.example")
        expect(200, here.call("PATCH", f"/api/users/{admin_id}", ada, {"role": "admin"}))
        own = [join(f"bob{number}-{n}@acme.example") for n in range(PEOPLE)]
        workers.append(Worker(number, instances, record, admin, own))
    return workers


def kill_leader(cluster, instances, is_held_up):
    """Kills the leader under load, brings it back, and returns when it was killed."""
    time.sleep(HEALTHY_FOR)
    leader = cluster.is_complete(60)
    if is_held_up:
        cluster.hold_up_replication(leader)
        time.sleep(HELD_UP_FOR)
    leader.kill()
    killed = time.monotonic()
    told = follow(cluster, instances, leader, killed)
    leader.start()
    cluster.is_complete(90)
    say(f"killed {leader.name}{' with replication held up' if is_held_up else ''}: {told}, {leader.name} follows after "
        f"{time.monotonic() - killed:.1f} s")
    return Outage(killed, killed, may_lose=True)


def switch_over(cluster, instances):
    """Hands over as an operator does before work on the leader's machine, under load."""
    time.sleep(HEALTHY_FOR)
    leader = cluster.is_complete(60)
    begin = time.monotonic()
    leader.switch_over()
    told = follow(cluster, instances, leader, begin)
    end = time.monotonic()
    cluster.is_complete(90)
    say(f"switched over from {leader.name}: {told}")
    return Outage(begin, end, may_lose=False)


def follow(cluster, instances, former, since):
    """Waits for another leader and until both instances are ready, and says how long it took."""
    others = [node for node in cluster.nodes if node is not former]
    promoted = eventually("a new leader", 3 * TTL, lambda: next((node for node in others if node.is_leader()), None))
    took = time.monotonic() - since
    for instance in instances:
        instance.waits_until_ready()
    return f"{promoted.name} leads after {took:.1f} s, both instances are ready after {time.monotonic() - since:.1f} s"


class Kept:
    """What the database holds in the end."""

    def __init__(self, cluster):
        self.requests = {row[0] for row in cluster.query("select request_id from audit where outcome = 'ok'")}
        self.versions = {user: int(ver) for user, ver in cluster.query("select id, ver from users")}
        self.roles = dict(cluster.query("select user_id, role from memberships"))
        rows = cluster.query(
            "select s.id, s.revoked_at is not null or s.ver < u.session_ver "
            "from sessions s join users u on u.id = s.user_id"
        )
        self.sessions = {session: has_ended == "t" for session, has_ended in rows}

    def has(self, write):
        return write.request_id in self.requests

    def is_revoked(self, token):
        return self.sessions.get(token.session, False) or self.versions[token.user] > token.version

    def is_live(self, token):
        return self.sessions.get(token.session) is False and self.versions[token.user] == token.version

    def has_effect(self, write):
        """Whether the tables say the same as the audit log."""
        if write.kind == "sign-in":
            return all(token.session in self.sessions for token in write.tokens)
        if write.kind in ("logout", "logout-all"):
            return all(self.is_revoked(token) for token in write.tokens)
        return True


def judge(cluster, instances, record, outages, is_synchronous):
    """Prints the counts, and returns what is wrong."""
    for instance in instances:
        eventually("revocations are read", 30, instance.has_read_revocations)
    kept = Kept(cluster)
    acknowledged = [write for write in record.writes if write.acknowledged is not None]
    lost = [write for write in acknowledged if not kept.has(write)]
    faults = list(record.faults)
    faults += lost_without_a_cause(lost, outages, is_synchronous)
    faults += without_effect(acknowledged, record.writes, kept)
    faults += odd_answers(record, kept)
    faults += heard_late(record, outages, kept)
    faults += heard(instances, record, lost, kept)
    faults += not_named(instances, lost)
    print_counts(acknowledged, lost, record)
    return faults


def lost_without_a_cause(lost, outages, is_synchronous):
    if is_synchronous and lost:
        yield f"{len(lost)} acknowledged writes are lost in spite of synchronous replication"
    for write in lost:
        if not any(outage.may_lose and outage.is_near(write.acknowledged, MAY_BE_LOST) for outage in outages):
            yield f"{write.request_id} was not acknowledged shortly before a kill, and is lost"


def without_effect(acknowledged, writes, kept):
    for write in acknowledged:
        if kept.has(write) and not kept.has_effect(write):
            yield f"{write.request_id} is in the audit log, and has no effect"
    # Also what was not acknowledged may have been kept.
    last = {write.user: write for write in writes if write.kind == "role" and kept.has(write)}
    for user, write in last.items():
        if kept.roles[user] != write.role:
            yield f"{write.request_id} made {user} {write.role}, and the role is {kept.roles[user]}"


def odd_answers(record, kept):
    """A 401 or 403 is right only for a token whose session the database has lost or ended."""
    for odd in record.odd:
        if odd.token is None or kept.is_live(odd.token):
            yield f"{odd.what} was answered {odd.status}, and the session is live"


def heard(instances, record, lost, kept):
    """Tries every token at both instances, and compares with the database."""
    tokens = {token for write in record.writes for token in write.tokens}
    forgotten = {token for write in lost for token in write.tokens if write.kind != "sign-in"}
    revoked = [token for token in tokens if kept.is_revoked(token)]
    live = [token for token in tokens if kept.is_live(token)]
    counts = Counter()
    for instance in instances:
        for token in revoked:
            if (status := instance.me(token.text).status) == 401:
                counts[instance.name] += 1
            else:
                yield f"{instance.name} answers {status} to a token that the database has revoked: {token.session}"
        for token in live:
            status = instance.me(token.text).status
            # Instances go on refusing the sessions whose end the database has lost.
            if status != 200 and token not in forgotten:
                yield f"{instance.name} answers {status} to a token that the database knows as live: {token.session}"
    if not revoked or not live:
        yield f"the load has left {len(revoked)} revoked and {len(live)} live tokens: nothing was compared"
    print(f"revoked in the database: {len(revoked)} tokens; refused here {counts['here']}, there {counts['there']}; "
          f"live: {len(live)}")


def heard_late(record, outages, kept):
    """What the other instance took although it must have known."""
    times = sorted(write.heard_after for write in record.writes if write.heard_after is not None)
    print(f"heard at the other instance during the load: {len(times)}, after {1000 * times[len(times) // 2]:.0f} ms in "
          f"the middle, {1000 * times[-1]:.0f} ms at most")
    for write in record.writes:
        if write.accepted is None or not kept.has(write):
            continue
        by = write.acknowledged + HEARD_WITHIN
        for outage in outages:
            # The leader may have ended before the other instance could read it.
            if outage.is_near(write.acknowledged, HEARD_WITHIN):
                by = max(by, outage.end + STALE_AFTER)
        if write.accepted > by:
            yield (f"{write.request_id} was not known elsewhere {write.accepted - write.acknowledged:.1f} s after its "
                   "acknowledgement")


def not_named(instances, lost):
    """The log of the instance that acknowledged it must name each lost revocation."""
    errors = {instance.name: "\n".join(instance.errors()) for instance in instances}
    for write in lost:
        if write.kind == "logout":
            # The end of a session's id, as the log has it.
            names = [token.session.split("-", 3)[3] for token in write.tokens]
        elif write.kind == "logout-all":
            names = [write.user]
        else:
            continue
        for name in names:
            if name not in errors[write.instance]:
                yield f"{write.request_id} is lost, and the log of {write.instance} does not name {name}"


def print_counts(acknowledged, lost, record):
    kinds = ("sign-in", "logout", "logout-all", "role")
    all_of, lost_of = Counter(write.kind for write in acknowledged), Counter(write.kind for write in lost)
    print(f"{'':12}{'acknowledged':>14}{'kept':>8}{'lost':>8}")
    for kind in kinds:
        print(f"{kind:12}{all_of[kind]:14}{all_of[kind] - lost_of[kind]:8}{lost_of[kind]:8}")
    print(f"{'all':12}{len(acknowledged):14}{len(acknowledged) - len(lost):8}{len(lost):8}")
    times = sorted(write.took for write in acknowledged if write.kind == "logout")
    print(f"a logout took {1000 * times[len(times) // 2]:.0f} ms in the middle")
    print("answers:", ", ".join(f"{count} × {status}" for status, count in sorted(record.answers.items())))


if __name__ == "__main__":
    sys.exit(main())
