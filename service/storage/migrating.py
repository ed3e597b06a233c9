"""Brings a database to the schema of this version, and says where it stands."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.storage.pool import VERSION_MIN, UnfitDatabase

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_INSTALLED: Final = _PACKAGE / "_migrations"
# An installed wheel keeps them inside the package; a checkout at its top.
MIGRATIONS: Final = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def newest() -> str:
    """The revision of the schema that this version of the service needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise UnfitDatabase(f"No migrations were found in {MIGRATIONS}.")
    return head


async def migrate(url: str, to: str = "head") -> str | None:
    """Migrates up, or down for "base" or an older revision, in one transaction; returns the revision reached.

    Raises UnfitDatabase for a server that is too old or a schema newer than this version knows.
    """
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            reached = await connection.run_sync(_migrate, to)
            await connection.commit()
            return reached
    finally:
        await engine.dispose()


def _migrate(connection: Connection, to: str) -> str | None:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if version < VERSION_MIN:
        raise UnfitDatabase(f"The database is PostgreSQL {version}; dateline needs {VERSION_MIN} or newer.")
    config = _config()
    config.attributes["connection"] = connection
    current = current_of(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise UnfitDatabase(f"The database has schema {current}, which is newer than this version of dateline knows.")
    connection.rollback()
    if to == "head" or (current is None and to != "base"):
        command.upgrade(config, to)
    else:
        command.downgrade(config, to)
    return current_of(connection)


def current_of(connection: Connection) -> str | None:
    """The schema's revision, or None where there is none yet."""
    return MigrationContext.configure(connection).get_current_revision()
