#!/usr/bin/python3
"""The server against its OpenAPI document: schemathesis makes thousands of requests from it, right ones and wrong ones.

    /usr/bin/python3 tests/api/conform.py target/debug/dogwatch target/schemathesis/bin/st

Starts `dogwatch serve` itself, on a free port and with a temporary folder of its own, over SQLite and then over
PostgreSQL, and defines a small house, so that names lead somewhere. No answer may be a 5xx, or one that the document does not have: its status, its media type, its
shape. What removes things comes last. The seed is fixed; another may be given as a third argument.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres import postgres

TOKEN = "test-0123456789abcdefghijklmnop"
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance")
# Seconds for what reads and writes, and for what removes, over each store.
WRITES, REMOVES = 55, 10

HOUSE = [
    ("people", {"name": "john", "contacts": ["handset:john"]}),
    ("people", {"name": "bob", "contacts": ["handset:bob"]}),
    ("periods", {"name": "nights", "text": "monday 00:00-08:00,20:00-24:00"}),
    ("rotations", {"name": "weekly", "zone": "UTC", "members": ["john", "bob"], "every": "1w", "handoff": "monday 08:00"}),
    ("schedules", {"name": "house", "zone": "UTC", "layers": [{"rotation": "weekly"}]}),
    ("escalation-plans", {"name": "quick", "steps": [{"notify": ["all_members"], "after": "5m"}]}),
    ("teams", {"name": "ops", "members": ["john", "bob"], "schedule": "house", "escalation_plan": "quick"}),
    ("integrations", {"name": "mon", "team": "ops"}),
    ("heartbeats", {"name": "backup", "team": "ops", "every": "1h"}),
    ("people/john/leave", {"from": "2036-01-01", "until": "2036-01-02"}),
    ("silences", {"match": {"summary": "nothing"}, "for": "7d", "reason": "a test"}),
    ("maintenance-windows", {"team": "ops", "for": "1h", "reason": "a test"}),
    ("teams/ops/notify", {"summary": "disk full on db1"}),
    ("people/john/notify", {"summary": "disk full on db2"}),
    ("integrations/mon/keys", {}),
    ("integrations/mon/signing-key", {}),
    ("integrations", {"name": "sender", "team": "ops"}),
    ("integrations/sender/keys", {}),
]

# What an address names, by what comes before it. Silences and maintenance windows get their names when they are made.
NAMES = {
    "alerts": {"id": "1"},
    "people": {"name": "john", "urgency": "high"},
    "periods": {"name": "nights"},
    "rotations": {"name": "weekly"},
    "schedules": {"name": "house"},
    "escalation-plans": {"name": "quick"},
    "teams": {"name": "ops"},
    "integrations": {"name": "mon"},
    "heartbeats": {"name": "backup"},
}


def config(key):
    senders = f'"path.key" = "{key}", "path.name" = "backup"'
    text = f'[[operations]]\ninclude-path-regex = "^/integrations/"\nparameters = {{ {senders} }}\n'
    text += '[[operations]]\ninclude-path-regex = "^/v2/(alerts|heartbeats)"\n'
    text += f'headers = {{ Authorization = "GenieKey {key}" }}\nparameters = {{ "path.name" = "backup" }}\n'
    for group, names in NAMES.items():
        values = ", ".join(f'"path.{name}" = {json.dumps(value)}' for name, value in names.items())
        text += f'[[operations]]\ninclude-path-regex = "^/api/v1/{group}/"\nparameters = {{ {values} }}\n'
    return text


def conforms(program, schemathesis, seed, database):
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DOGWATCH_ADMIN_TOKEN": TOKEN, "DOGWATCH_LOG": "warn"}
        command = [program, "serve", "--listen", "127.0.0.1:0", "--database", database or f"sqlite:{folder}/d.db"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            url = next(line.split()[2] for line in server.stdout if line.startswith("listening on "))
            for path, body in HOUSE:
                headers = {"Authorization": f"Bearer {TOKEN}"}
                request = urllib.request.Request(f"{url}/api/v1/{path}", json.dumps(body).encode(), headers, method="POST")
                try:
                    with urllib.request.urlopen(request, timeout=10) as answer:
                        made = json.load(answer)
                    if path in ("silences", "maintenance-windows"):
                        NAMES[path] = {"name": made["name"]}
                    if path == "integrations/sender/keys":
                        key = made["secret"]
                except urllib.error.HTTPError as error:
                    sys.exit(f"{path}: {error.read().decode()}")
            with open(f"{folder}/schemathesis.toml", "w") as file:
                file.write(config(key))
            failed = 0
            for only, seconds in [("--exclude-method", WRITES), ("--include-method", REMOVES)]:
                ran = subprocess.run(
                    [schemathesis, "run", f"{url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {TOKEN}",
                     only, "DELETE", "--seed", seed, "--max-time", str(seconds), "--phases", "examples,coverage,fuzzing",
                     "--checks", CHECKS, "--warnings", "off"],
                    cwd=folder)
                failed |= ran.returncode != 0
        finally:
            server.terminate()
            status = server.wait(timeout=20)
    return not failed and status == 0


def main():
    program, schemathesis, seed = [*sys.argv[1:], "1"][:3]
    program, schemathesis = os.path.abspath(program), os.path.abspath(schemathesis)
    over_sqlite = conforms(program, schemathesis, seed, None)
    print("== the same over PostgreSQL", flush=True)
    with postgres() as address:
        over_postgres = conforms(program, schemathesis, seed, address)
    sys.exit(0 if over_sqlite and over_postgres else 1)


main()
