"""The server's protocol: what is no HTTP request is refused in the words of the rest, what was answered to the same
request before is sent at once, before a task is made for it, and what is ready goes out as one piece.
"""

from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.answers import STATE, WIRE, Answers, Packed, alias_of
from service.api.http import SHARED
from service.api.operation import PROBLEM
from service.api.problems import made

_WHOLE: Final = STATUS_LINE[200]
_UNCHANGED: Final = STATUS_LINE[304]
# A proxy that is trusted may say that the request came otherwise than it did.
_FORWARDED: Final = frozenset((b"x-forwarded-proto", b"x-forwarded-for"))


class Wire(HttpToolsProtocol):
    """The protocol of one connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._answers: Answers | None = self.app_state.get(STATE)
        self._answered = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {WIRE: {"protocol": self}}

    def on_headers_complete(self) -> None:
        self._answered = self._answer_at_once()
        if not self._answered:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self._answered:
            self.on_response_complete()
        else:
            super().on_message_complete()

    def _answer_at_once(self) -> bool:
        """Whether the answer was there and has been written: where nothing else is under way on this connection."""
        url, headers = self.url, self.headers
        if (
            self._answers is None
            or (self.cycle is not None and not self.cycle.response_complete)
            or self.flow.write_paused
            or not url.startswith(b"/")
            or b"#" in url
            or self.parser.get_http_version() != "1.1"
            or not self.parser.should_keep_alive()
            or self.parser.should_upgrade()
            or any(name in _FORWARDED for name, _ in headers)
        ):
            return False
        path, _, query = url.partition(b"?")
        read = alias_of(path, query, self.scheme or "", headers)
        self.scope["extensions"][WIRE]["read"] = read
        method = self.parser.get_method()
        found = None if read is None else self._answers.at_once(method, *read)
        if found is None:
            return False
        self._write(*found, method)
        return True

    def takes(self, scope: Any, packed: Packed, *, unchanged: bool) -> bool:
        """Whether an answer has been sent whole: head and body at once, for which the other side is woken up once.

        What has more to it is left to the server: a connection that ends, or on which another request came meanwhile.
        """
        cycle = self.cycle
        if (
            cycle.scope is not scope
            or cycle.disconnected
            or cycle.response_started
            or cycle.waiting_for_100_continue
            or not cycle.keep_alive
            or self.flow.write_paused
        ):
            return False
        self._write(packed, unchanged, scope["method"].encode())
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _write(self, packed: Packed, unchanged: bool, method: bytes) -> None:
        told = b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)
        parts = [_UNCHANGED, told, packed.unchanged] if unchanged else [_WHOLE, told, packed.head]
        if not unchanged and method == b"GET":
            parts.append(packed.body)
        self.transport.writelines(parts)

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
