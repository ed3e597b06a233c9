"""A row of a batch: the input form of an event in which actors and sources may be given whole.

A row is taken apart into what it says of the event, with slugs, and the actors and sources that came along.
"""

from types import GenericAlias
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from service.domain.event import ACTORS_MAX, CLAIMS_MAX, ClaimInput, EventInput, Input, ParticipationInput
from service.domain.resources import ActorInput, SourceInput
from service.domain.values import Slug

_MADE: Final = "which is made where the slug is unknown, and left alone where it is known."

GivenActor: Final[Any] = Annotated[Slug | ActorInput, Meta(description=f"A slug, or a whole actor, {_MADE}")]
GivenSource: Final[Any] = Annotated["Slug | BatchSource", Meta(description=f"A slug, or a whole source, {_MADE}")]
Publisher: Final[Any] = Annotated[GivenActor | None, Meta(description="The actor that published it, by slug or whole.")]
Via: Final[Any] = Annotated[
    GivenSource | None, Meta(description="The source from which this one has the claim, by slug or whole.")
]
Speakers: Final[Any] = Annotated[
    list[GivenActor], Meta(max_length=20, description="Who speaks; the first is the claim's voice.")
]
Parents: Final[Any] = Annotated[list[GivenSource], Meta(max_length=50, description="The sources on which it rests.")]


def _widened(name: str, given: type[Struct], **members: Any) -> type[Struct]:
    """An input in which these members may hold more. It stands only for what is sent, so nothing reads it as the input.

    Annotations may name what is made further down.
    """
    fields: list[Any] = []
    for field in msgspec.structs.fields(given):
        kind = members.get(field.name, field.type)
        if field.required:
            fields.append((field.name, kind))
        elif field.default_factory is msgspec.NODEFAULT:
            fields.append((field.name, kind, field.default))
        else:
            fields.append((field.name, kind, msgspec.field(default_factory=field.default_factory)))
    shape = msgspec.defstruct(name, fields, bases=(Input,), module=__name__, frozen=True, kw_only=True)
    shape.__doc__ = given.__doc__
    return shape


BatchSource = _widened("BatchSource", SourceInput, publisher=Publisher, derived_from=Parents)
BatchSource.__doc__ = "A source given whole, and in it what it names by slug or whole."
BatchParticipation = _widened("BatchParticipation", ParticipationInput, actor=GivenActor)
BatchClaim = _widened("BatchClaim", ClaimInput, source=GivenSource, via=Via, speakers=Speakers)
BatchEvent = _widened(
    "BatchEvent",
    EventInput,
    actors=Annotated[GenericAlias(list, (BatchParticipation,)), Meta(max_length=ACTORS_MAX)],
    claims=Annotated[GenericAlias(list, (BatchClaim,)), Meta(max_length=CLAIMS_MAX)],
)
BatchEvent.__doc__ = "An event as a row of a batch gives it."


Shape = Literal["event", "participation", "claim", "source", "actor"]

# What of a shape is, or is a list of, another.
_WITHIN: Final[dict[Shape, dict[str, Shape]]] = {
    "event": {"actors": "participation", "claims": "claim"},
    "participation": {"actor": "actor"},
    "claim": {"source": "source", "via": "source", "speakers": "actor"},
    "source": {"publisher": "actor", "derived_from": "source"},
    "actor": {},
}


class Whole(Struct, frozen=True):
    """An actor or source that was given whole: its input form, and where in the row it stood."""

    kind: Literal["actor", "source"]
    slug: str
    form: dict[str, Any]
    pointer: str


def parted(row: Any) -> tuple[Any, list[Whole]]:
    """A row, as JSON values, with slugs alone; and what stood in it whole, each after what stood within it.

    Parts that are not of their schema are left as they are.
    """
    wholes: list[Whole] = []
    return _parted(row, "event", "", wholes), wholes


def _parted(value: Any, shape: Shape, pointer: str, wholes: list[Whole]) -> Any:
    if isinstance(value, list):
        return [_parted(each, shape, f"{pointer}/{place}", wholes) for place, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    form = {
        name: _parted(each, _WITHIN[shape][name], f"{pointer}/{name}", wholes) if name in _WITHIN[shape] else each
        for name, each in value.items()
    }
    if (shape == "actor" or shape == "source") and isinstance(form.get("slug"), str):
        wholes.append(Whole(shape, form["slug"], form, pointer))
        return form["slug"]
    return form
