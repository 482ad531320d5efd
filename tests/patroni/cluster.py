"""Three PostgreSQL servers under Patroni, with one etcd, on ports of their own. `stop` ends and deletes all of them."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# Patroni's least. The leader's lock expires so many seconds after the leader has died.
TTL = 20

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what, seconds, holds):
    """Polls until `holds` returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := holds():
            return result
        time.sleep(0.1)
    raise TimeoutError(f"not within {seconds} s: {what}")


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


class Process:
    """A program that runs as a user that PostgreSQL accepts, and writes to a log of its own."""

    def __init__(self, name, directory, command):
        self.log = directory / f"{name}.log"
        # PostgreSQL refuses root.
        account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [str(word) for word in command],
                cwd=directory,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for this program, which then stops the others in their order.
                start_new_session=True,
                **identity,
            )

    def stop(self, seconds=20):
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class Node:
    """A PostgreSQL server and the Patroni that manages it."""

    def __init__(self, name, directory, etcd_port, is_synchronous):
        self.name = name
        self.directory = directory
        self.data = directory / name
        self.port, self.rest_port = free_port(), free_port()
        self.configuration = directory / f"{name}.json"
        # JSON is YAML.
        self.configuration.write_text(json.dumps(self.settings(etcd_port, is_synchronous), indent=1))
        self.patroni = None

    def settings(self, etcd_port, is_synchronous):
        parameters = {
            "unix_socket_directories": str(self.directory),
            "shared_buffers": "64MB",
            "max_connections": 100,
            "wal_log_hints": "on",
        }
        return {
            "scope": "hallpass",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.rest_port}", "connect_address": f"127.0.0.1:{self.rest_port}"},
            "etcd3": {"host": f"127.0.0.1:{etcd_port}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": 2,
                    "retry_timeout": 5,
                    "synchronous_mode": is_synchronous,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "remove_data_directory_on_diverged_timelines": True,
                        "parameters": parameters,
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"auth": "trust"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self.data),
                "pgpass": str(self.directory / f"{self.name}.pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "postgres"},
                    "rewind": {"username": "postgres"},
                },
                "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust",
                           "host replication all 127.0.0.1/32 trust"],
            },
        }

    def start(self):
        self.patroni = Process(self.name, self.directory, [shutil.which("patroni"), self.configuration])

    def state(self):
        """What Patroni says of this server, e.g. its role; nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest_port}/patroni", timeout=2) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except (OSError, ValueError):
            return {}

    def is_leader(self):
        state = self.state()
        return state.get("state") == "running" and state.get("role") in ("master", "primary")

    def is_streaming(self, timeline):
        state = self.state()
        return (
            state.get("state") in ("running", "streaming")
            and state.get("role") == "replica"
            and state.get("timeline") == timeline
        )

    def switch_over(self):
        """Tells Patroni to let another server lead."""
        body = json.dumps({"leader": self.name}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest_port}/switchover", body, method="POST")
        urllib.request.urlopen(request, timeout=60).close()

    def server_pids(self):
        """The server's main process and its children, as long as they run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            is_ours = os.readlink(f"/proc/{pid}/cwd") == str(self.data)
        except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
            return []
        return [pid, *children_of(pid)] if is_ours else []

    def kill(self):
        """As a machine that loses power: Patroni and every process of the server at once."""
        for pid in [self.patroni.popen.pid, *self.server_pids()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.patroni.popen.wait()

    def stop(self):
        if self.patroni:
            # It stops its server.
            self.patroni.stop()
        for pid in self.server_pids():
            os.kill(pid, signal.SIGKILL)


class Cluster:
    def __init__(self, is_synchronous):
        self.directory = Path(tempfile.mkdtemp(prefix="hallpass-patroni-"))
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self.processes = []
        self.nodes = []
        try:
            self.start(is_synchronous)
        except BaseException:
            self.stop()
            raise

    def start(self, is_synchronous):
        clients, peers = free_port(), free_port()
        client_url, peer_url = f"http://127.0.0.1:{clients}", f"http://127.0.0.1:{peers}"
        etcd = [shutil.which("etcd"), "--name", "one", "--data-dir", self.directory / "etcd", "--log-level", "error",
                "--listen-client-urls", client_url, "--advertise-client-urls", client_url,
                "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
                "--initial-cluster", f"one={peer_url}"]
        self.etcd = Process("etcd", self.directory, etcd)
        for name in ("one", "two", "three"):
            self.nodes.append(Node(name, self.directory, clients, is_synchronous))
        for node in self.nodes:
            node.start()
        self.is_complete(120)

    def leader(self):
        return next((node for node in self.nodes if node.is_leader()), None)

    def is_complete(self, seconds):
        """Waits for a leader that both others follow, and returns it."""
        def complete():
            leader = self.leader()
            if not leader:
                return None
            timeline = leader.state().get("timeline")
            others = [node for node in self.nodes if node is not leader]
            return leader if all(node.is_streaming(timeline) for node in others) else None
        return eventually("a leader that two replicas follow", seconds, complete)

    def url(self, database):
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgres://postgres@{hosts}/{database}?target_session_attrs=read-write"

    def query(self, sql, database="hallpass"):
        """The rows of a query on the leader, each a list of texts."""
        command = ["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url(database)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
        return [line.split("\t") for line in printed.splitlines()]

    def hold_up_replication(self, leader):
        """Suspends what sends the leader's WAL to the others, so that they lack what it acknowledges from now on."""
        rows = self.query("select pid from pg_stat_replication")
        for [pid] in rows:
            if int(pid) in leader.server_pids():
                os.kill(int(pid), signal.SIGSTOP)

    def stop(self):
        for node in self.nodes:
            node.stop()
        if hasattr(self, "etcd"):
            self.etcd.stop()
        shutil.rmtree(self.directory)
