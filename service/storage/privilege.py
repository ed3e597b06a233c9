"""Run a program as an unprivileged account, tied to the life of the process that asked for it.

The file is used twice. Imported, it chooses the account and builds the command (`unprivileged_account`,
`command_as`). Run as a script by that command, it drops privileges, asks the kernel to signal it when its
parent dies and becomes the program, keeping its process id. The detour through a fresh interpreter keeps
every such step out of the window between fork and exec of a process that has threads.
"""

import os
import pwd
import signal
import sys

try:
    import ctypes
except ImportError:  # An interpreter built without libffi: no death signal, as on macOS.
    ctypes = None  # type: ignore[assignment]

EXIT_BARRED = 77
"""Exit status when the account cannot enter the folder; the folder that bars it is the last line printed."""

_PR_SET_PDEATHSIG = 1


class NoAccountError(LookupError):
    """No account of the operating system can be used; str() says which was looked for."""


def account_of(uid: int) -> pwd.struct_passwd:
    """The account with this user id. PostgreSQL looks its own up by name, so an id alone does not do."""
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise NoAccountError(f"user id {uid} has no account on this system") from None


def unprivileged_account(owner_uid: int) -> pwd.struct_passwd:
    """The account PostgreSQL runs as: ours; or, as root, the owner of the data, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return account_of(os.geteuid())
    if owner_uid != 0:
        return account_of(owner_uid)
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoAccountError("PostgreSQL does not run as root, and there is no account `postgres` or `nobody`")


def command_as(
    account: pwd.struct_passwd, folder: str | os.PathLike[str], death: signal.Signals, program: list[str]
) -> list[str]:
    """The command line that runs `program` as `account` in `folder`.

    The program gets the signal `death` when the thread that starts this command ends (Linux; elsewhere it
    is on its own), so start it from a thread that lives as long as the process.
    """
    launcher = [sys.executable, "-I", "-S", os.path.abspath(__file__)]  # noqa: PTH100 (pathlib is slow to load)
    return [*launcher, account.pw_name, str(os.getpid()), str(int(death)), os.fspath(folder), *program]


def _become(name: str) -> None:
    account = pwd.getpwnam(name)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _barring_folder(path: str) -> str:
    """The outermost folder on the way to and including `path` that this process cannot enter."""
    folder = path
    while folder != "/" and not os.access(os.path.dirname(folder), os.X_OK):  # noqa: PTH120
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder


def _main(arguments: list[str]) -> None:
    name, parent, death, folder, *program = arguments
    if os.geteuid() == 0:
        _become(name)
    os.umask(0o077)
    # A shell starts background jobs with SIGINT ignored; it is how PostgreSQL is told to stop.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # A change of user clears the death signal, so it is asked for after that. Where there is no prctl
    # (macOS), a server outlives a parent killed with -9; the next start finds it through its pid file.
    if ctypes is not None and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)
    if os.getppid() != int(parent):  # It died before the request took hold.
        sys.exit(1)
    try:
        os.chdir(folder)
    except PermissionError:
        sys.stderr.write(_barring_folder(folder))
        sys.exit(EXIT_BARRED)
    os.execv(program[0], program)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    _main(sys.argv[1:])
