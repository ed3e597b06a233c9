"""What processes have used, from /proc: processor time of a process and all below it, and the memory of workers."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICK = 1 / os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Megabytes: what is resident now, the most that ever was, and the share of it that is of this process alone."""

    now: float
    most: float
    own: float


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for entry in PROC.iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))) is not None:
            yield int(entry.name), int(fields[1])


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/…/stat behind the name, which may hold anything."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None


def cpu_seconds(root: int) -> float:
    """Processor time of a process and all below it, those included that have ended and been waited for."""
    ticks = 0
    for pid in tree(root):
        fields = _stat(pid)
        if fields is not None:
            ticks += sum(map(int, fields[11:15] if pid == root else fields[11:13]))
    return ticks * TICK


def memory_of(pid: int) -> Memory:
    told = dict(line.split(":", 1) for line in (PROC / str(pid) / "status").read_text().splitlines() if ":" in line)
    roll = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    own = sum(int(line.split()[1]) for line in roll if line.startswith("Pss:"))
    return Memory(_megabytes(told["VmRSS"]), _megabytes(told["VmHWM"]), own / 1024)


def _megabytes(kilobytes: str) -> float:
    return int(kilobytes.split()[0]) / 1024


def workers_of(root: int) -> list[int]:
    """The processes that serve: those that the root has spawned for it, or the root itself."""
    spawned = [pid for pid in tree(root)[1:] if b"spawn_main" in (PROC / str(pid) / "cmdline").read_bytes()]
    return spawned or [root]
