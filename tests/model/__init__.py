"""The service in miniature: an independent reading of the interface's rules, kept in plain dictionaries.

It exists to be compared with the real service, so it shares no line with it and prefers the plainest way to
the fast one: the history is a list of whole snapshots, one for each revision, and every answer is found by
looking at everything. A *form* is what a client sent with the defaults filled in; a *document* is what a
reader gets. Documents here carry no claim ids and no display text, which only the service can know.

Where the rules leave room, the reading taken is marked `Reading:`.

To widen it: a filter is one function in `choosing.FILTERS`, a lens over claims one function in
`seeing.CLAIM_LENSES`, and a kind of write one call of `Model.record`.
"""

from tests.model.choosing import COMPANIONS, FILTERS, holds, meaning, ordered, pointing, thinned
from tests.model.claims import claim_order, count_origins, reach, standing
from tests.model.counting import CLOCKS, FACETS, INTERVALS
from tests.model.dates import ONE_DATE, day_number, instant, is_leap, span
from tests.model.forms import (
    OTHERS,
    PARTS,
    SETS,
    Document,
    Form,
    Selection,
    asked,
    compared,
    filled,
    merged,
    settled,
    unwrapped,
    whole_event,
)
from tests.model.seeing import CLAIM_LENSES, LENSES, PINS, Entry, Snapshot, View, see
from tests.model.store import ANYONE, WRITER, Caller, Change, Model, Plan, differing, without_pins

__all__ = [
    "ANYONE",
    "CLAIM_LENSES",
    "CLOCKS",
    "COMPANIONS",
    "FACETS",
    "FILTERS",
    "INTERVALS",
    "LENSES",
    "ONE_DATE",
    "OTHERS",
    "PARTS",
    "PINS",
    "SETS",
    "WRITER",
    "Caller",
    "Change",
    "Document",
    "Entry",
    "Form",
    "Model",
    "Plan",
    "Selection",
    "Snapshot",
    "View",
    "asked",
    "claim_order",
    "compared",
    "count_origins",
    "day_number",
    "differing",
    "filled",
    "holds",
    "instant",
    "is_leap",
    "meaning",
    "merged",
    "ordered",
    "pointing",
    "reach",
    "see",
    "settled",
    "span",
    "standing",
    "thinned",
    "unwrapped",
    "whole_event",
    "without_pins",
]
