"""Dates as EDTF states them: parsing, exact bounds, English, and the arithmetic beneath."""

from service.domain.dates.edtf import EARLIEST, LATEST, Date, DateError, parse
from service.domain.dates.grammar import PRECISIONS, TEXT_LENGTH_MAX, Precision
from service.domain.dates.gregorian import YEAR_MAX, bound_text, seconds_of, year_start
from service.domain.dates.patterns import EDTF_PATTERN, POINT_PATTERN

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
    "seconds_of",
    "year_start",
]
