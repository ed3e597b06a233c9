"""Requests that nobody should send, as raw bytes: each is refused in words, and the service lives on."""

import http.client
import io
import json
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.conftest import ROOT, Live, new_folder, served
from tests.contract.conformance import Contract

JSON = "application/json"
MERGE = "application/merge-patch+json"
STEPS = "application/json-patch+json"
NOBODY = "00000000-0000-0000-0000-000000000000"


class Case(NamedTuple):
    name: str
    request: bytes
    status: int
    problem: str | None = None


def raw(method: str, target: str | bytes, *headers: str | bytes, body: bytes = b"", host: bool = True) -> bytes:
    """A request as it goes over the wire; KEY stands for the key, and a body has its length unless a header says so."""
    lines: list[str | bytes] = ["Host: localhost"] if host else []
    lines += ["Connection: close", *headers]
    if body and not any(str(line).lower().lstrip("b'").startswith(("content-length", "transfer")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    target = target if isinstance(target, bytes) else target.encode()
    head = [b"%s %s HTTP/1.1" % (method.encode(), target), *(x if isinstance(x, bytes) else x.encode() for x in lines)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


KEYED = "Authorization: Bearer KEY"


def get(target: str | bytes, *headers: str | bytes) -> bytes:
    return raw("GET", target, KEYED, *headers)


def post(body: bytes, *headers: str | bytes, target: str = "/v1/events") -> bytes:
    return raw("POST", target, KEYED, f"Content-Type: {JSON}", *headers, body=body)


def patch(media_type: str, body: bytes, *headers: str | bytes) -> bytes:
    return raw("PATCH", "/v1/actors/kfor", KEYED, f"Content-Type: {media_type}", *headers, body=body)


def attribute(value: bytes) -> bytes:
    """An event with this as free JSON."""
    return post(b'{"title":"a","attributes":{"a":' + value + b"}}")


def event(member: bytes) -> bytes:
    return post(b'{"title":"a",' + member + b"}")


def step(step: bytes) -> bytes:
    return patch(STEPS, b"[" + step + b"]", "If-Match: *")


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


MALFORMED, PARAMETER, VALUE = "malformed-request", "invalid-parameter", "refused-parameter"
BODY, REFUSED, TYPE = "invalid-body", "refused", "unsupported-media-type"
NOWHERE, METHOD, STRANGER = "not-found", "method-not-allowed", "unauthenticated"

ADDRESSES = [
    Case("a slash at the end", get("/v1/events/"), 404, NOWHERE),
    Case("a slash twice", get("/v1//events"), 404, NOWHERE),
    Case("two slashes at the beginning", get("//v1/events"), 404, NOWHERE),
    Case("a slash escaped", get("/v1%2Fevents"), 404, NOWHERE),
    Case("a slash escaped in a slug", get("/v1/actors/a%2Fb"), 404, NOWHERE),
    Case("up and out", get("/v1/actors/..%2f..%2f..%2fetc%2fpasswd"), 404, NOWHERE),
    Case("dots", get("/v1/../v1/events"), 404, NOWHERE),
    Case("dots escaped", get("/v1/%2e%2e/docs"), 404, NOWHERE),
    Case("NUL", get("/v1/actors/%00"), 404, NOWHERE),
    Case("a line break", get("/v1/actors/kfor%0d%0aSet-Cookie:%20a"), 404, NOWHERE),
    Case("a space at the end", get("/v1/actors/kfor%20"), 404, NOWHERE),
    Case("no UTF-8", get("/v1/actors/%ff%fe"), 404, NOWHERE),
    Case("text turned round", get("/v1/actors/%E2%80%AErofk"), 404, NOWHERE),
    Case("a template", get("/v1/actors/{slug}"), 404, NOWHERE),
    Case("a matrix parameter", get("/v1/actors/kfor;a=1"), 404, NOWHERE),
    Case("capitals", get("/v1/actors/KFOR"), 404, NOWHERE),
    Case("a slug too long", get("/v1/actors/" + "a" * 81), 404, NOWHERE),
    Case("a slug of 5,000", get("/v1/actors/" + "a" * 5_000), 404, NOWHERE),
    Case("no UUID", get("/v1/events/1"), 404, NOWHERE),
    Case("a UUID in capitals", get("/v1/events/" + NOBODY.replace("0", "A")), 404, NOWHERE),
    Case("nobody's id", get(f"/v1/events/{NOBODY}"), 404, NOWHERE),
    Case("nobody's history", get(f"/v1/events/{NOBODY}/history"), 404, NOWHERE),
    Case("revision 0", get("/v1/revisions/0"), 404, NOWHERE),
    Case("a negative revision", get("/v1/revisions/-1"), 404, NOWHERE),
    Case("a broken revision", get("/v1/revisions/1.0"), 404, NOWHERE),
    Case("a revision with its sign", get("/v1/revisions/%2B1"), 404, NOWHERE),
    Case("the last revision of all", get("/v1/revisions/9223372036854775807"), 404, NOWHERE),
    Case("a revision beyond 64 bits", get("/v1/revisions/9223372036854775808"), 404, NOWHERE),
    Case("no kind of problem", get("/problems/nope"), 404, NOWHERE),
    Case("what others have", get("/.env"), 404, NOWHERE),
    Case("another's icon", get("/favicon.ico"), 404, NOWHERE),
]

METHODS = [
    Case("PUT", raw("PUT", "/v1/events", KEYED, body=b"{}"), 405, METHOD),
    Case("TRACE", raw("TRACE", "/v1/events"), 405, METHOD),
    Case("DELETE of a list", raw("DELETE", "/v1/events", KEYED), 405, METHOD),
    Case("POST to one", raw("POST", "/v1/actors/kfor", KEYED, body=b"{}"), 405, METHOD),
    Case("PATCH of the log", raw("PATCH", "/v1/revisions/1", KEYED, body=b"{}"), 405, METHOD),
    Case("POST to a diff", raw("POST", "/v1/diff", KEYED, body=b"{}"), 405, METHOD),
    Case("PUT to nowhere", raw("PUT", "/nowhere", KEYED, body=b"{}"), 404, NOWHERE),
    Case("OPTIONS of nowhere", raw("OPTIONS", "/nowhere"), 404, NOWHERE),
    Case("HEAD of nowhere", raw("HEAD", "/nowhere"), 404),
    Case("HEAD of a list", raw("HEAD", "/v1/events"), 200),
    Case("HEAD of a page", raw("HEAD", "/docs"), 200),
]

QUERIES = [
    Case(f"?{query[:60]}", get(b"/v1/events?" + query.encode()), status, problem)
    for query, status, problem in (
        ("limt=1", 400, PARAMETER),
        ("LIMIT=1", 400, PARAMETER),
        ("fields=titel", 400, PARAMETER),
        ("__proto__=1", 400, PARAMETER),
        ("=1", 400, PARAMETER),
        ("limit", 400, PARAMETER),
        ("limit=", 400, PARAMETER),
        ("limit=0", 400, PARAMETER),
        ("limit=501", 400, PARAMETER),
        ("limit=1.5", 400, PARAMETER),
        ("limit=+1", 400, PARAMETER),
        ("limit=1%00", 400, PARAMETER),
        ("limit=%D9%A1", 400, PARAMETER),
        ("limit=0x10", 400, PARAMETER),
        ("limit=1e2", 400, PARAMETER),
        ("limit=99999999999999999999", 400, PARAMETER),
        ("limit=1&limit=1", 400, PARAMETER),
        ("limit=1;order=asc", 400, PARAMETER),
        ("limit=1%26order=asc", 400, PARAMETER),
        ("order=up", 400, PARAMETER),
        ("include=everything", 400, PARAMETER),
        ("revision=-1", 400, PARAMETER),
        ("revision=9223372036854775808", 400, PARAMETER),
        ("revision=9223372036854775807", 400, VALUE),
        ("as_of=2025", 400, PARAMETER),
        ("as_of=2025-02-30T00:00:00Z", 400, VALUE),
        ("as_of=0001-01-01T00:00:00%2B23:59", 400, VALUE),
        ("as_of=2025-02-20T00:00:00Z&revision=1", 400, VALUE),
        ("from=", 400, PARAMETER),
        ("from=2025-02-30", 400, VALUE),
        ("from=1999/2000", 400, VALUE),
        ("from=[1999,2000]", 400, VALUE),
        ("from=2025&to=2024", 400, VALUE),
        ("from=Y-200000000001", 400, VALUE),
        ("from=" + "9" * 256, 400, VALUE),
        ("from=" + "9" * 257, 400, PARAMETER),
        ("known_at=yesterday", 400, VALUE),
        ("actor=NATO", 400, PARAMETER),
        ("actor=" + "a" * 81, 400, PARAMETER),
        ("actor=%00", 400, PARAMETER),
        ("actor=%ff", 400, MALFORMED),
        ("actor=%ed%a0%80", 400, MALFORMED),
        ("actor=%c0%af", 400, MALFORMED),
        ("actor='%20OR%201=1--", 400, PARAMETER),
        ("%ff=1", 400, MALFORMED),
        ("tag=%20a", 400, PARAMETER),
        ("tag=a%0Ab", 400, PARAMETER),
        ("tag=" + "%F0%9F%98%80" * 81, 400, PARAMETER),
        ("key=" + "a" * 201, 400, PARAMETER),
        ("id=1", 400, PARAMETER),
        ("timeline=nope", 404, NOWHERE),
        ("cursor=x", 400, VALUE),
        ("cursor=!", 400, PARAMETER),
        ("cursor=" + "A" * 200, 400, VALUE),
        ("cursor=" + "A" * 201, 400, PARAMETER),
        ("cursor=k6FhAJEB", 400, VALUE),
        ("&".join(["actor=a"] * 101), 400, PARAMETER),
        ("&".join(f"tag{n}=a" for n in range(1_001)), 400, PARAMETER),
        ("key=" + "a" * 17_000, 400, PARAMETER),
        ("%", 400, PARAMETER),
        ("%zz=1", 400, PARAMETER),
        ("&&&limit=1&&", 200, None),
        ("%6Cimit=%31", 200, None),
        ("tag=" + "%F0%9F%98%80" * 80, 200, None),
    )
] + [
    Case("a side's side", get("/v1/diff?base_base_revision=1"), 400, PARAMETER),
    Case("a side's limit", get("/v1/diff?head_limit=1"), 400, PARAMETER),
    Case("a side's future", get("/v1/diff?base_revision=99999"), 400, VALUE),
    Case("another's cursor", get("/v1/diff?cursor=k6FhAJEB"), 400, VALUE),
]

HEADERS = [
    Case("not what is asked for", get("/v1", "Accept: text/html"), 406, "not-acceptable"),
    Case("anything but", get("/v1", "Accept: application/json;q=0"), 406, "not-acceptable"),
    Case("a quality that is none", get("/v1", "Accept: application/json;q=nan"), 406, "not-acceptable"),
    Case("nothing that can be read", get("/v1", "Accept: ;;;,,,"), 406, "not-acceptable"),
    Case("no text of ours", get("/v1", b"Accept: \xff"), 400, MALFORMED),
    Case("one after another", get("/v1", "Accept: text/html", "Accept: */*;q=0.1"), 200),
    Case("what nobody reads", get("/v1", b"X-Other: \xff\xfe", b"User-Agent: caf\xe9"), 200),
    Case("headers without end", get("/v1", *(f"X-{n}: {'a' * 1_000}" for n in range(70))), 400, MALFORMED),
    Case("a host that is none", raw("GET", "/v1/events", 'Host: a"><script>', host=False), 400, MALFORMED),
    Case("a tag list too long", get("/v1", "If-None-Match: " + '"a",' * 1_500), 400, PARAMETER),
    Case("Basic", raw("GET", "/v1", "Authorization: Basic a2V5OmtleQ=="), 401, STRANGER),
    Case("no key", raw("GET", "/v1", "Authorization: Bearer"), 401, STRANGER),
    Case("somebody's key", raw("GET", "/v1", "Authorization: Bearer dl_0123456789abcdef_a"), 401, STRANGER),
    Case("a key without end", raw("GET", "/v1", "Authorization: Bearer " + "a" * 20_000), 401, STRANGER),
    Case("a key of letters", raw("GET", "/v1", "Authorization: Bearer é"), 401, STRANGER),
    Case("two keys", get("/v1", KEYED), 400, MALFORMED),
    Case("a write without a key", raw("POST", "/v1/events", f"Content-Type: {JSON}", body=b"{}"), 401, STRANGER),
    Case("no condition", patch(MERGE, b"{}"), 428, "precondition-required"),
    Case("a condition that is none", patch(MERGE, b"{}", "If-Match: 1"), 400, PARAMETER),
    Case("an empty condition", patch(MERGE, b"{}", "If-Match: "), 400, PARAMETER),
    Case("a star among tags", patch(MERGE, b"{}", 'If-Match: "a", *'), 400, PARAMETER),
    Case("a weak tag", patch(MERGE, b"{}", 'If-Match: W/"1-a"'), 412, "stale"),
    Case("another's tag", patch(MERGE, b"{}", 'If-Match: "99999-a", "b"'), 412, "stale"),
    Case("a cause that is none", patch(MERGE, b"{}", "If-Match: *", "Revision-Cause: whim"), 400, PARAMETER),
    Case("two causes", patch(MERGE, b"{}", *["Revision-Cause: import"] * 2, "If-Match: *"), 400, MALFORMED),
    Case("a message too long", patch(MERGE, b"{}", "If-Match: *", "Revision-Message: " + "a" * 501), 400, PARAMETER),
    Case("a message in Latin-1", patch(MERGE, b"{}", "If-Match: *", b"Revision-Message: \xe9"), 400, MALFORMED),
    Case("a key that is empty", post(b'{"title":"a"}', "Idempotency-Key: "), 400, PARAMETER),
    Case("a key with a space", post(b'{"title":"a"}', "Idempotency-Key: a b"), 400, PARAMETER),
    Case("a key too long", post(b'{"title":"a"}', "Idempotency-Key: " + "a" * 256), 400, PARAMETER),
    Case("two keys for one", post(b'{"title":"a"}', *["Idempotency-Key: a"] * 2), 400, MALFORMED),
]

FRAMES = [
    Case("no type", raw("POST", "/v1/events", KEYED, body=b"{}"), 415, TYPE),
    Case("text", raw("POST", "/v1/events", KEYED, "Content-Type: text/plain", body=b"{}"), 415, TYPE),
    Case("a form", raw("POST", "/v1/events", KEYED, "Content-Type: multipart/form-data", body=b"{}"), 415, TYPE),
    Case("a type that is none", raw("POST", "/v1/events", KEYED, "Content-Type: ;;;", body=b"{}"), 415, TYPE),
    Case("Latin-1", raw("POST", "/v1/events", KEYED, f"Content-Type: {JSON};charset=latin-1", body=b"{}"), 415, TYPE),
    Case("two types", post(b"{}", "Content-Type: text/plain"), 400, MALFORMED),
    Case("compressed", post(b"{}", "Content-Encoding: gzip"), 415, TYPE),
    Case("a patch to create", raw("POST", "/v1/events", KEYED, f"Content-Type: {MERGE}", body=b"{}"), 415, TYPE),
    Case("JSON to patch", patch(JSON, b"{}", "If-Match: *"), 415, TYPE),
    Case("no body", post(b""), 400, MALFORMED),
    Case("no body to patch", patch(MERGE, b"", "If-Match: *"), 400, MALFORMED),
    Case("a length beyond all", post(b"{}", "Content-Length: 99999999999"), 413, "too-large"),
    Case("too long", post(b'{"title":"' + b"a" * 1_100_000 + b'"}'), 413, "too-large"),
    Case("in chunks", post(chunks(b'{"ti', b'tle":5}'), "Transfer-Encoding: chunked"), 422, BODY),
    Case("in chunks without end", post(chunks(*[b" " * 65_536] * 17), "Transfer-Encoding: chunked"), 413, "too-large"),
    Case("a body where none is", raw("GET", "/v1", f"Content-Type: {JSON}", body=b"{}"), 200),
]

TEXTS = [
    Case("a space", post(b" "), 400, MALFORMED),
    Case("a byte order mark", post(b'\xef\xbb\xbf{"title":"a"}'), 400, MALFORMED),
    Case("UTF-16", post('{"title":"a"}'.encode("utf-16")), 400, MALFORMED),
    Case("Latin-1 within", post(b'{"title":"\xe9"}'), 400, MALFORMED),
    Case("a slash too long", post(b'{"title":"\xc0\xaf"}'), 400, MALFORMED),
    Case("half a pair in UTF-8", post(b'{"title":"\xed\xa0\x80"}'), 400, MALFORMED),
    Case("half a pair escaped", post(b'{"title":"\\ud800"}'), 400, MALFORMED),
    Case("half a pair as a name", attribute(b'{"\\udc00":1}'), 400, MALFORMED),
    Case("NUL escaped", post(b'{"title":"a\\u0000"}'), 400, MALFORMED),
    Case("NUL", post(b'{"title":"a\x00"}'), 400, MALFORMED),
    Case("a control character", post(b'{"title":"a\x01"}'), 400, MALFORMED),
    Case("a control character escaped", attribute(b'"\\u0001"'), 422, BODY),
    Case("a control character as a name", attribute(b'{"\\u0007":1}'), 422, BODY),
    Case("a line break in a title", post(b'{"title":"a\\nb"}'), 422, BODY),
    Case("a member twice", post(b'{"title":"a","title":"b"}'), 400, MALFORMED),
    Case("a member twice, once escaped", post(b'{"title":"a","\\u0074itle":"b"}'), 400, MALFORMED),
    Case("a member twice within", attribute(b'{"x":1,"x":1}'), 400, MALFORMED),
    Case("NaN", attribute(b"NaN"), 400, MALFORMED),
    Case("Infinity", attribute(b"-Infinity"), 400, MALFORMED),
    Case("beyond doubles", attribute(b"1e400"), 400, MALFORMED),
    Case("beyond 64 bits", attribute(b"9223372036854775808"), 400, MALFORMED),
    Case("beyond 64 bits, broken", attribute(b"1e19"), 400, MALFORMED),
    Case("100,000 digits", attribute(b"9" * 100_000), 400, MALFORMED),
    Case("a zero before", attribute(b"01"), 400, MALFORMED),
    Case("hexadecimal", attribute(b"0x1"), 400, MALFORMED),
    Case("a plus", attribute(b"+1"), 400, MALFORMED),
    Case("a comma too many", post(b'{"title":"a",}'), 400, MALFORMED),
    Case("a comment", post(b'{"title":"a"/**/}'), 400, MALFORMED),
    Case("single quotes", post(b"{'title':'a'}"), 400, MALFORMED),
    Case("two values", post(b'{"title":"a"}{}'), 400, MALFORMED),
    Case("25 levels", attribute(b"[" * 23 + b"]" * 23), 400, MALFORMED),
    Case("100,000 levels", post(b"[" * 100_000), 400, MALFORMED),
    Case("100,000 objects", post(b'{"a":' * 100_000), 400, MALFORMED),
    Case("quotes without end", post(b'{"title":"' + b'\\"' * 400_000), 400, MALFORMED),
    Case("24 levels", attribute(b'{"a":' * 22 + b"1" + b"}" * 22), 201),
    Case("25 levels of objects", attribute(b'{"a":' * 23 + b"1" + b"}" * 23), 400, MALFORMED),
    Case("five lists within each other", attribute(b"[[[[[]]]]]"), 422, BODY),
    Case("four, and objects between", attribute(b'[[[[{"a":[[1]]}]]]]'), 201),
    Case("the last number of all", attribute(b"-9223372036854775808"), 201),
    Case("brackets in text", post(b'{"title":"' + b"[" * 200 + b'"}'), 201),
]

BODIES = [
    Case("an array", post(b"[]"), 422, BODY),
    Case("null", post(b"null"), 422, BODY),
    Case("a number", post(b"1"), 422, BODY),
    Case("nothing in it", post(b"{}"), 422, BODY),
    Case("no title", post(b'{"title":null}'), 422, BODY),
    Case("a number for a title", post(b'{"title":5}'), 422, BODY),
    Case("a title too long", post(b'{"title":"' + b"a" * 501 + b'"}'), 422, BODY),
    Case("spaces for a title", post(b'{"title":" "}'), 422, BODY),
    Case("a member misspelt", event(b'"titel":"b"'), 422, BODY),
    Case("a prototype", event(b'"__proto__":{"admin":true}'), 422, BODY),
    Case("what the service gives", event(b'"id":"x","revision":1'), 422, BODY),
    Case("true for a number", event(b'"claims":[{"source":"a","confidence":true}]'), 422, BODY),
    Case("a number for true", event(b'"places":[{"latitude":"42"}]'), 422, BODY),
    Case("north of the pole", event(b'"places":[{"latitude":90.1}]'), 422, BODY),
    Case("a phase that is none", event(b'"phase":"maybe"'), 422, BODY),
    Case("a script for an address", event(b'"media":[{"url":"javascript:alert(1)"}]'), 422, BODY),
    Case("101 tags", event(b'"tags":[' + b",".join(b'"t%d"' % n for n in range(101)) + b"]"), 422, BODY),
    Case("101 attributes", event(b'"attributes":{' + b",".join(b'"a%d":1' % n for n in range(101)) + b"}"), 422, BODY),
    Case("1,001 in a list", attribute(b"[" + b",".join([b"1"] * 1_001) + b"]"), 422, BODY),
    Case("20,001 characters", attribute(b'"' + b"a" * 20_001 + b'"'), 422, BODY),
    Case("a day that is none", event(b'"occurred":"2025-02-30"'), 422, REFUSED),
    Case("a date too long", event(b'"occurred":"' + b"9" * 257 + b'"'), 422, BODY),
    Case("nobody", event(b'"actors":[{"actor":"nobody"}]'), 422, REFUSED),
    Case("a slug that is taken", post(b'{"slug":"kfor","name":"a"}', target="/v1/actors"), 409, "already-exists"),
    Case(
        "a selection of what is no parameter",
        post(b'{"slug":"t-1","title":"a","selection":{"limit":1}}', target="/v1/timelines"),
        422,
        BODY,
    ),
    Case(
        "a selection turned round",
        post(b'{"slug":"t-1","title":"a","selection":{"from":"2025","to":"2024"}}', target="/v1/timelines"),
        422,
        REFUSED,
    ),
    Case("a patch that is a list", patch(MERGE, b"[]", "If-Match: *"), 422, BODY),
    Case("a patch of nothing known", patch(MERGE, b'{"nmae":null}', "If-Match: *"), 422, BODY),
    Case("a name taken away", patch(MERGE, b'{"name":null}', "If-Match: *"), 422, BODY),
    Case("another slug", patch(MERGE, b'{"slug":"other"}', "If-Match: *"), 422, REFUSED),
    Case("steps that are none", patch(STEPS, b"{}", "If-Match: *"), 422, BODY),
    Case("201 steps", step(b",".join([b'{"op":"test","path":"/slug","value":"kfor"}'] * 201)), 422, BODY),
    Case("a step unknown", step(b'{"op":"swap","path":"/name"}'), 422, BODY),
    Case("a step without a value", step(b'{"op":"add","path":"/aliases/-"}'), 422, BODY),
    Case("a pointer that is none", step(b'{"op":"remove","path":"name"}'), 422, BODY),
    Case("a tilde", step(b'{"op":"remove","path":"/~2"}'), 422, BODY),
    Case("all of it removed", step(b'{"op":"remove","path":""}'), 422, REFUSED),
    Case("all of it a number", step(b'{"op":"replace","path":"","value":1}'), 422, REFUSED),
    Case("what is not there", step(b'{"op":"remove","path":"/nope"}'), 422, REFUSED),
    Case("an index before all", step(b'{"op":"remove","path":"/aliases/-1"}'), 422, REFUSED),
    Case("an index in other digits", step('{"op":"add","path":"/aliases/١","value":"a"}'.encode()), 422, REFUSED),
    Case("into a text", step(b'{"op":"add","path":"/name/0","value":"a"}'), 422, REFUSED),
    Case("into itself", step(b'{"op":"move","from":"/names","path":"/names/a"}'), 422, REFUSED),
    Case("a test that fails", step(b'{"op":"test","path":"/name","value":"x"}'), 422, REFUSED),
    Case(
        "copies of copies",
        step(b",".join([b'{"op":"copy","from":"","path":"/external_ids/a"}'] * 60)),
        422,
        REFUSED,
    ),
]

# What the server refuses before the service sees it: no request that could be answered in the service's words.
NO_REQUESTS = [
    Case("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 4, 400),
    Case("no line", b"\r\n\r\nnonsense\r\n\r\n", 400),
    Case("bytes in the target", b"GET /v1?q=\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Case("a header without a colon", get("/v1", "nocolon"), 400),
    Case("a space before the colon", get("/v1", "Accept : */*"), 400),
    Case("NUL in a header", get("/v1", b"X-A: a\x00b"), 400),
    Case("two lengths", post(b"{}", "Content-Length: 2", "Content-Length: 3"), 400),
    Case("a negative length", post(b"{}", "Content-Length: -1"), 400),
    Case("a length that is none", post(b"{}", "Content-Length: two"), 400),
    Case("a length and chunks", post(chunks(b"{}"), "Transfer-Encoding: chunked", "Content-Length: 3"), 400),
]

CASES = {
    "addresses": ADDRESSES,
    "methods": METHODS,
    "queries": QUERIES,
    "headers": HEADERS,
    "frames": FRAMES,
    "texts": TEXTS,
    "bodies": BODIES,
}


@pytest.fixture(scope="module")
def victim() -> Iterator[Live]:
    """A service of its own with the demo dossier, which must be as well at the end as at the beginning."""
    with new_folder() as folder, served(folder) as running:
        yield running
        assert running.process.poll() is None
        assert httpx.get(f"{running.base_url}/readyz").status_code == 200
        assert "Traceback" not in (folder.parent / "service.log").read_text()


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(json.loads((ROOT / "openapi" / "openapi.json").read_text()))


def sent(victim: Live, request: bytes) -> tuple[int, httpx.Headers, bytes]:
    """Sends bytes as they are, and reads the one answer there is, until the service closes."""
    address = httpx.URL(victim.base_url)
    with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
        try:
            connection.sendall(request.replace(b"KEY", victim.key.encode()))
            received = b"".join(iter(lambda: connection.recv(65_536), b""))
        except ConnectionError:
            # The service may hang up on what it has refused before all of it is sent; the answer has come before.
            received = connection.recv(65_536)
    reader = http.client.HTTPResponse(_Bytes(received), method=request.split(b" ")[0].decode("latin-1"))  # type: ignore[arg-type]
    reader.begin()
    return reader.status, httpx.Headers(reader.getheaders()), reader.read()


class _Bytes:
    """What http.client takes for a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=f"{kind}: {c.name}") for kind, them in CASES.items() for c in them]
)
def test_a_hostile_request_is_answered_in_words(case: Case, victim: Live, contract: Contract) -> None:
    status, headers, body = sent(victim, case.request)
    told = None
    if case.request[:4] != b"HEAD" and headers.get("content-type") == "application/problem+json":
        told = json.loads(body)["type"].removeprefix("/problems/")
    assert (status, told) == (case.status, case.problem), body[:500]
    if case.problem is not None:
        assert headers["cache-control"] == "no-store"
        contract.check_value({"$ref": "#/components/schemas/Problem"}, json.loads(body), case.name)
        assert json.loads(body)["errors"] or case.problem != BODY
    if status == 405:
        assert set(headers["allow"].split(", ")) > {"OPTIONS"}
    elif status != 404:
        method, target = case.request.split(b" ")[:2]
        request = httpx.Request(method.decode(), victim.base_url + target.decode().split("?")[0])
        contract.check(httpx.Response(status, headers=headers, content=body, request=request))


@pytest.mark.parametrize("case", NO_REQUESTS, ids=lambda case: case.name)
def test_what_is_no_request_is_refused(case: Case, victim: Live, contract: Contract) -> None:
    status, headers, body = sent(victim, case.request)
    assert (status, headers["content-type"], headers["cache-control"]) == (400, "application/problem+json", "no-store")
    assert headers["access-control-allow-origin"] == "*"
    contract.check_value({"$ref": "#/components/schemas/Problem"}, json.loads(body), case.name)
    assert json.loads(body)["type"] == "/problems/malformed-request"
    assert httpx.get(f"{victim.base_url}/healthz").status_code == 200


def test_options_and_allow_are_true(victim: Live, contract: Contract) -> None:
    """What an address says that it knows, it knows; what it does not, it refuses with the same list."""
    for path, operations in contract.document["paths"].items():
        address = path.replace("{id}", NOBODY).replace("{number}", "1").replace("{name}", "gone").replace("{slug}", "a")
        known = {method.upper() for method in operations} | {"OPTIONS"} | ({"HEAD"} if "get" in operations else set())
        for method in ("OPTIONS", "PUT", "TRACE"):
            status, headers, _ = sent(victim, raw(method, address))
            assert status == (204 if method == "OPTIONS" else 405)
            assert set(headers["allow"].split(", ")) == known, (method, path)


def objects(levels: int) -> Any:
    return json.loads('{"a":' * levels + "{}" + "}" * levels)


@pytest.mark.parametrize(
    ("attributes", "step"),
    [
        pytest.param({"a": [[[[]]]]}, {"op": "add", "path": "/attributes/a/0/0/0/-", "value": []}, id="lists"),
        pytest.param(objects(22), {"op": "add", "path": "/attributes" + "/a" * 22, "value": {"a": {}}}, id="levels"),
        pytest.param(
            {"a": ["x" * 20_000] * 50}, {"op": "copy", "from": "/attributes/a", "path": "/attributes/b"}, id="copies"
        ),
        pytest.param(
            {"a": ["x" * 20_000] * 50},
            {"op": "add", "path": "/attributes/b", "value": ["x" * 20_000] * 3},
            id="bytes",
        ),
    ],
)
def test_no_patch_leaves_what_could_not_have_been_posted(attributes: Any, step: Any, victim: Live) -> None:
    with httpx.Client(base_url=victim.base_url, headers={"Authorization": f"Bearer {victim.key}"}) as client:
        made = client.post("/v1/events", json={"title": "Much", "attributes": attributes})
        assert made.status_code == 201, made.text[:500]
        address, headers = f"/v1/events/{made.json()['id']}", {"If-Match": "*", "Content-Type": STEPS}
        answer = client.patch(address, content=json.dumps([step]), headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/refused")


def test_a_body_that_never_ends_holds_up_nobody(victim: Live) -> None:
    address = httpx.URL(victim.base_url)
    waiting = []
    for _ in range(20):
        waiting.append(socket.create_connection((address.host, address.port or 80)))
        request = post(b'{"title":', "Content-Length: 500").replace(b"KEY", victim.key.encode())
        waiting[-1].sendall(request)
    assert httpx.get(f"{victim.base_url}/v1/events", timeout=30).status_code == 200
    assert httpx.get(f"{victim.base_url}/readyz", timeout=30).status_code == 200
    for connection in waiting:
        connection.close()
    assert httpx.get(f"{victim.base_url}/readyz", timeout=30).status_code == 200
