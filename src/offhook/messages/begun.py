"""What holds back a text that we begin: the number's hours (SEC19), and how many texts one person
gets in a day unasked (SEC12). Whoever wrote within a day is answered at any time.

calls/ keeps a number's rules for what it starts, and cannot be asked from here: app.py joins it by
`begun_by`.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import func, select

from offhook import contacts, numbers, phone, teams
from offhook.db import Session, now, one_at_a_time
from offhook.errors import Conflict
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Kind, State
from offhook.phone import E164

LATELY = timedelta(hours=24)
Rules = Callable[[Session, numbers.Number, E164], Awaitable[tuple[str | None, int]]]
"""Until when somebody must not be disturbed by the number, in words, None where they may be now;
and how many texts it may begin to one person in a day.
"""
_rules: list[Rules] = []


class QuietHours(Conflict):
    """It is too early or too late where the recipient is."""

    code = "quiet_hours"


class EnoughForToday(Conflict):
    """The recipient was texted often enough today, and has not answered."""

    code = "contact_cap"


def begun_by(rules: Rules) -> None:
    """Have `rules` asked before a text is begun."""
    if rules not in _rules:
        _rules.append(rules)


async def check(session: Session, number: numbers.Number, to: E164) -> None:
    """Raises QuietHours, EnoughForToday, unless they wrote lately."""
    if await _wrote_lately(session, number, to):
        return
    for rules in _rules:
        until, most = await rules(session, number, to)
        if until is not None:
            again = f"from {until}" if until else "when its hours allow"
            raise QuietHours(
                f"It is too early or too late where {phone.national(to)} is.",
                remedy=f"Send it {again}, or change the hours on the number's page.",
            )
        sent = await _sent_today(session, number.team_id, to)
        if sent >= most:
            raise EnoughForToday(
                f"{phone.national(to)} got {sent} texts today without writing back.",
                remedy="Send it tomorrow, or raise the cap on the number's page, Outbound.",
            )


async def _wrote_lately(session: Session, number: numbers.Number, to: E164) -> bool:
    found = await session.scalar(
        select(Message.id)
        .where(
            Message.team_id == number.team_id,
            Message.number_id == number.id,
            Message.direction == Direction.INBOUND,
            Message.remote.in_(phone.spellings(phone.canonical(to))),
            Message.created_at > await now(session) - LATELY,
        )
        .limit(1)
    )
    return found is not None


async def _sent_today(session: Session, team_id: str, to: E164) -> int:
    """Texts by hand or program to this person since midnight, from any number of the team. Those
    that are being written at the same time are waited for.
    """
    theirs = await contacts.addresses(session, team_id, to)
    await one_at_a_time(session, f"begun {team_id} {theirs[0]}")
    sent = await session.scalar(
        select(func.count())
        .select_from(Message)
        .where(
            Message.team_id == team_id,
            Message.kind == Kind.BY_HAND,
            Message.state.not_in((State.FAILED, State.WITHDRAWN)),
            Message.remote.in_(theirs),
            Message.created_at >= await teams.today_began(session, team_id),
        )
    )
    return sent or 0
