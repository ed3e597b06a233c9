"""What the characters of an EDTF string may be: components, their masks, and the units of precision."""

import re
from typing import Final, Literal, get_args

Precision = Literal[
    "second", "minute", "hour", "day", "month", "season", "year", "decade", "century", "millennium", "longer"
]  # fmt: skip
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)
SECOND, _, _, DAY, MONTH, SEASON, YEAR, DECADE, CENTURY, MILLENNIUM, LONGER = range(len(PRECISIONS))

TEXT_LENGTH_MAX = 256
"""Characters of the longest text read. They hold at most 51 members of a set, so these need no bound."""

# One date of any form. Every part may be empty, so this always matches, and stops at the first character that
# belongs to no date; which parts may be missing is for the parser to say, with the position of the fault. No
# two neighbouring parts share a character, so nothing is ever tried twice and the time is linear.
POINT: Final = re.compile(
    r"([?~%]?)(Y?-?)([0-9X]*)(?:E([0-9]*))?(?:S([0-9]*))?([?~%]?)"
    r"(?:-([?~%]?)([0-9X]*)([?~%]?))?"
    r"(?:-([?~%]?)([0-9X]*)([?~%]?))?"
)

TIME: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9]):([0-5][0-9])(?:Z|([+-])([0-9]{2})(?::([0-5][0-9]))?)?")


def _numbers(mask: str) -> tuple[int, ...]:
    tens, units = ("0123456789" if digit == "X" else digit for digit in mask)
    return tuple(int(ten + unit) for ten in tens for unit in units)


_DIGITS = "0123456789X"

PAIRS: Final = {mask: _numbers(mask) for mask in (tens + units for tens in _DIGITS for units in _DIGITS)}
"""The numbers that two digits stand for, rising, where X is any digit."""

MONTHS: Final = {mask: months for mask in PAIRS if (months := tuple(n for n in PAIRS[mask] if 1 <= n <= 12))}
"""The months of a mask; one that fits none, as the numbers of seasons do, is not in the table."""

DAYS: Final = {mask: days for mask in PAIRS if (days := tuple(n for n in PAIRS[mask] if 1 <= n <= 31))}

SEASONS: Final = {
    # Meteorological seasons, under the year in which they begin: 2001-24 ends in February 2002.
    "21": (3, 3), "22": (6, 3), "23": (9, 3), "24": (12, 3),
    "25": (3, 3), "26": (6, 3), "27": (9, 3), "28": (12, 3),
    "29": (9, 3), "30": (12, 3), "31": (3, 3), "32": (6, 3),
    # Quarters, quadrimesters, semesters.
    "33": (1, 3), "34": (4, 3), "35": (7, 3), "36": (10, 3),
    "37": (1, 4), "38": (5, 4), "39": (9, 4),
    "40": (1, 6), "41": (7, 6),
}  # fmt: skip
"""First month and number of months of each sub-year grouping."""
