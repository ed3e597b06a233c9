"""A server that does nothing: the service's own server and protocol, with answers that are there already.

    python -m benchmarks.constant PORT WORKERS

`/N` is answered with N bytes of JSON and the two headers that such an answer needs. What the service takes longer than
this is its own; all that is faster would be another server.
"""

import functools
import sys
from typing import Any

from benchmarks.serving import serve
from service.api.wire import Wire


@functools.cache
def body_of(path: str) -> bytes:
    """A JSON string of as many bytes as the path says."""
    return b'"' + b"x" * (int(path[1:]) - 2) + b'"'


async def app(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body = body_of(scope["path"])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    port, workers = map(int, sys.argv[1:])
    serve("benchmarks.constant:app", port, workers, http=Wire, lifespan="off")


if __name__ == "__main__":
    main()
