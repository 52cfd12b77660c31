"""What a list of differences needs besides its rows: names, links, words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from offhook import messages, numbers
from offhook.db import Session
from offhook.reconciliation import reading, rules
from offhook.reconciliation.models import Difference, NumberDay
from offhook.reconciliation.rules import ACTION_SENTENCES, KIND_SENTENCES, Action
from offhook.usage import Label, Service
from offhook.web import Paging, paginate

PILLS = {
    Action.NONE: ("Listed", "off"),
    Action.WAITING: ("Waiting", "busy"),
    Action.AGREES: ("Agrees", "on"),
    Action.TAKEN_BACK: ("Taken back", "on"),
    Action.CHARGED: ("Charged", "warn"),
    Action.FETCHED: ("Fetched", "on"),
    Action.UPDATED: ("Updated", "on"),
    Action.CORRECTED: ("Corrected", "on"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One difference as a row."""

    row: Difference
    href: str
    title: str
    sentence: str
    done: str
    pill: tuple[str, str]
    ours: str
    theirs: str


async def shown(session: Session, rows: Sequence[Difference]) -> list[Shown]:
    """With links to the calls and threads that the session sees."""
    texts = [row.subject_id for row in rows if row.service is Service.SMS and row.subject_id]
    threads = await messages.conversations_of(session, texts)
    return [_shown(row, threads) for row in rows]


def _shown(row: Difference, threads: dict[str, str]) -> Shown:
    calls = row.service is Service.CALLS
    href = ""
    if calls and row.subject_id != row.carrier_id:
        href = f"/calls/{row.subject_id}"
    elif not calls and row.subject_id in threads:
        href = f"/inbox/{threads[row.subject_id]}"
    return Shown(
        row=row,
        href=href,
        title="Call" if calls else "Message",
        sentence=KIND_SENTENCES[row.kind],
        done=ACTION_SENTENCES[row.action],
        pill=PILLS[row.action],
        ours=_amount(row.ours, row.our_seconds, calls=calls),
        theirs=_amount(row.theirs, row.their_seconds, calls=calls),
    )


def _amount(units: int, seconds: int, *, calls: bool) -> str:
    if not calls:
        return f"{units} segment" if units == 1 else f"{units} segments"
    minutes, rest = divmod(seconds, 60)
    return f"{units} min ({minutes}:{rest:02})"


async def listing(
    session: Session, paging: Paging, *, day: str, team_id: str = ""
) -> dict[str, Any]:
    """What the page of a team, or without one the operator's, shows."""
    compared = await reading.days(session)
    differing = await reading.differing(session, {each.day for each in compared}, team_id)
    days = {each.day: differing.get(each.day, 0) for each in compared}
    chosen = next((each for each in days if each.isoformat() == day), None)
    query = reading.differences(day=chosen)
    totals: list[NumberDay] = []
    newest = chosen or next(iter(days), None)
    if newest is not None:
        totals = await reading.totals(session, newest)
    if team_id:
        query = query.where(Difference.team_id == team_id)
        totals = [row for row in totals if row.team_id == team_id]
    rows, following = await paginate(session, query, paging, Difference.day, Difference.id)
    return {
        "days": days,
        "compared": compared,
        "chosen": chosen,
        "totals_day": newest,
        "totals": totals,
        "shown": await shown(session, rows),
        "labels": await labels(session, {row.team_id for row in (*rows, *totals)}),
        "next_url": f"?cursor={following}" + _and(chosen) if following else "",
        "first_url": f"?{_and(chosen)}" if paging.cursor else "",
        "tolerance_s": round(rules.TOLERANCE_S),
    }


async def labels(session: Session, team_ids: set[str]) -> dict[str, Label]:
    found: dict[str, Label] = {}
    for team_id in sorted(team_ids):
        found.update(await numbers.labels(session, team_id))
    return found


def _and(day: date | None) -> str:
    return f"&day={day.isoformat()}" if day else ""
