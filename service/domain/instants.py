"""Instants on the clock of recording: RFC 3339 in, UTC milliseconds out."""

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
RFC3339_PATTERN = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])\Z"
)


def instant_of(text: str) -> datetime:
    """The instant in UTC, cut to the microsecond.

    Raises ValueError with a sentence for the caller where the text is not an RFC 3339 date-time.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        if re.fullmatch(r"[0-9T:.\-]+ [0-9]{2}:[0-9]{2}", text):
            raise ValueError(f"not an RFC 3339 date-time; a + in an address is written %2B: {text.replace(' ', '%2B')}")
        raise ValueError("not an RFC 3339 date-time such as 2025-02-20T09:14:03Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, zone = match.group(7) or "", match.group(8)
    try:
        local = datetime(year, month, day, hour, minute, second, int(fraction[:6].ljust(6, "0") or 0), UTC)
        if zone in "Zz":
            return local
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        if int(zone[1:3]) > 23 or int(zone[4:6]) > 59:
            raise ValueError("offset out of range")
        return local - offset if zone[0] == "+" else local + offset
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no such instant: {error}") from None


def recorded_text(instant: datetime) -> str:
    """`2025-02-20T09:14:03.120Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def seconds_of_recorded(text: str) -> int:
    """Unix seconds of a recorded time."""
    return int(datetime.fromisoformat(text).timestamp())
