"""Dates as EDTF states them: parsing, exact bounds, English, and the arithmetic beneath."""

from functools import lru_cache
from typing import Final

from service.domain.dates.edtf import EARLIEST, LATEST, Date, DateError, parse
from service.domain.dates.grammar import PRECISIONS, TEXT_LENGTH_MAX, Precision
from service.domain.dates.gregorian import YEAR_MAX, bound_text, seconds_of, year_start
from service.domain.dates.patterns import EDTF_PATTERN, POINT_PATTERN

recalled: Final = lru_cache(10_000)(parse)
"""`parse` where the same texts come again and again: an event's date while it is recorded, a source's in each claim."""

__all__ = [
    "EARLIEST",
    "EDTF_PATTERN",
    "LATEST",
    "POINT_PATTERN",
    "PRECISIONS",
    "TEXT_LENGTH_MAX",
    "YEAR_MAX",
    "Date",
    "DateError",
    "Precision",
    "bound_text",
    "parse",
    "recalled",
    "seconds_of",
    "year_start",
]
