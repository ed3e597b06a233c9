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
    StoredExternalIds,
    StoredNames,
    Text,
    Url,
    Visibility,
    Word,
)
from service.domain.words import folded, indexed, words_of

Kind = Literal["actor", "source", "collection", "timeline"]

PINS_MAX = 500

PINS_KEPT_MAX = 10_000
"""Pins of one kind in all, with those that whoever wrote last does not see."""

# What they may hold is known to the parameters; the document says it whole.
StoredSelection = Annotated[
    dict[Word, Any],
    Meta(
        title="StoredSelection",
        max_length=50,
        description="Selection parameters by name; a list where one is repeated.",
    ),
]
ShownSelection = Annotated[dict[Word, Any], Meta(title="ShownSelection", max_length=50)]
Pins = Annotated[list[Id], Meta(max_length=PINS_MAX)]
KeptPins = Annotated[list[Id], Meta(max_length=PINS_KEPT_MAX)]
Aliases = Annotated[list[Name], Meta(max_length=100, description="Other names that it goes by.")]
DerivedFrom = Annotated[list[Slug], Meta(max_length=50, description="The sources on which it rests.")]


class ActorInput(Input, frozen=True, kw_only=True):
    """A person, organisation, group, state or office that takes part, speaks or publishes."""

    slug: Slug
    name: Name
    type: ActorType = "other"
    names: Names = {}
    aliases: Aliases = []
    description: Annotated[Text | None, Meta(description="Who or what it is.")] = None
    external_ids: ExternalIds = {}


class Actor(Output, frozen=True, kw_only=True):
    slug: Slug
    name: Name
    type: ActorType
    names: StoredNames
    aliases: Aliases
    description: Text | None
    external_ids: StoredExternalIds
    merged_into: Annotated[Slug | None, Meta(description="The actor that it stands for, once merged.")]
    revision: Revision
    recorded: Recorded


class SourceInput(Input, frozen=True, kw_only=True):
    """One document where something was learned."""

    slug: Slug
    title: Name
    publisher: Annotated[Slug | None, Meta(description="The actor that published it.")] = None
    url: Annotated[Url | None, Meta(description="Where it is found.")] = None
    type: SourceType = "other"
    published: Annotated[Edtf | None, Meta(description="When it was made public.")] = None
    language: Annotated[Language | None, Meta(description="That it is in.")] = None
    derived_from: DerivedFrom = []
    archive_url: Annotated[Url | None, Meta(description="Where a copy is kept.")] = None
    archive_sha256: Annotated[Sha256 | None, Meta(description="Digest of the copy.")] = None
    external_ids: ExternalIds = {}


class Source(Output, frozen=True, kw_only=True):
    slug: Slug
    title: Name
    publisher: Slug | None
    url: Url | None
    type: SourceType
    published: Edtf | None
    language: Language | None
    derived_from: DerivedFrom
    archive_url: Url | None
    archive_sha256: Sha256 | None
    external_ids: StoredExternalIds
    revision: Revision
    recorded: Recorded


class CollectionInput(Input, frozen=True, kw_only=True):
    """The dataset that events belong to."""

    slug: Slug
    title: Name
    description: Annotated[Text | None, Meta(description="What it holds, and how it was made.")] = None
    licence: Annotated[Line | None, Meta(description="Under what terms it may be used.")] = None
    attribution: Annotated[Line | None, Meta(description="Whom to name.")] = None
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
    description: Annotated[Text | None, Meta(description="What it tells.")] = None
    language: Annotated[Language | None, Meta(description="Of title and description.")] = None
    selection: StoredSelection = {}
    include: Annotated[Pins, Meta(description="Events shown though the selection does not choose them.")] = []
    exclude: Annotated[Pins, Meta(description="Events left out though the selection chooses them.")] = []
    visibility: Visibility = "public"


class Timeline(Output, frozen=True, kw_only=True):
    slug: Slug
    title: Name
    description: Text | None
    language: Language | None
    selection: ShownSelection
    include: KeptPins
    exclude: KeptPins
    visibility: Visibility
    revision: Revision
    recorded: Recorded


Resource = Actor | Source | Collection | Timeline


def names_of(actor: Actor) -> list[str]:
    """All that an actor is called."""
    return [actor.name, *actor.names.values(), *actor.aliases]


def name_words(resource: Resource) -> frozenset[str]:
    """The words by which an actor's names are found; other resources are found by none."""
    if not isinstance(resource, Actor):
        return frozenset()
    return frozenset(indexed(word) for name in names_of(resource) for word in words_of(name))


def searchable(resource: Resource) -> str:
    """What the lists' `q` looks into: the words by which people know the thing, folded."""
    told = names_of(resource) if isinstance(resource, Actor) else [resource.title]
    return folded("\n".join([resource.slug, *told]))
