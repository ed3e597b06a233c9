"""What a timeline stores: selection parameters as members of a body, judged as a query's are."""

from collections.abc import Mapping
from typing import Any

from service.api.faults import escaped
from service.domain import parameters
from service.domain.asking import asked
from service.domain.errors import DatelineError, Fault, InvalidParameter, Refused, RefusedParameter
from service.operations.selecting import query_of


def check(selection: Mapping[str, Any]) -> None:
    """Raises Refused for a stored selection that cannot be evaluated."""
    faults = faults_of(selection)
    if not faults:
        try:
            asked(query_of(selection))
        except RefusedParameter as error:
            faults = _moved(error)
    if faults:
        raise Refused("The timeline's selection cannot be evaluated.", faults)


def faults_of(selection: Mapping[str, Any]) -> list[Fault]:
    """What is not of a stored selection's schema: a parameter's value, or a list of them where it is repeatable."""
    known = {parameter.name: parameter for parameter in parameters.STORABLE}
    faults = []
    for name, value in selection.items():
        if name not in known:
            continue
        whole = known[name].schema["type"] == "integer"
        members = value if isinstance(value, list) and value and known[name].repeatable else [value]
        if any(isinstance(each, bool) or not isinstance(each, int if whole else str) for each in members):
            wanted = f"a {'whole number' if whole else 'string'}{' or a list of them' * known[name].repeatable}"
            faults.append(Fault(pointer=f"/selection/{escaped(name)}", detail=f"must be {wanted}"))
    if not faults:
        try:
            parameters.check(query_of(selection), parameters.STORABLE)
        except InvalidParameter as error:
            faults = _moved(error)
    return faults


def _moved(error: DatelineError) -> list[Fault]:
    """Faults of parameters as faults of the members that store them."""
    return [
        Fault(pointer=f"/selection/{escaped(fault.parameter or '')}", detail=fault.detail) for fault in error.faults
    ]
