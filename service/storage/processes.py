"""What runs: the PostgreSQL processes of one cluster, by what the kernel says of them rather than a pid file."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

PROCESSES = Path("/proc")  # Absent on macOS, where nothing found running is believed or signalled.


def short_name(data_dir: Path) -> str:
    """A name for what belongs to this folder alone, where there is no room for its path."""
    return f"dateline-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"


class PidFile(NamedTuple):
    """What a postmaster has written of itself."""

    pid: int
    socket_folder: Path
    status: str


def read_pid_file(cluster: Path) -> PidFile | None:
    """What postmaster.pid says, None without one; a file that makes no sense has process id 0."""
    try:
        lines = (cluster / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    lines += [""] * (8 - len(lines))
    pid = int(lines[0]) if lines[0].isdecimal() else 0
    return PidFile(pid, Path(lines[4]), lines[7].strip())


def processes() -> list[int]:
    """Every process id there is."""
    return [int(entry.name) for entry in PROCESSES.iterdir() if entry.name.isdecimal()]


def works_in(pid: int, cluster: Path) -> bool:
    """Whether this process is a PostgreSQL at work in this cluster."""
    process = PROCESSES / str(pid)
    try:
        try:
            program = (process / "exe").readlink().name.removesuffix(" (deleted)")
            return program == "postgres" and (process / "cwd").samefile(cluster)
        except PermissionError:
            # Root without CAP_SYS_PTRACE, as in a container, may not look at those, but at the command line:
            # the postmaster's is as we gave it, and its processes put the name of the cluster there.
            words = (process / "cmdline").read_bytes().split(b"\0")
            is_postmaster = words[0].endswith(b"/postgres") and os.fsencode(cluster) in words
            return is_postmaster or words[0].startswith(f"postgres: {short_name(cluster.parent)}: ".encode())
    except OSError:
        return False


def parent_of(pid: int) -> int | None:
    """The process id of a process's parent, None where it has ended."""
    try:
        # The second field is the program's name in brackets and may hold anything.
        return int((PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
