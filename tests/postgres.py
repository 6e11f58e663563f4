"""A PostgreSQL of its own for a test, from Debian's package: in a folder of its own, without a port.

It runs as the user `postgres` where the test runs as root, as it refuses to run as root.
"""

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
import time


@contextlib.contextmanager
def postgres():
    """The address of a database that nobody else uses; the server ends with the block."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))[-1]
    folder = tempfile.mkdtemp(prefix="dogwatch-pg-", dir="/tmp")
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    initdb = [f"{programs}/initdb", "-D", f"{folder}/data", "-U", "dogwatch", "--auth=trust", "--no-sync", "-E", "UTF8",
              "--locale=C"]
    subprocess.run(as_user + initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    server = subprocess.Popen(
        [*as_user, f"{programs}/postgres", "-D", f"{folder}/data", "-k", folder, "-h", "", "-c", "fsync=off"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        while subprocess.run([f"{programs}/pg_isready", "-q", "-h", folder]).returncode:
            if server.poll() is not None:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.1)
        yield f"postgres://dogwatch@{folder.replace('/', '%2F')}/postgres"
    finally:
        subprocess.run([*as_user, f"{programs}/pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop"],
                       stdout=subprocess.DEVNULL, cwd=folder)
        server.wait(timeout=20)
        shutil.rmtree(folder)
