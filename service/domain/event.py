"""An event and its parts: as callers give them (…Input), as they are stored and returned, and what is kept beside."""

from typing import Annotated

from msgspec import Meta, Struct, field

from service.domain.values import (
    Attributes,
    Bound,
    Count,
    Country,
    Edtf,
    ExternalIds,
    Id,
    Key,
    Language,
    Latitude,
    Line,
    Longitude,
    Name,
    Percent,
    Phase,
    Precision,
    Recorded,
    RelationType,
    Revision,
    Slug,
    Stance,
    StandingState,
    StoredAttributes,
    StoredExternalIds,
    StoredLine,
    Text,
    Url,
    Word,
)

ACTORS_MAX = 200
CLAIMS_MAX = 200

Speakers = Annotated[list[Slug], Meta(max_length=20, description="Who speaks, the first being the claim's voice.")]
Tags = Annotated[list[Word], Meta(max_length=100, description="Words to find it by.")]
_ACTORS = Meta(max_length=ACTORS_MAX)
_CLAIMS = Meta(max_length=CLAIMS_MAX)
_RELATIONS = Meta(max_length=200)
_PLACES = Meta(max_length=50)
_MEDIA = Meta(max_length=50)


class Input(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a caller sends: unknown members are refused, members left out take their default."""


class Output(Struct, frozen=True, kw_only=True):
    """What the service returns: every member always present."""


class ParticipationInput(Input, frozen=True, kw_only=True):
    """One actor in one event, with what is said of that part."""

    actor: Slug
    role: Annotated[Word | None, Meta(description="What its part is: contributor, subject, host and so on.")] = None
    attributes: Attributes = {}


class ClaimInput(Input, frozen=True, kw_only=True):
    """What one source states about the event."""

    id: Annotated[Id | None, Meta(description="Accepted and ignored: it follows from the claim itself.")] = None
    source: Slug
    via: Annotated[Slug | None, Meta(description="The source from which this one has the claim.")] = None
    stance: Stance = "asserts"
    speakers: Speakers = []
    occurred: Annotated[Edtf | None, Meta(description="When it happened, as the source has it.")] = None
    quote: Annotated[Text | None, Meta(description="The words of the source.")] = None
    locator: Annotated[Line | None, Meta(description="Where in the source: page, time code, paragraph.")] = None
    published: Annotated[
        Edtf | None, Meta(description="When the source made it public; the source's own date where null.")
    ] = None
    confidence: Annotated[
        Percent | None, Meta(description="How sure the source is, in per cent, where it says so.")
    ] = None


class RelationInput(Input, frozen=True, kw_only=True):
    """A tie to another event, named by its key in the same collection or by its id."""

    type: RelationType
    key: Annotated[Key | None, Meta(description="Key of the other event, in the same collection.")] = None
    event: Annotated[Id | None, Meta(description="Id of the other event.")] = None


class PlaceInput(Input, frozen=True, kw_only=True):
    """Somewhere the event took place."""

    name: Annotated[Name | None, Meta(description="What it is called.")] = None
    country: Annotated[Country | None, Meta(description="The country it lies in.")] = None
    latitude: Annotated[Latitude | None, Meta(description="Degrees north; with a longitude.")] = None
    longitude: Annotated[Longitude | None, Meta(description="Degrees east; with a latitude.")] = None


class MediumInput(Input, frozen=True, kw_only=True):
    """A picture, recording or embed that shows the event."""

    url: Url
    caption: Annotated[Text | None, Meta(description="What it shows, to be read beside it.")] = None
    credit: Annotated[Line | None, Meta(description="Whose it is.")] = None
    alt: Annotated[Text | None, Meta(description="What it shows, for those who do not see it.")] = None
    licence: Annotated[Line | None, Meta(description="Under what terms it may be shown.")] = None


class EventInput(Input, frozen=True, kw_only=True):
    """An event as it is created and revised."""

    key: Annotated[Key | None, Meta(description="An identifier of your own, unique in the collection.")] = None
    collection: Annotated[Slug, Meta(description="Made along with its first event where it is main.")] = "main"
    title: Name
    summary: Annotated[Text | None, Meta(description="What happened, in a few sentences.")] = None
    language: Annotated[Language | None, Meta(description="Of title and summary.")] = None
    occurred: Annotated[
        Edtf | None, Meta(description="When it happened, as imprecise as it is known; null where it is not.")
    ] = None
    kind: Annotated[Word | None, Meta(description="What kind of happening it is, in a word of your own choice.")] = None
    phase: Phase = "happened"
    actors: Annotated[list[ParticipationInput], _ACTORS, Meta(description="Who takes part.")] = []
    claims: Annotated[list[ClaimInput], _CLAIMS, Meta(description="What each source says of it.")] = []
    relations: Annotated[list[RelationInput], _RELATIONS, Meta(description="How it is tied to other events.")] = []
    places: Annotated[list[PlaceInput], _PLACES, Meta(description="Where it happened.")] = []
    tags: Tags = []
    media: Annotated[list[MediumInput], _MEDIA, Meta(description="What shows it.")] = []
    attributes: Attributes = {}
    external_ids: ExternalIds = {}


class Occurred(Output, frozen=True, kw_only=True):
    """A date in the world: the EDTF text that is the truth, and what follows from it."""

    edtf: Edtf
    earliest: Bound | None
    latest: Bound | None
    precision: Precision
    approximate: bool
    uncertain: bool
    display: Annotated[StoredLine, Meta(description="English words for it.")]


class Participation(Output, frozen=True, kw_only=True):
    actor: Slug
    role: Word | None
    attributes: StoredAttributes


class Claim(Output, frozen=True, kw_only=True):
    id: Id
    source: Slug
    via: Slug | None
    stance: Stance
    speakers: Speakers
    occurred: Occurred | None
    quote: Text | None
    locator: Line | None
    published: Edtf | None
    confidence: Percent | None


class Standing(Output, frozen=True, kw_only=True):
    """The state of the claims seen, taken together."""

    state: StandingState
    asserting: Annotated[Count, Meta(description="Voices whose latest claim asserts.")]
    denying: Annotated[Count, Meta(description="Voices whose latest claim denies.")]
    sources: Annotated[Count, Meta(description="Sources of all claims seen.")]
    origins: Annotated[Count, Meta(description="Independent roots of the asserting claims.")]
    first_published: Edtf | None
    first_denied: Edtf | None


class Relation(Output, frozen=True, kw_only=True):
    type: RelationType
    key: Key | None
    event: Id


class Place(Output, frozen=True, kw_only=True):
    name: Name | None
    country: Country | None
    latitude: Latitude | None
    longitude: Longitude | None


class Medium(Output, frozen=True, kw_only=True):
    url: Url
    caption: Text | None
    credit: Line | None
    alt: Text | None
    licence: Line | None


class Moment(Output, frozen=True, kw_only=True):
    """A revision and its time."""

    revision: Revision
    recorded: Recorded


class Event(Output, frozen=True, kw_only=True):
    """An event as recorded at one revision and seen through the lenses of the read."""

    id: Id
    key: Key | None
    collection: Slug
    title: Name
    summary: Text | None
    language: Language | None
    occurred: Occurred | None
    kind: Word | None
    phase: Phase
    actors: Annotated[list[Participation], _ACTORS]
    claims: Annotated[list[Claim], _CLAIMS]
    standing: Standing
    relations: Annotated[list[Relation], _RELATIONS]
    places: Annotated[list[Place], _PLACES]
    tags: Tags
    media: Annotated[list[Medium], _MEDIA]
    attributes: StoredAttributes
    external_ids: StoredExternalIds
    revision: Revision
    recorded: Recorded
    created: Moment


class ClaimFacts(Struct, frozen=True, array_like=True):
    """What a claim's place among the others rests on, as its sources stood at the event's revision."""

    publisher: str | None
    reached: int | None
    """Earliest bound of its publication in Unix seconds, the smallest bigint where open; None: no date."""
    dated_by_source: bool
    """`published` was not given and is its source's."""
    roots: list[str]


class Facts(Struct, frozen=True):
    """Kept beside a document for reads through lenses and for revising it."""

    claims: list[ClaimFacts] = field(default_factory=list)
    """One entry per claim, in order."""
    reaches: list[str | None] = field(default_factory=list)
    """For each relation, in order, the collection of its target where that is another than the event's own."""
