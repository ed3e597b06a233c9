"""Hooks for schemathesis: which refusals of valid data are answers, and that each problem is one its operation names.

A schema says what a request looks like, not what the store holds. A request of the right form may name what is not
there, contradict itself or come too late; such a refusal of meaning is an answer if its problem type is listed here and
named by the operation in the document. Any other refusal of valid data fails the check.
"""

import itertools
import os
import time
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure, ServerError
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

REFUSALS: Final = {
    "refused-parameter": "Parameters contradict each other, or name an instant or cursor that does not exist.",
    "selection-too-broad": "Filters that rarely meet were asked to be searched for beyond the budget.",
    "not-found": "A generated slug, id or number names nothing, or a timeline that is not there is asked for.",
    "gone": "What is named was deleted or retracted earlier in the run.",
    "already-exists": "The generated slug or key was made earlier in the run.",
    "in-use": "What is to be deleted is named by events or sources.",
    "stale": "The generated If-Match is no tag of the resource as it now is.",
    "refused": "The body names unknown slugs, dates that do not exist or an identifier that never changes, or a patch "
    "does not apply.",
    "too-large": "Each part of the body is within its bounds, and the whole is longer than a body may be.",
    "idempotency-key-reused": "The generated Idempotency-Key was sent with another body before.",
    "not-made": "Another format of oEmbed than JSON was asked for, which its specification answers with 501.",
    "idempotency-key-in-use": "A request with the same generated Idempotency-Key is running.",
}


# A JSON value in one line is a body of one row.
schemathesis.serializer.alias("application/x-ndjson", "application/json")


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Lets more of the valid data through, and a scenario that is played again go as it went before.

    What only another answer can give is left out beside other parameters, identifiers are left out of patches, what is
    made has a name that nothing else has, and in place of ids that nothing has stand those of events made before.
    """
    if str((case.headers or {}).get("Min-Revision", "")).isdecimal():
        case.headers["Min-Revision"] = "1"  # What is ahead of the head is waited for in vain.
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    places = case.path_parameters or {}
    if "id" in places and places["id"] not in _made and _made:
        case.path_parameters["id"] = _made[next(_numbers) % len(_made)]
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = "*"
    if case.headers and case.path.endswith("/revert"):
        case.headers.pop("If-Match", None)  # Where it may be left out, it is drawn without regard to its pattern.
    query = case.query or {}
    if len(query) > 1:
        query.pop("cursor", None)
        for side in ("", "base_", "head_"):
            if f"{side}revision" in query:
                query.pop(f"{side}as_of", None)
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = _new(case.headers["Idempotency-Key"])
    if isinstance(case.body, dict) and case.method == "POST":
        case.body = case.body | {name: _new(case.body[name]) for name in ("slug", "key") if case.body.get(name)}
    elif isinstance(case.body, dict) and len(case.body) > 3:
        case.body = {name: value for name, value in case.body.items() if name not in ("slug", "key", "collection")}


@schemathesis.hook
def after_call(_context: HookContext, case: Case, response: Response) -> None:
    """Remembers the events that have been made."""
    if case.operation.label == "POST /v1/events" and response.status_code == 201:
        _made.append(response.json()["id"])


_made: list[str] = []
_numbers = itertools.count(int(time.time()))


def _new(name: str) -> str:
    """The name with a beginning that no other has, as long as before if that is long."""
    number = str(next(_numbers))
    return f"{number}{name[len(number) :]}"


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Keeps every failure but these three.

    501 is no failure of the server where the operation names it. Valid data may be refused for a reason of meaning that
    the operation names. And what was deleted may be read as it was, by its history or at an earlier revision, for
    nothing recorded is lost.
    """
    if isinstance(failure, UseAfterFree):
        return not (case.path.endswith("/history") or {"revision", "as_of"} & (case.query or {}).keys())
    if isinstance(failure, ServerError) and response.status_code == 501:
        return problem_name(response) not in names_of(case, response)
    if isinstance(failure, RejectedPositiveData):
        name = problem_name(response)
        return name not in REFUSALS or name not in names_of(case, response)
    return True


@schemathesis.check
def problem_type_conformance(_context: CheckContext, response: Response, case: Case) -> None:
    """Every problem answered is one that the operation names for the status."""
    name = problem_name(response)
    if name is None or response.status_code == 405:  # A method that is no operation's names nothing.
        return
    named = names_of(case, response)
    if name not in named:
        raise AssertionError(f"{name} is not among the problems named for {response.status_code}: {sorted(named)}")


@schemathesis.check
class SuccessOfEveryOperation:
    """Every operation that ran succeeds at least once, for refusals alone would prove nothing.

    A run of few examples may miss one.
    """

    def __init__(self) -> None:
        self.tried: set[str] = set()
        self.succeeded: set[str] = set()

    def after_response(self, _context: CheckContext, response: Response, case: Case) -> None:
        self.tried.add(case.operation.label)
        if response.status_code < 300:
            self.succeeded.add(case.operation.label)

    def after_run(self, _context: CheckContext) -> None:
        missed = self.tried - self.succeeded
        if missed and int(os.environ.get("DATELINE_CONTRACT_EXAMPLES", "50")) >= 50:
            raise AssertionError(f"never succeeded: {', '.join(sorted(missed))}")


def problem_name(response: Response) -> str | None:
    """The last part of the problem's type, if the answer is a problem document."""
    if "application/problem+json" not in "".join(response.headers.get("content-type", [])):
        return None
    return str(response.json()["type"]).removeprefix("/problems/")


def names_of(case: Case, response: Response) -> set[str]:
    """The problems that the document names for the operation and the answer's status: its examples."""
    document: Any = case.operation.schema.raw_schema
    operation = document["paths"][case.operation.path][case.operation.method.lower()]
    described = operation["responses"].get(str(response.status_code), {})
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    return set(described.get("content", {}).get("application/problem+json", {}).get("examples", {}))
