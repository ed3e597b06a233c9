"""Actors, sources, collections and timelines: what has a slug and is named by events."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from service.domain.event import Input, Output
from service.domain.values import (
    ActorType,
    Edtf,
    ExternalIds,
    Id,
    Language,
    Line,
    Name,
    Names,
    Recorded,
    Revision,
    Sha256,
    Slug,
    SourceType,
    Text,
    Url,
    Visibility,
    Word,
)

Kind = Literal["actor", "source", "collection", "timeline"]

PINS_MAX = 500

StoredSelection = Annotated[
    dict[Word, Any],
    Meta(max_length=50, description="Selection parameters by name; a list where one is repeated."),
]
Pins = Annotated[list[Id], Meta(max_length=PINS_MAX)]


class ActorInput(Input, frozen=True, kw_only=True):
    """A person, organisation, group, state or office that takes part, speaks or publishes."""

    slug: Slug
    name: Name
    type: ActorType = "other"
    names: Names = {}
    aliases: Annotated[list[Name], Meta(max_length=100)] = []
    description: Text | None = None
    external_ids: ExternalIds = {}


class Actor(Output, frozen=True, kw_only=True):
    slug: Slug
    name: Name
    type: ActorType
    names: dict[str, str]
    aliases: list[Name]
    description: Text | None
    external_ids: dict[str, str]
    merged_into: Slug | None
    revision: Revision
    recorded: Recorded


class SourceInput(Input, frozen=True, kw_only=True):
    """One document where something was learned."""

    slug: Slug
    title: Name
    publisher: Annotated[Slug | None, Meta(description="The actor that published it.")] = None
    url: Url | None = None
    type: SourceType = "other"
    published: Edtf | None = None
    language: Language | None = None
    derived_from: Annotated[list[Slug], Meta(max_length=50, description="The sources on which it rests.")] = []
    archive_url: Url | None = None
    archive_sha256: Sha256 | None = None
    external_ids: ExternalIds = {}


class Source(Output, frozen=True, kw_only=True):
    slug: Slug
    title: Name
    publisher: Slug | None
    url: Url | None
    type: SourceType
    published: Edtf | None
    language: Language | None
    derived_from: list[Slug]
    archive_url: Url | None
    archive_sha256: Sha256 | None
    external_ids: dict[str, str]
    revision: Revision
    recorded: Recorded


class CollectionInput(Input, frozen=True, kw_only=True):
    """The dataset that events belong to."""

    slug: Slug
    title: Name
    description: Text | None = None
    licence: Line | None = None
    attribution: Line | None = None
    visibility: Visibility = "public"


class Collection(Output, frozen=True, kw_only=True):
    slug: Slug
    title: Name
    description: Text | None
    licence: Line | None
    attribution: Line | None
    visibility: Visibility
    revision: Revision
    recorded: Recorded


class TimelineInput(Input, frozen=True, kw_only=True):
    """A selection with a name."""

    slug: Slug
    title: Name
    description: Text | None = None
    language: Language | None = None
    selection: StoredSelection = {}
    include: Annotated[Pins, Meta(description="Events shown though the selection does not choose them.")] = []
    exclude: Annotated[Pins, Meta(description="Events left out though the selection chooses them.")] = []
    visibility: Visibility = "public"


class Timeline(Output, frozen=True, kw_only=True):
    slug: Slug
    title: Name
    description: Text | None
    language: Language | None
    selection: dict[str, Any]
    include: list[Id]
    exclude: list[Id]
    visibility: Visibility
    revision: Revision
    recorded: Recorded
