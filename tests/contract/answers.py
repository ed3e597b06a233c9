"""What the demo dossier answers to the reads that the reference shows.

`python -m tests.contract.answers` writes the answers where the service finds them. Ids, instants of recording and
places in a listing differ from one store to the next, and are left aside where answers are compared.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from service.api.examples import EVENT_KEY
from service.api.layout import laid_out
from service.api.operation import JSON, MARKDOWN
from service.api.trying import ORIGIN, Request, requests_of
from tests.conftest import ROOT, new_folder, served
from tests.contract.conformance import Contract

PATH = ROOT / "service" / "api" / "assets" / "answers.json"
MEND = "the reference shows other answers than the dossier gives: run `.venv/bin/python -m tests.contract.answers`"

OWN = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|(?<=cursor=)[\w-]+"
)


def reads_of(contract: Contract) -> Iterator[tuple[dict[str, Any], Request]]:
    """Every read that the reference shows."""
    for path, method, operation in contract.operations():
        if method == "get":
            for request in requests_of(path, method, operation, contract.resolved):
                yield operation, request


def answers_of(base_url: str) -> dict[str, dict[str, Any]]:
    """By operation and by what the read shows: JSON as values, Markdown as text, pages and the document not at all."""
    answers: dict[str, dict[str, Any]] = {}
    with httpx.Client(base_url=base_url, timeout=30) as reader:
        contract = Contract(reader.get("/openapi.json").json())
        event = reader.get("/v1/events", params={"key": EVENT_KEY}).json()["items"][0]["id"]
        for operation, request in reads_of(contract):
            answer = reader.get(
                request.address.replace("$ID", event).replace(ORIGIN, base_url), headers=dict(request.headers)
            )
            answer.raise_for_status()
            kind = answer.headers["content-type"].split(";")[0]
            text = answer.text.replace(base_url, ORIGIN)
            if operation["operationId"] != "readDocument" and kind in (JSON, MARKDOWN):
                told = json.loads(text) if kind == JSON else text
                answers.setdefault(operation["operationId"], {})[request.title] = told
    return answers


def comparable(answers: dict[str, dict[str, Any]]) -> Any:
    """The answers without what every store has of its own."""
    return json.loads(OWN.sub("…", json.dumps(answers)))


def write(path: Path = PATH) -> None:
    with new_folder() as folder, served(folder) as running:
        path.write_text(laid_out(answers_of(running.base_url)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
