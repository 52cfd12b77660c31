"""What the ledger's ids are called: numbers, calls, messages and invoices, told by rooms above.

app.py joins them: `usage.names_from(numbers.labels)`, `usage.invoices_from(...)`. The ledger
itself knows only ids; what nobody names is shown as its id, without a link.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from offhook.db import Session
from offhook.phone import E164, national
from offhook.usage.rules import Service


@dataclass(frozen=True, slots=True)
class Label:
    """A number's name and itself in E.164, each may be empty; `is_gone`: deleted."""

    name: str
    e164: str = ""
    is_gone: bool = False

    @property
    def text(self) -> str:
        return self.name or (national(E164(self.e164)) if self.e164 else "A number")


@dataclass(frozen=True, slots=True)
class Link:
    """Something that has a page: a call, a thread, an invoice."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class LimitThen:
    """The monthly limit that was in force at some moment; None is unlimited."""

    limit: int | None


Source = Callable[[Session, str], Awaitable[Mapping[str, Label]]]
Subjects = Callable[[Session, str, Service, Sequence[str]], Awaitable[Mapping[str, Link]]]
Invoices = Callable[[Session, str, Sequence[datetime]], Awaitable[Mapping[datetime, Link]]]
Limits = Callable[[Session, str, str, Service, datetime], Awaitable["LimitThen | None"]]
_sources: list[Source] = []
_subjects: list[Subjects] = []
_invoices: list[Invoices] = []
_limits: list[Limits] = []


def names_from(source: Source) -> None:
    """Let `source(session, team_id)` name the team's numbers, deleted ones too, by id."""
    if source not in _sources:
        _sources.append(source)


def subjects_from(source: Subjects) -> None:
    """Let `source(session, team_id, service, ids)` link the calls or messages that it knows."""
    if source not in _subjects:
        _subjects.append(source)


def invoices_from(source: Invoices) -> None:
    """Let `source(session, team_id, starts)` link the invoices of the months that began then."""
    if source not in _invoices:
        _invoices.append(source)


def limits_from(source: Limits) -> None:
    """Let `source(session, team_id, number_id, service, at)` tell the limit in force at `at`."""
    if source not in _limits:
        _limits.append(source)


async def names(session: Session, team_id: str) -> dict[str, Label]:
    """The labels of the team's numbers by id; ids that nobody names are missing."""
    known: dict[str, Label] = {}
    for source in _sources:
        known.update(await source(session, team_id))
    return known


async def subjects(
    session: Session, team_id: str, service: Service, ids: Sequence[str]
) -> dict[str, Link]:
    """Links to calls (`service` calls) or messages by id; unknown ones are missing."""
    known: dict[str, Link] = {}
    for source in _subjects:
        known.update(await source(session, team_id, service, ids))
    return known


async def invoice_of(session: Session, team_id: str, month_start: datetime) -> Link | None:
    """The invoice of the month that began at `month_start`, if it has one."""
    for source in _invoices:
        found = await source(session, team_id, [month_start])
        if month_start in found:
            return found[month_start]
    return None


async def limit_then(
    session: Session,
    team_id: str,
    number_id: str,
    service: Service,
    at: datetime,
    *,
    last: int | None,
) -> tuple[int | None, bool]:
    """The limit at `at` and True if somebody remembers it; else `last` and False."""
    for source in _limits:
        found = await source(session, team_id, number_id, service, at)
        if found is not None:
            return found.limit, True
    return last, False
