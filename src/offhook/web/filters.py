"""How values are written on pages: numbers, money, times, durations.

Filters of the Jinja environment; each also works as a function. Times show the team's zone, which
`render` puts into the context as `zone`. Money is anything with `micros` and `currency`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from offhook import phone
from offhook.web.countries import country_name

MICROS = 1_000_000
_SYMBOLS: Mapping[str, str] = {"USD": "$", "EUR": "€", "GBP": "£"}
_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 604_800


class Amount(Protocol):
    @property
    def micros(self) -> int: ...
    @property
    def currency(self) -> str: ...


def money(amount: Amount) -> str:
    """`$1,234.50`; more than two decimals only where they say something (`$0.0075`)."""
    value = Decimal(amount.micros) / MICROS
    text = f"{abs(value):,.6f}".rstrip("0")
    whole, _, cents = text.partition(".")
    sign = "−" if value < 0 else ""
    symbol = _SYMBOLS.get(amount.currency, f"{amount.currency} ")
    return f"{sign}{symbol}{whole}.{cents:0<2}"


def in_zone(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def moment_text(moment: datetime, zone: str, now: datetime) -> str:
    """`09:05` today, `24 Nov, 09:05` this year, `24 Nov 2025, 09:05` otherwise."""
    local, today = in_zone(moment, zone), in_zone(now, zone)
    clock = f"{local:%H:%M}"
    if local.date() == today.date():
        return clock
    if local.year == today.year:
        return f"{local.day} {local:%b}, {clock}"
    return f"{local.day} {local:%b %Y}, {clock}"


_APART_S = 5
"""By how much two clocks may differ: what has just happened is not called something to come."""


def ago_text(moment: datetime, now: datetime) -> str:
    """`just now`, `3 min ago`, `2 h ago`, `5 d ago`; "in 3 min" for what is to come."""
    seconds = round((now - moment).total_seconds())
    size = abs(seconds)
    if size < _MINUTE:
        return "in a moment" if seconds < -_APART_S else "just now"
    for limit, unit, name in ((_HOUR, _MINUTE, "min"), (_DAY, _HOUR, "h"), (_WEEK, _DAY, "d")):
        if size < limit:
            return f"{size // unit} {name} ago" if seconds > 0 else f"in {size // unit} {name}"
    return f"{size // _WEEK} wk ago" if seconds > 0 else f"in {size // _WEEK} wk"


_TIME = Markup('<time datetime="{}" title="{}">{}</time>')
_TIME_AGO = Markup('<time datetime="{}" title="{}" data-ago>{}</time>')


def _time_element(element: Markup, moment: datetime, text: str, zone: str) -> Markup:
    iso = moment.astimezone(UTC).isoformat(timespec="seconds")
    title = f"{in_zone(moment, zone):%A, %d %B %Y, %H:%M:%S} {zone}"
    return element.format(iso, title, text)


@pass_context
def when(context: Context, moment: datetime | None) -> Markup:
    """A `<time>` in the team's zone, its full form on hovering."""
    if moment is None:
        return escape("–")
    zone = str(context["zone"])
    return _time_element(_TIME, moment, moment_text(moment, zone, context["now"]), zone)


@pass_context
def ago(context: Context, moment: datetime | None) -> Markup:
    """A relative `<time>` that the browser keeps current."""
    if moment is None:
        return escape("–")
    text = ago_text(moment, context["now"])
    return _time_element(_TIME_AGO, moment, text, str(context["zone"]))


@pass_context
def day(context: Context, moment: datetime) -> str:
    local = in_zone(moment, str(context["zone"]))
    return f"{local.day} {local:%b %Y}"


def month_long(day: date) -> str:
    """`November 2026`."""
    return f"{day:%B %Y}"


def day_month(day: date) -> str:
    """`23 Nov`."""
    return f"{day.day} {day:%b}"


def day_year(day: date) -> str:
    """`23 Nov 2026`."""
    return f"{day_month(day)} {day.year}"


def weekday_day(day: date) -> str:
    """`Mon, 23 Nov`."""
    return f"{day:%a}, {day_month(day)}"


def moment_in(moment: datetime, zone: str) -> str:
    """`1 Oct 2026, 00:00` in a zone that is not the team's present one, such as an invoice's."""
    local = in_zone(moment, zone)
    return f"{local.day} {local:%b %Y}, {local:%H:%M}"


@pass_context
def moment(context: Context, at: datetime) -> str:
    """`12 Nov 2026, 09:14:05`, for records where the second matters."""
    local = in_zone(at, str(context["zone"]))
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


def clock(span: timedelta | float) -> str:
    """A duration as a timer shows it: `0:07`, `12:30`, `1:02:03`. Numbers are seconds."""
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span)
    hours, rest = divmod(max(seconds, 0), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 minute`, `1,200 minutes`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def grouped(value: int) -> str:
    return f"{value:,}"


def size(octets: int) -> str:
    """`812 B`, `4.2 kB`, `25 MB`."""
    value = float(octets)
    for unit in ("B", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 - the SI step
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def install(jinja: Environment) -> None:
    """Make every filter known to the templates."""
    filters: dict[str, Any] = {
        "money": money,
        "when": when,
        "ago": ago,
        "day": day,
        "clock": clock,
        "moment_in": moment_in,
        "moment": moment,
        "month_long": month_long,
        "day_month": day_month,
        "day_year": day_year,
        "weekday_day": weekday_day,
        "plural": plural,
        "grouped": grouped,
        "size": size,
        "national": phone.national,
        "international": phone.international,
        "flag": phone.flag,
        "country_of": phone.country_of,
        "country_name": country_name,
    }
    jinja.filters.update(filters)
