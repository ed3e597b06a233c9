"""The component's files as they were built (service/embed): each under the name of what is in it, for ever."""

import hashlib
import json
from base64 import b64encode
from pathlib import Path
from typing import Final

from service import embed
from service.api import replies
from service.api.operation import Answer, Call, Operation, Reply
from service.domain.errors import NotFound
from service.domain.parameters import Parameter

SCRIPT: Final = "text/javascript"
FOR_EVER: Final = "public, max-age=31536000, immutable"
AN_HOUR: Final = "public, max-age=3600, stale-while-revalidate=86400"

_BUILT: Final = Path(embed.__file__).parent / "dist"
NAMES: Final[dict[str, str]] = json.loads((_BUILT / "files.json").read_text(encoding="utf-8"))
"""The name that each file has now, by the one that it always has."""
_BODIES: Final = {name: (_BUILT / name).read_bytes() for name in NAMES.values()}

CORE: Final = NAMES["event-timeline.js"]
# Any page may load them, also one that lets in nothing from elsewhere by default.
HEADERS: Final = {"Cross-Origin-Resource-Policy": "cross-origin"}

FILE: Final = Parameter(
    name="file",
    schema={"type": "string", "pattern": r"^[a-z0-9-]{1,100}\.js\Z", "maxLength": 103},
    example="event-timeline.js",
    description="`event-timeline.js`, or a file by the name that it has for ever.",
)


def integrity_of(name: str) -> str:
    """What a page writes beside the address of a file, so that no other is run."""
    return "sha384-" + b64encode(hashlib.sha384(_BODIES[name]).digest()).decode()


async def read_file(call: Call) -> Reply:
    wanted = call.place["file"]
    name = NAMES.get(wanted, wanted)
    body = _BODIES.get(name)
    if body is None:
        raise NotFound(f"There is no file {wanted}.")
    return Reply(200, body, SCRIPT, headers=HEADERS, kept=FOR_EVER if name == wanted else AN_HOUR)


OPERATIONS: Final = (
    Operation(
        id="readEmbedFile",
        method="GET",
        path="/embed/{file}",
        tag="embedding",
        summary="Load the component",
        description=(
            "`/embed/event-timeline.js` is what a page loads as a module: it defines `<event-timeline>`, which loads "
            "its parts from beside itself once they are used. Under the name of what is in it, a file may be kept "
            "for ever."
        ),
        place=(FILE,),
        run=read_file,
        answers=(Answer(200, "A JavaScript module.", {SCRIPT: None}, replies.TAGGED),),
        problems=("not-found",),
    ),
)
