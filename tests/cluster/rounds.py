#!/usr/bin/python3
"""Faults of the database under two nodes of Dogwatch that take events and send pages.

rounds.py DOGWATCH [ROUNDS] [FAULT,FAULT…]

Each round: senders post events, again until each is accepted, as monitoring systems do; the fault; senders go on; then
the ledger of what was accepted is held against what is stored, and what was paged against both. Ends with 1 if an
accepted event is missing, an event counts twice, a page was not sent or was sent twice without an unknown outcome, a
refusal was none that tells senders to come back, or nobody could write for more than 30 s.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from patroni import Cluster

TOKEN = "rounds-0123456789abcdefghijklmnop"
SENDERS = 8
PAUSE = 0.08
MOST_WITHOUT_WRITES = 30.0
FAULTS = ["postmaster", "standby", "switchover", "node", "freeze"]


class Receiver:
    """Where the pages go: counts each attempt by the alert's summary."""

    def __init__(self):
        self.seen, self.lock = Counter(), threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with receiver.lock:
                    receiver.seen[body["alert"]["summary"]] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


class Dogwatch:
    """A node of Dogwatch."""

    def __init__(self, program, address, log):
        environment = {
            **os.environ, "DOGWATCH_ADMIN_TOKEN": TOKEN, "DOGWATCH_WEBHOOK_ALLOW": "127.0.0.1/32",
            "DOGWATCH_DATABASE": address,
        }
        command = [program, "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        self.host = urlsplit(line.split()[-1]).netloc
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            everything = {"authorization": f"Bearer {TOKEN}", **(headers or {})}
            connection.request(method, path, json.dumps(body) if body is not None else None, everything)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), json.loads(answer.read() or b"null")
        finally:
            connection.close()


class Load:
    """Senders, and the ledger of what was accepted."""

    def __init__(self, nodes, first):
        self.nodes, self.next, self.lock = nodes, first, threading.Lock()
        self.accepted, self.refused, self.odd, self.stopping = {}, Counter(), [], False
        self.threads = [threading.Thread(target=self.send, args=(place,), daemon=True) for place in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self, place):
        while not self.stopping:
            with self.lock:
                number, self.next = self.next, self.next + 1
            self.until_accepted(number, place)
            time.sleep(PAUSE)

    def until_accepted(self, number, place):
        body = {"summary": f"event {number}", "dedup_key": str(number)}
        tries = 0
        while True:
            node = self.nodes[(number + tries + place) % len(self.nodes)]
            tries += 1
            try:
                status, headers, answer = node.request(
                    "POST", "/api/v1/teams/ops/notify", body, {"Idempotency-Key": f"event {number}"}
                )
            except (OSError, http.client.HTTPException) as error:
                self.odd.append(f"no answer: {error!r}")
                status = None
            if status == 201:
                self.accepted[number] = time.monotonic()
                return
            if status is not None:
                headers = {name.lower(): value for name, value in headers.items()}
                self.refused[status] += 1
                if status != 503 or "retry-after" not in headers:
                    self.odd.append(f"{status} {headers.get('retry-after')} {answer}")
            # Sooner than it was asked to, so that the gap is measured finely.
            time.sleep(0.25)

    def count_since(self, instant):
        return sum(1 for at in list(self.accepted.values()) if at > instant)

    def end(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(60)


def do(cluster, fault):
    """Carries out a fault. Returns what heals it."""
    primary = cluster.primary()
    if fault == "node":
        cluster.kill_node(primary)
        return lambda: cluster.start_node(primary)
    if fault == "postmaster":
        cluster.kill_postmaster(primary)
        return lambda: None
    if fault == "standby":
        standby = cluster.synchronous_standby()
        cluster.kill_node(standby)
        return lambda: cluster.start_node(standby)
    if fault == "switchover":
        cluster.switch_over()
        return lambda: None
    if fault == "freeze":
        thaw = cluster.freeze(primary)
        # Past its lease; and then it comes back and thinks that it is the primary.
        time.sleep(cluster.timing[0] + 18)
        thaw()
        return lambda: None
    sys.exit(f"there is no fault \"{fault}\"; there are: {', '.join(FAULTS)}")


def wait_for(what, so, seconds):
    """How long it took until it was so."""
    began = time.monotonic()
    while not so():
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.1)
    return time.monotonic() - began


def is_ready(node):
    try:
        status, _, answer = node.request("GET", "/readyz", timeout=8)
        return status == 200 and answer["engine_lag_seconds"] < 2
    except (OSError, http.client.HTTPException):
        return False


def one_round(cluster, nodes, receiver, fault, first):
    """One fault. Returns the first number that is free, and what was wrong."""
    cluster.wait_until_whole()
    load = Load(nodes, first)
    wait_for("events before the fault", lambda: len(load.accepted) > 50, 60)
    at = time.monotonic()
    heal = do(cluster, fault)
    struck = time.monotonic()
    wait_for("events after the fault", lambda: load.count_since(max(struck, time.monotonic() - 1.5)) > 20, 90)
    time.sleep(3)
    load.end()
    resumed = max(wait_for("the engine goes on", lambda: is_ready(node), 60) for node in nodes)
    ledger = set(load.accepted)

    def unpaged():
        with receiver.lock:
            return [number for number in ledger if not receiver.seen[f"event {number}"]]

    # The lease of what was being sent when its outcome could not be stored is 30 s.
    paged = wait_for("every accepted event is paged", lambda: not unpaged(), 90)
    heal()
    cluster.wait_until_whole()
    stored = {int(key): int(triggers) for key, triggers in cluster.query(
        f"SELECT dedup_key, triggers FROM alert WHERE dedup_key ~ '^[0-9]+$' AND dedup_key::bigint >= {first}"
    )}
    lost = sorted(ledger - set(stored))
    twice = sorted(number for number, triggers in stored.items() if triggers != 1)
    unknown = {int(key): int(count) for key, count in cluster.query(
        "SELECT alert.dedup_key, sum(delivery.unknown) FROM delivery JOIN alert ON alert.id = delivery.alert "
        f"WHERE dedup_key ~ '^[0-9]+$' AND alert.dedup_key::bigint >= {first} GROUP BY 1"
    )}
    with receiver.lock:
        doubled = [n for n in stored if receiver.seen[f"event {n}"] > 1 + unknown.get(n, 0)]
        again = sum(max(0, receiver.seen[f"event {n}"] - 1) for n in stored)
    times = sorted(load.accepted.values())
    gap, since = max(((after - before, before - at) for before, after in zip(times, times[1:])))
    wrong = []
    if lost:
        wrong.append(f"lost: {lost[:10]}")
    if twice:
        wrong.append(f"counted twice: {twice[:10]}")
    if doubled:
        wrong.append(f"paged twice without an unknown outcome: {doubled[:10]}")
    if load.odd:
        wrong.append(f"{len(load.odd)} refusals that are no 503 with Retry-After, such as {load.odd[0]}")
    if gap > MOST_WITHOUT_WRITES:
        wrong.append("too long without writes")
    print(
        f"{fault:<11} accepted {len(ledger)}, lost {len(lost)}, twice {len(twice)}; refused {dict(load.refused)}; "
        f"{gap:.1f} s without writes from {since:+.1f} s on; engine again {resumed:.1f} s and all paged {paged:.1f} s after "
        f"the senders ended; sent again {again}, without an unknown outcome {len(doubled)}; "
        f"{'; '.join(wrong) if wrong else 'good'}",
        flush=True,
    )
    return load.next, wrong


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    faults = sys.argv[3].split(",") if len(sys.argv) > 3 else FAULTS
    cluster, nodes, bad = Cluster(), [], 0
    log = open(os.environ.get("DOGWATCH_ROUNDS_LOG", os.devnull), "ab")
    try:
        ready = cluster.start()
        version = cluster.ask(cluster.primary()).get("patroni", {}).get("version")
        print(f"Patroni {version} over {cluster.dcs}, ready after {ready:.0f} s; ttl/loop/retry {cluster.timing}", flush=True)
        receiver = Receiver()
        nodes = [Dogwatch(program, cluster.address(), log) for _ in range(2)]
        plan = {"name": "hook", "steps": [{"notify": [f"webhook:{receiver.url}"], "after": "1h"}]}
        for path, body in [("escalation-plans", plan), ("teams", {"name": "ops", "escalation_plan": "hook"})]:
            status, _, answer = nodes[0].request("POST", f"/api/v1/{path}", body)
            assert status == 201, answer
        wait_for("both know the team", lambda: nodes[1].request("GET", "/api/v1/teams/ops")[0] == 200, 30)
        first = 1
        for turn in range(rounds):
            for fault in faults:
                print(f"{turn + 1}/{rounds} ", end="")
                first, wrong = one_round(cluster, nodes, receiver, fault, first)
                bad += bool(wrong)
    finally:
        for node in nodes:
            node.process.terminate()
        cluster.stop()
    print(f"{rounds * len(faults) - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
