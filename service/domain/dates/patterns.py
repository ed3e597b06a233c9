"""Regular expressions for the served document: what a client can know of EDTF without our parser.

Both are written in what every dialect understands: no look-around, no flags, no classes by name. They bound
no length; TEXT_LENGTH_MAX does.
"""

import re
from typing import Final

_Q = "[?~%]?"
_NUMBER = "[1-9][0-9]*"
_TIME = "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|24:00:00)"
_OFFSET = (
    r"(?:Z|\+(?:0[0-9]|1[0-3])(?::[0-5][0-9])?|\+14(?::00)?"
    "|-(?:0[1-9]|1[01])(?::[0-5][0-9])?|-00:(?:0[1-9]|[1-5][0-9])|-12(?::00)?)"
)


def _edtf() -> str:
    month = f"{_Q}(?:[0X][0-9X]|1[0-2X]|[23][0-9]|4[01]){_Q}"
    day = f"{_Q}(?:[0-2X][0-9X]|3[01X]){_Q}"
    # No two alternatives begin alike: within the repeated members of a set that would cost exponential time.
    year = f"-?[0-9X]{{4}}(?:S{_NUMBER}{_Q}|{_Q}(?:-{month}(?:-{day})?)?)"
    long_year = f"Y-?{_NUMBER}(?:E{_NUMBER})?(?:S{_NUMBER})?{_Q}"
    date = f"{_Q}(?:{year}|{long_year})"
    date_time = f"-?[0-9]{{4}}-[01][0-9]-[0-3][0-9]T{_TIME}{_OFFSET}?"
    end = rf"(?:{date}|\.\.)?"
    members = rf"(?:\.\.)?{date}(?:(?:,|\.\.){date})*(?:\.\.)?"
    return rf"^(?:{date_time}|{date}|{end}/{end}|\[{members}\]|\{{{members}\}})$"


# A masked day is refused only where no month or no year of its masks has it. So the masks of days, months and
# years are told apart by whether they can be a 29th, 30th or 31st, the month of one, or a leap year.
_YEARS = ("[0-9X]{4}", "-[1-9X][0-9X]{3}", "-0[1-9X][0-9X]{2}", "-00[1-9X][0-9X]", "-000[1-9X]")
_LEAP_YEARS = (
    "-?[0-9X]{2}0[48]", "-?[0-9X]{2}[2468][048]", "-?[0-9X]{2}[13579][26]",
    "-?[0-9X]{3}X", "-?[0-9X]{2}X[02468]",
    "-?0[48X]00", "-?[2468][048X]00", "-?[13579][26X]00", "-?X[02468X]00", "0000",
)  # fmt: skip
_MONTHS = ("0[1-9X]", "1[0-2X]", "X[0-9X]")
_MONTHS_OF_30 = ("0[13-9X]", "1[0-2X]", "X[0-9X]")
_MONTHS_OF_31 = ("0[13578X]", "1[02X]", "X[0-3578X]")
_SEASONS = ("2[1-9]", "3[0-9]", "4[01]")
_DAYS = ("0[1-9X]", "1[0-9X]", "2[0-8X]", "X[0-9X]")


def _any(alternatives: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _unmasked(alternatives: tuple[str, ...]) -> tuple[str, ...]:
    """The same without X: classes lose it, and an alternative that needs it falls away."""
    return tuple(each.replace("X", "") for each in alternatives if "X" not in re.sub(r"\[[^]]*]", "", each))


def _point() -> str:
    between = f"{_Q}-{_Q}"
    year = _any(_YEARS)
    days = (
        f"{year}{between}(?:{_any(_MONTHS)}{between}{_any(_DAYS)}|{_any(_MONTHS_OF_30)}{between}(?:29|3[0X])"
        f"|{_any(_MONTHS_OF_31)}{between}31)|{_any(_LEAP_YEARS)}{between}02{between}29"
    )
    months = f"{year}{between}{_any(_MONTHS + _SEASONS)}"
    year_of_digits = _any(_unmasked(_YEARS))
    days_of_digits = (
        f"{year_of_digits}-(?:{_any(_unmasked(_MONTHS))}-{_any(_unmasked(_DAYS))}"
        f"|{_any(_unmasked(_MONTHS_OF_30))}-(?:29|30)|{_any(_unmasked(_MONTHS_OF_31))}-31)"
        f"|{_any(_unmasked(_LEAP_YEARS))}-02-29"
    )
    # Years up to 199,999,999,999 with any significant digits, and 200,000,000,000 with all of its twelve.
    zeros = [(power, f"E{power}") for power in range(1, 12)]
    long = ["[1-9][0-9]{4,10}", "1[0-9]{11}"]
    long += [f"[1-9][0-9]{{{max(4 - power, 0)},{10 - power}}}{e}" for power, e in zeros if power < 11]
    long += [f"1[0-9]{{{11 - power}}}{e}" for power, e in zeros]
    longest = ["20{11}"] + [f"20{{{11 - power}}}{e}" for power, e in zeros]
    all_significant = "S(?:1[2-9]|[2-9][0-9]|[1-9][0-9]{2,})"
    long_year = f"Y-?(?:{_any(tuple(long))}(?:S{_NUMBER})?|{_any(tuple(longest))}(?:{all_significant})?)"
    date = f"{_Q}(?:{year}|{months}|{days}|{year_of_digits}S{_NUMBER}|{long_year}){_Q}"
    return f"^(?:{date}|(?:{days_of_digits})T{_TIME}{_OFFSET}?)$"


EDTF_PATTERN: Final = _edtf()
"""Matches every EDTF text; what else it matches, the calendar or the order of two ends refuses."""

POINT_PATTERN: Final = _point()
"""Matches every EDTF date and date-time and nothing else: no interval, no set, no 30 February."""
