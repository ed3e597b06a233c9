"""Who asks, and what they may see and write. Visibility is always today's, never the past's."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from service.domain.selection import Sight
from service.domain.values import Visibility

Scope = Literal["read", "write", "admin"]


class Caller(Struct, frozen=True):
    """The holder of a key, or anyone (`name` None). collections None: no limit."""

    key: str | None = None
    name: str | None = None
    scope: Scope | None = None
    collections: frozenset[str] | None = None

    @property
    def writes(self) -> bool:
        return self.scope in ("write", "admin")

    @property
    def sees_everything(self) -> bool:
        """Whether no collection is out of the caller's sight."""
        return self.scope is not None and self.collections is None

    def reaches(self, collection: str) -> bool:
        """Whether the key is good for what is in this collection."""
        return self.scope is not None and (self.collections is None or collection in self.collections)


ANYONE = Caller()


def sight_of(caller: Caller, collections: Mapping[str, Visibility]) -> Sight:
    """What the caller may see of collections with these visibilities."""
    listed = frozenset(
        slug
        for slug, visibility in collections.items()
        if visibility == "public" or (visibility == "private" and caller.reaches(slug))
    )
    unlisted = frozenset(slug for slug, visibility in collections.items() if visibility == "unlisted")
    named = listed | unlisted
    return Sight(listed=listed, named=named, hidden=frozenset(collections) - named)
