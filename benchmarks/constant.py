"""A server that does nothing: the service's own server and protocol, with answers that are there already.

    python -m benchmarks.constant PORT WORKERS

`/N` is answered with N bytes of JSON and the two headers that such an answer needs. What the service takes longer than
this is its own; all that is faster would be another server.
"""

import functools
import os
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

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
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.set_inheritable(True)
    listener.bind(("127.0.0.1", port))
    # As `dateline serve` has it.
    config = uvicorn.Config(
        "benchmarks.constant:app",
        http=Wire,
        workers=workers,
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
    )
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
