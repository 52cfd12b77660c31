"""Who changed what on a number, and when: written in the transaction of the change (SEC21)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from offhook.db import Session, now, touch
from offhook.numbers.models import Activity, Number


@dataclass(frozen=True, slots=True)
class By:
    """Who acts: a person, an API key, or the system itself. `label` is what pages show."""

    id: str
    label: str


SYSTEM = By("system", "Offhook")


async def record(
    session: Session,
    number: Number,
    by: By,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """One line of activity. Where both sides are given, only what differs is kept."""
    old, new = dict(before or {}), dict(after or {})
    same = [key for key in old if key in new and old[key] == new[key]]
    for key in same:
        del old[key], new[key]
    session.add(
        Activity(
            team_id=number.team_id,
            number_id=number.id,
            actor_id=by.id,
            actor=by.label,
            action=action,
            before=old,
            after=new,
            at=await now(session),
        )
    )
    await touch(session, number.team_id, f"number:{number.id}", "numbers")


def of_number(team_id: str, number_id: str) -> Select[Activity]:
    """The activity of one number, for `web.paginate`."""
    return select(Activity).where(Activity.team_id == team_id, Activity.number_id == number_id)
