"""What is no HTTP request, refused in the words of the rest before any operation is looked for."""

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.http import SHARED
from service.api.operation import PROBLEM
from service.api.problems import made


class Wire(HttpToolsProtocol):
    """The server's protocol, whose own refusals are problem documents."""

    def send_400_response(self, msg: str) -> None:
        """Answers what the parser cannot read, and ends the connection. msg: the parser's words for it."""
        body = msgspec.json.encode(made("malformed-request", msg))
        headers = {
            **SHARED,
            "Cache-Control": "no-store",
            "Content-Type": PROBLEM,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        told = [*self.server_state.default_headers, *((n.lower().encode(), v.encode()) for n, v in headers.items())]
        lines = b"".join(b"%s: %s\r\n" % header for header in told)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + body)
        self.transport.close()
