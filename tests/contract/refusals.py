"""Hooks for schemathesis: which refusals of valid data are answers, and that each problem is one its operation names.

A schema says what a request looks like, not what the store holds. A request of the right form may name what is not
there, contradict itself or come too late; such a refusal of meaning is an answer if its problem type is listed here and
named by the operation in the document. Any other refusal of valid data fails the check.
"""

from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

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
    "idempotency-key-in-use": "A request with the same generated Idempotency-Key is running.",
}


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Keeps every failure but the rejection of valid data for a reason of meaning that the operation names."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    name = problem_name(response)
    return name not in REFUSALS or name not in names_of(case, response)


@schemathesis.check
def problem_type_conformance(_context: CheckContext, response: Response, case: Case) -> None:
    """Every problem answered is one that the operation names for the status."""
    name = problem_name(response)
    if name is None or response.status_code == 405:  # A method that is no operation's names nothing.
        return
    named = names_of(case, response)
    if name not in named:
        raise AssertionError(f"{name} is not among the problems named for {response.status_code}: {sorted(named)}")


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
