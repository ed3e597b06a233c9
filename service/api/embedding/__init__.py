"""Timelines in other pages: the component's files, pages to be framed, who is told of them, and where to begin."""

from typing import Final

from service.api.embedding import builder, files, frames, front, oembed
from service.api.operation import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *front.OPERATIONS,
    *builder.OPERATIONS,
    *frames.OPERATIONS,
    *files.OPERATIONS,
    *oembed.OPERATIONS,
)

__all__ = ["OPERATIONS"]
