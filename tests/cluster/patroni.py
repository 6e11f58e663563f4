"""A PostgreSQL cluster for tests: etcd and three nodes of Patroni on loopback, with ports and a folder of their own.

Debian's packages patroni, etcd-server, python3-etcd, python3-psycopg2 and postgresql have to be there; another Patroni
is used with PATRONI="/path/to/python /path/to/patroni". Patroni before 3.1 is not safe with etcd's API v3 (two primaries
after a freeze), so the API v2 is the default here; DCS=etcd3 for the other.

Everything is ended by the process ids that were started here.
"""

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

PASSWORD = "of-a-test"


def free_ports(count):
    """Ports that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def newest_postgres():
    """Where the programs of the newest PostgreSQL are."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))


def descendants(pid):
    """All processes below one."""
    children = {}
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def signal_all(pids, which):
    """Sends a signal to processes, some of which may have ended meanwhile."""
    for pid in pids:
        try:
            os.kill(pid, which)
        except ProcessLookupError:
            pass


class Node:
    """A machine with Patroni and PostgreSQL."""

    def __init__(self, name, port, rest):
        self.name, self.port, self.rest = name, port, rest
        self.process = None


class Cluster:
    """Three nodes, one of them the primary, one its synchronous standby."""

    def __init__(self, ttl=20, loop_wait=2, retry_timeout=3):
        self.timing = (ttl, loop_wait, retry_timeout)
        self.bin = newest_postgres()
        self.folder = Path(tempfile.mkdtemp(prefix="dogwatch-patroni-", dir="/tmp"))
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        ports = free_ports(8)
        self.etcd_ports = ports[:2]
        self.nodes = [Node(f"n{place + 1}", ports[2 + place], ports[5 + place]) for place in range(3)]
        self.dcs = os.environ.get("DCS", "etcd")
        self.patroni = os.environ.get("PATRONI", "/usr/bin/patroni").split()
        self.etcd = None
        self._own(self.folder)

    # ---- beginning and end ----

    def start(self):
        """Starts everything. Returns after how many seconds it was ready."""
        began = time.monotonic()
        client, peer = (f"http://127.0.0.1:{port}" for port in self.etcd_ports)
        self.etcd = self._spawn("etcd", [
            "/usr/bin/etcd", "--name", "e1", "--data-dir", f"{self.folder}/etcd", "--enable-v2=true",
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"e1={peer}", "--logger", "zap",
            "--log-level", "warn",
        ])
        for node in self.nodes:
            folder = self.folder / node.name
            folder.mkdir(mode=0o700)
            self._own(folder)
            (self.folder / f"{node.name}.yml").write_text(self._settings(node))
            self.start_node(node)
        self.wait_until_whole()
        return time.monotonic() - began

    def start_node(self, node):
        """Starts a node that is down."""
        node.process = self._spawn(node.name, [*self.patroni, f"{self.folder}/{node.name}.yml"])

    def stop(self):
        """Ends everything and forgets it."""
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                signal_all(self.pids(node), signal.SIGCONT)
                node.process.terminate()
        for node in self.nodes:
            if node.process is not None:
                try:
                    node.process.wait(20)
                except subprocess.TimeoutExpired:
                    node.process.kill()
            # A postmaster outlives its Patroni.
            signal_all([self.postmaster(node)] if self.postmaster(node) else [], signal.SIGINT)
        if self.etcd is not None:
            self.etcd.terminate()
            self.etcd.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- looking ----

    def primary(self):
        """The node that is the primary now, if there is one."""
        for node in self.nodes:
            state = self.ask(node)
            if state.get("role") in ("master", "primary") and state.get("state") == "running":
                return node
        return None

    def synchronous_standby(self):
        """The node without which the primary answers no commit."""
        replication = self.ask(self.primary()).get("replication", [])
        names = [each["application_name"] for each in replication if each["sync_state"] in ("sync", "quorum")]
        return next(node for node in self.nodes if node.name in names)

    def ask(self, node):
        """What Patroni says of a node; nothing while it says nothing."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{node.rest}/patroni", timeout=1) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except (OSError, ValueError):
            return {}

    def wait_until_whole(self, seconds=120):
        """Waits for a primary with two standbys, one of them synchronous."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            primary = self.primary()
            replication = self.ask(primary).get("replication", []) if primary else []
            streaming = [each for each in replication if each.get("state") == "streaming"]
            if len(streaming) >= 2 and any(each["sync_state"] in ("sync", "quorum") for each in streaming):
                return
            time.sleep(0.2)
        raise RuntimeError("the cluster is not whole: " + json.dumps([self.ask(node) for node in self.nodes]))

    def postmaster(self, node):
        """The process id of a node's PostgreSQL, if it runs."""
        try:
            return int((self.folder / node.name / "data" / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None

    def pids(self, node):
        """Every process of a node."""
        roots = [pid for pid in (node.process.pid, self.postmaster(node)) if pid]
        return list(dict.fromkeys(roots + [pid for root in roots for pid in descendants(root)]))

    def address(self, database="postgres"):
        """For clients: every node, whoever is the primary."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgres://postgres:{PASSWORD}@{hosts}/{database}?target_session_attrs=read-write&connect_timeout=2"

    def query(self, statement):
        """Rows of the primary, as lists of texts."""
        command = [f"{self.bin}/psql", self.address(), "-XAtq", "-F", "\t", "-c", statement]
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        return [line.split("\t") for line in found.splitlines()]

    # ---- faults ----

    def kill_node(self, node):
        """The power fails."""
        signal_all(self.pids(node), signal.SIGKILL)
        node.process.wait()

    def kill_postmaster(self, node):
        """PostgreSQL dies; its Patroni lives."""
        os.kill(self.postmaster(node), signal.SIGKILL)

    def freeze(self, node):
        """The machine stands still, with its connections open. Returns what thaws it."""
        pids = self.pids(node)
        signal_all(pids, signal.SIGSTOP)
        return lambda: signal_all(pids, signal.SIGCONT)

    def switch_over(self):
        """Another node is made primary, by plan."""
        command = ["/usr/bin/patronictl", "-c", f"{self.folder}/{self.primary().name}.yml", "switchover", "--force"]
        if "PATRONI" in os.environ:
            command[0] = str(Path(self.patroni[-1]).with_name("patronictl"))
        subprocess.run(command, capture_output=True, check=False, timeout=60, **self._as_postgres())

    # ---- the rest ----

    def _own(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _as_postgres(self):
        # PostgreSQL refuses to run as root.
        user = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        path = f"{self.bin}:/usr/bin:/bin"
        return {**user, "env": {"PATH": path, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}, "cwd": self.folder}

    def _spawn(self, name, command):
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self._as_postgres()
            )

    def _settings(self, node):
        ttl, loop_wait, retry_timeout = self.timing
        # JSON is YAML, too.
        return json.dumps({
            "scope": "test",
            "name": node.name,
            "restapi": {"listen": f"127.0.0.1:{node.rest}", "connect_address": f"127.0.0.1:{node.rest}"},
            self.dcs: {"host": f"127.0.0.1:{self.etcd_ports[0]}"},
            "bootstrap": {
                "dcs": {
                    "ttl": ttl,
                    "loop_wait": loop_wait,
                    "retry_timeout": retry_timeout,
                    "maximum_lag_on_failover": 1048576,
                    "synchronous_mode": True,
                    "synchronous_mode_strict": True,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "use_slots": True,
                        "parameters": {
                            "max_connections": 100,
                            "max_wal_senders": 8,
                            "max_replication_slots": 8,
                            "wal_keep_size": "128MB",
                            "shared_buffers": "64MB",
                            "synchronous_commit": "on",
                        },
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
                "pg_hba": [
                    "local all all trust",
                    "host replication replicator 127.0.0.1/32 scram-sha-256",
                    "host all all 127.0.0.1/32 scram-sha-256",
                ],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{node.port}",
                "connect_address": f"127.0.0.1:{node.port}",
                "data_dir": f"{self.folder}/{node.name}/data",
                "bin_dir": str(self.bin),
                "pgpass": f"{self.folder}/{node.name}.pgpass",
                "authentication": {
                    "superuser": {"username": "postgres", "password": PASSWORD},
                    "replication": {"username": "replicator", "password": PASSWORD},
                    "rewind": {"username": "rewinder", "password": PASSWORD},
                },
                "parameters": {"unix_socket_directories": str(self.folder)},
            },
            "watchdog": {"mode": "off"},
        })
