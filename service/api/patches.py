"""Patches as they are sent and answered: JSON Patch, and the merge patch of any input."""

from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from service.domain.diff import PATCH_MAX
from service.domain.event import Output

Pointer = Annotated[
    str,
    Meta(
        title="Pointer",
        max_length=2_000,
        pattern=r"^(/([^\u0000-\u001f\u007f-\u009f~/]|~[01])*)*\Z",
        description="JSON Pointer (RFC 6901).",
    ),
]


class Step(Struct, frozen=True, kw_only=True, tag_field="op"):
    """One operation of a JSON Patch; members that it does not know are ignored, as RFC 6902 has it."""

    path: Pointer


class AddStep(Step, frozen=True, kw_only=True, tag="add"):
    """Puts a value there: into a list before what stands there, into an object in place of it."""

    value: Any


class RemoveStep(Step, frozen=True, kw_only=True, tag="remove"):
    """Takes away what is there."""


class ReplaceStep(Step, frozen=True, kw_only=True, tag="replace"):
    """Puts a value in place of what is there."""

    value: Any


class MoveStep(Step, frozen=True, kw_only=True, tag="move"):
    """Takes away what is at `from` and puts it there."""

    from_: Pointer = msgspec.field(name="from")


class CopyStep(Step, frozen=True, kw_only=True, tag="copy"):
    """Puts there what is at `from`."""

    from_: Pointer = msgspec.field(name="from")


class TestStep(Step, frozen=True, kw_only=True, tag="test"):
    """Refuses the patch unless the value is what is there."""

    value: Any


JsonPatch = Annotated[
    list[AddStep | RemoveStep | ReplaceStep | MoveStep | CopyStep | TestStep],
    Meta(title="JsonPatch", max_length=200, description="JSON Patch (RFC 6902)."),
]


class Addition(Output, frozen=True, kw_only=True, tag_field="op", tag="add"):
    """A value is put there: into a list before what stands there, or as a new member."""

    path: Pointer
    value: Any


class Removal(Output, frozen=True, kw_only=True, tag_field="op", tag="remove"):
    """What is there is taken away."""

    path: Pointer


class Replacement(Output, frozen=True, kw_only=True, tag_field="op", tag="replace"):
    """A value is put in place of what is there."""

    path: Pointer
    value: Any


# What the service's own patches are made of.
PatchOperations = Annotated[
    list[Addition | Removal | Replacement], Meta(max_length=PATCH_MAX, description="JSON Patch (RFC 6902).")
]


def patch_shape(name: str, given: type[Struct]) -> type[Struct]:
    """The merge patch of an input: every member may be left out, and null takes one away."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(given):
        kind = _patched_map(field.type)
        kind = kind | UnsetType if field.required else kind | None | UnsetType
        fields.append((field.name, kind, UNSET))
    shape = msgspec.defstruct(name, fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
    shape.__doc__ = f"Merge patch (RFC 7396) of {given.__name__}: what is left out stays, null takes a member away."
    return shape


def _patched_map(kind: Any) -> Any:
    """Of a map, null takes an entry away; anything else is replaced whole."""
    of, *metas = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if get_origin(of) is not dict:
        return kind
    key, value = get_args(of)
    meta = metas[0]
    title = f"{meta.title}Patch"
    told = Meta(title=title, max_length=meta.max_length, description=f"{meta.description} Null takes an entry away.")
    return Annotated[GenericAlias(dict, (key, value if value is Any else value | None)), told]
