"""Settings: one struct, read once from `DATELINE_` variables of the environment and passed down."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from service.domain.errors import nearest
from service.storage.folder import default_data_dir

PREFIX = "DATELINE_"
# Belong to the tests and to the tools around, not to the service.
NOT_OURS = frozenset(
    {
        "DATELINE_SHARED",
        "DATELINE_TESTS_ALL",
        "DATELINE_EXAMPLES",
        "DATELINE_EXAMPLES_EMBED",
        "DATELINE_EXAMPLES_LAWS",
        "DATELINE_PICTURES",
        "DATELINE_CONTRACT_EXAMPLES",
        "DATELINE_CONTRACT_SEED",
    }
)


class SettingsError(Exception):
    """A setting is misspelt or out of bounds; the text names each."""


class Settings(Struct, frozen=True, kw_only=True):
    database_url: Annotated[
        str | None, Meta(description="PostgreSQL 18 or newer to use in place of the embedded one")
    ] = None
    direct_url: Annotated[str | None, Meta(description="for migrations, where database_url goes through a pooler")] = (
        None
    )
    data_dir: Annotated[str, Meta(description="folder of the embedded PostgreSQL")] = str(default_data_dir())
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    public_url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^\s/]+\Z")] | None,
        Meta(description="origin in answers' addresses; the request's own where unset"),
    ] = None
    log_format: Literal["text", "json"] = "text"
    pool_size: Annotated[int, Meta(ge=3, le=200, description="database connections per worker")] = 10
    statement_seconds: Annotated[float, Meta(gt=0, le=600, description="longest a database statement may take")] = 10.0
    answers_bytes_max: Annotated[
        int, Meta(ge=0, le=2**33, description="bytes of answers that each worker keeps to give out again")
    ] = 2**24
    watch_file: Annotated[
        str | None,
        Meta(description="file by which services of one database on one machine tell each other of their writes"),
    ] = None
    body_bytes_max: Annotated[
        int, Meta(ge=1_024, le=64 * 2**20, description="longest body of a request, or row of a batch")
    ] = 2**20

    frame_ancestors: Annotated[
        Annotated[str, Meta(pattern=r"^(\*|'none'|'self'|https?://[^\s;,]+)( (\*|'self'|https?://[^\s;,]+))*\Z")],
        Meta(max_length=2_000, description="origins whose pages may frame embedded timelines, separated by spaces"),
    ] = "*"

    @property
    def data_path(self) -> Path:
        return Path(self.data_dir).expanduser()


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Reads the settings. Raises SettingsError naming every variable that is misspelt or out of bounds."""
    hints = get_type_hints(Settings, include_extras=True)
    given: dict[str, Any] = {}
    faults = []
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name in NOT_OURS:
            continue
        field = name.removeprefix(PREFIX).lower()
        if field not in hints:
            faults.append(f"{name} is no setting{nearest(name, [PREFIX + each.upper() for each in hints])}")
            continue
        try:
            given[field] = msgspec.convert(text, hints[field], strict=False)
        except msgspec.ValidationError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise SettingsError("\n".join(faults))
    return Settings(**given)
