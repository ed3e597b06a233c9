"""What each of many processes does in `test_concurrency.py`. It imports little, so that eight of them start soon."""

import json
from http.client import HTTPConnection
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MEETING_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 60

_meeting: Barrier


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Request(NamedTuple):
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = {}


def prepare(meeting: Barrier) -> None:
    """Keeps the point at which the processes meet."""
    global _meeting
    _meeting = meeting


def send_together(base_url: str, key: str, rounds: list[list[Request]]) -> list[list[Answer]]:
    """Sends each round's requests one after the other, and begins each round when all the others do."""
    answers = []
    for requests in rounds:
        _meeting.wait(MEETING_SECONDS_MAX)
        answers.append(send(base_url, key, requests))
    return answers


def send(base_url: str, key: str, requests: list[Request]) -> list[Answer]:
    """Sends requests one after the other on one connection."""
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=ANSWER_SECONDS_MAX)
    try:
        return [_send(connection, key, request) for request in requests]
    finally:
        connection.close()


def _send(connection: HTTPConnection, key: str, request: Request) -> Answer:
    body = None if request.body is None else json.dumps(request.body)
    kind = "application/merge-patch+json" if request.method == "PATCH" else "application/json"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind, **request.headers}
    connection.request(request.method, request.path, body, headers)
    response = connection.getresponse()
    text = response.read()
    given = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, given, json.loads(text) if text else None)
