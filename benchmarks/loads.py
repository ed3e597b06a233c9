"""Load on a server and on a database: so many requests a second, how long they take, and what processor time they cost.

HTTP is asked by `wrk`, statements by the `pgbench` that comes with the embedded PostgreSQL.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import cpu_seconds
from benchmarks.recorded import Recorded, script_of
from service.storage.programs import PROGRAMS, installed

CONNECTIONS = 16
CLIENTS = 8
"""As many as the prototype had: more of them wait for a processor and no longer add to what two can do."""
PGBENCH_WARM_SECONDS = 4.0
"""In which every client has met every script, and so has its statements prepared and planned."""


class Load(NamedTuple):
    """What came of one load. Latencies in milliseconds, processor time in microseconds per request."""

    rate: float
    p50: float
    p99: float
    cpu_service: float
    cpu_database: float


def require_wrk() -> str:
    found = shutil.which("wrk")
    if found is None:
        sys.exit("The load comes from wrk, which is not here. Debian and Ubuntu have it as a package: apt install wrk")
    return found


def ask(
    origin: str,
    addresses: Iterable[str],
    seconds: float,
    *,
    service: int,
    database: int,
    headers: Sequence[tuple[str, str]] = (),
) -> Load:
    """Asks for the addresses one after the other over as many connections as are held open, and begins again."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(addresses))
        file.flush()
        script = Path(__file__).with_name("wrk.lua")
        command = [require_wrk(), "--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds:.0f}s"]
        command += ["--timeout=10s", "--script", str(script), origin, "--", file.name]
        command += [part for header in headers for part in header]
        before = cpu_seconds(service), cpu_seconds(database)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        after = cpu_seconds(service), cpu_seconds(database)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if told["errors"] or not told["requests"]:
        sys.exit(f"{told['errors']} of {told['requests']} requests to {origin} failed:\n{done.stdout}{done.stderr}")
    requests = told["requests"]
    used = [(end - begin) / requests * 1e6 for begin, end in zip(before, after, strict=True)]
    return Load(requests / told["seconds"], told["p50"], told["p99"], *used)


def run_statements(database: "Database", recorded: Recorded, seconds: float, clients: int = CLIENTS) -> Load:
    """Runs the statements of one page after another, in any order, on as many connections as there are clients."""
    with tempfile.TemporaryDirectory(prefix="dateline-pgbench-") as folder:
        command = [str(installed()[0] / PROGRAMS / "pgbench"), "--no-vacuum", "--protocol=prepared"]
        command += [f"--client={clients}", "--jobs=2", f"--time={seconds + PGBENCH_WARM_SECONDS + 1:.0f}"]
        command += ["--log", f"--log-prefix={folder}/log", "--random-seed=2025"]
        for number, page in enumerate(recorded.pages):
            script, variables = script_of(page, f"p{number}")
            path = Path(folder, f"{number}.sql")
            path.write_text(script)
            command += [f"--file={path}", *(f"--define={name}={value}" for name, value in variables.items())]
        options = " ".join(f"-c {name}={value}" for name, value in recorded.settings.items())
        environment = os.environ | {"PGOPTIONS": options, "PGHOST": database.host, "PGPORT": database.port}
        command += [f"--username={database.user}", database.name]
        pgbench = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(PGBENCH_WARM_SECONDS)
        begin, before = time.time(), cpu_seconds(database.pid)
        time.sleep(seconds)
        end, after = time.time(), cpu_seconds(database.pid)
        said = pgbench.communicate()[0].decode(errors="replace")
        if pgbench.returncode != 0:
            sys.exit(f"pgbench failed:\n{said[-3000:]}")
        times = [took for ended, took in _logged(Path(folder)) if begin <= ended < end]
    if not times:
        sys.exit(f"pgbench did nothing in {seconds} s:\n{said[-3000:]}")
    times.sort()
    return Load(
        len(times) / (end - begin),
        statistics.median(times),
        times[len(times) * 99 // 100],
        0.0,
        (after - before) / len(times) * 1e6,
    )


class Database(NamedTuple):
    """Where pgbench finds the database, and the process below which its work is done."""

    host: str
    port: str
    user: str
    name: str
    pid: int


def _logged(folder: Path) -> Iterable[tuple[float, float]]:
    """When each transaction ended and how many milliseconds it took."""
    for path in folder.glob("log.*"):
        for line in path.read_text().splitlines():
            fields = line.split()
            yield int(fields[4]) + int(fields[5]) / 1e6, int(fields[2]) / 1000
