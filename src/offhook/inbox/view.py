"""What the inbox's pages show: the filters of the address, the list, a conversation, its person."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from sqlalchemy import select

from offhook import agents, contacts, numbers, tasks, teams
from offhook.db import Session
from offhook.inbox import listing, looks, reading, rules, searching, words
from offhook.inbox.listing import NOBODY, Filter
from offhook.inbox.models import Channel, Conversation, Speaker, State
from offhook.teams import Actor
from offhook.web import Paging

PAGE = 40
ME = "me"
"""The assignee in an address that means whoever looks at it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as they stand in the address; dates are days of the team's zone."""

    channel: str = ""
    number: str = ""
    agent: str = ""
    state: str = ""
    contact: str = ""
    assignee: str = ""
    unread: str = ""
    person: str = ""
    snoozed: str = ""
    taken: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    label: str = ""
    cursor: str = ""

    def filter(self, actor: Actor) -> Filter:
        """What cannot be read is no filter: an old address still shows the inbox."""
        zone = ZoneInfo(actor.timezone)
        return Filter(
            channel=Channel(self.channel) if self.channel in set(Channel) else None,
            number_id=self.number,
            agent_id=self.agent,
            contact_id=self.contact,
            state=State(self.state) if self.state in set(State) else None,
            assignee=actor.user_id if self.assignee == ME else self.assignee,
            unread=True if self.unread else None,
            person_needed=True if self.person else None,
            snoozed=bool(self.snoozed),
            taken_over=True if self.taken else None,
            since=_midnight(self.since, zone),
            until=_midnight(self.until, zone, days=1),
            words=self.q,
            label=self.label,
        )

    def address(self, **changes: str) -> str:
        """The query that says the same, `?` and all; "" without a filter."""
        values = {
            each.name: value
            for each in fields(self)
            if (value := changes.get(each.name, getattr(self, each.name)))
        }
        return f"?{urlencode(values)}" if values else ""

    @property
    def filtered(self) -> bool:
        return bool(replace(self, cursor="").address())

    @property
    def narrowed(self) -> int:
        """How many filters of the sheet are set."""
        names = ("channel", "number", "agent", "state", "label", "assignee", "since", "until")
        return sum(bool(getattr(self, name)) for name in names)

    @property
    def only_view(self) -> str:
        """The view that is shown where nothing else narrows it; "" for all, and for filters."""
        name = next((name for name, _, current in self.views if current and name != "All"), "")
        assignee = "" if self.assignee == ME else self.assignee
        rest = replace(self, unread="", person="", taken="", snoozed="", assignee=assignee)
        return "" if rest.filtered else name

    @property
    def views(self) -> list[tuple[str, str, bool]]:
        """The views above the list: name, address, whether it is this one."""
        offered = {
            "All": {},
            "Mine": {"assignee": ME},
            "Unread": {"unread": "1"},
            "Needed": {"person": "1"},
            "By hand": {"taken": "1"},
            "Snoozed": {"snoozed": "1"},
        }
        own = {"assignee": self.assignee if self.assignee == ME else ""} | {
            name: getattr(self, name) for name in ("unread", "person", "taken", "snoozed")
        }
        empty = dict.fromkeys(own, "") | {"cursor": ""}
        return [
            (
                name,
                f"/inbox{self.address(**(empty | given))}",
                own == dict.fromkeys(own, "") | given,
            )
            for name, given in offered.items()
        ]


def _midnight(day: str, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    try:
        local = date.fromisoformat(day) + timedelta(days=days)
        return datetime.combine(local, time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


Text = Annotated[str, Query(max_length=200)]


def _wanted(
    channel: Text = "",
    number: Text = "",
    agent: Text = "",
    state: Text = "",
    contact: Text = "",
    assignee: Text = "",
    unread: Text = "",
    person: Text = "",
    snoozed: Text = "",
    taken: Text = "",
    since: Text = "",
    until: Text = "",
    q: Text = "",
    label: Text = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Wanted:
    return Wanted(
        channel, number, agent, state, contact, assignee, unread, person, snoozed, taken,
        since, until, q, label, cursor,
    )  # fmt: skip


WantedQuery = Annotated[Wanted, Depends(_wanted)]


async def of_list(
    session: Session, actor: Actor, wanted: Wanted, *, first_look: bool = False
) -> dict[str, Any]:
    """The list, and the words for it. Live calls stand above it, by a fragment of their room.

    A page shows its `first_look`, and asks for the whole list where that was not all.
    """
    asked = wanted.filter(actor)
    by = await listing.read_by(session, actor.team_id, actor.who)
    only = [Conversation.state != State.LIVE] if asked.state is None else []
    paging = Paging(PAGE, wanted.cursor)
    found = await searching.page(
        session, actor.team_id, asked, by, paging, *only, first_look=first_look
    )
    shown = found.shown
    known = await contacts.of(session, actor.team_id, [each.contact_id for each in shown])
    return {
        "only_live": not shown and await listing.has_live(session, actor.team_id),
        "conversations": [
            (each, looks.title(each, known.get(each.contact_id or ""))) for each in shown
        ],
        "unread": await listing.unread_of(session, actor.team_id, by, shown),
        "passages": await _passages(session, actor, asked.words, shown),
        "members": await members(session, actor.team_id),
        "me": actor.user_id,
        "numbers": await held_numbers(session, actor.team_id),
        "wanted": wanted,
        "is_whole": found.is_whole,
        "older": f"/inbox{wanted.address(cursor=found.after)}" if found.after else "",
        "newest": f"/inbox{replace(wanted, cursor='').address()}" if wanted.cursor else "",
        "states": looks.STATES,
        "reason": looks.reason,
    }


async def of_filters(session: Session, actor: Actor, wanted: Wanted) -> dict[str, Any]:
    """What can be chosen in the list's filters, and for what is chosen there."""
    only = await contacts.of(session, actor.team_id, [wanted.contact or None])
    return {
        "only": looks.named(only.get(wanted.contact)),
        "laters": rules.laters(datetime.now(UTC), ZoneInfo(actor.timezone)),
        "labels": await reading.labels(session, actor.team_id),
        "agents": await agents.listed(session, actor.team_id),
        "ME": ME,
        "NOBODY": NOBODY,
    }


async def _passages(
    session: Session, actor: Actor, asked: str, shown: list[Conversation]
) -> dict[str, list[words.Piece]]:
    """What was found in each conversation, marked."""
    phrases = words.asked(asked)
    if not phrases:
        return {}
    turns = await listing.passages(session, actor.team_id, asked, shown)
    return {key: words.passage(turn.text, phrases) for key, turn in turns.items()}


async def of_conversation(
    session: Session, actor: Actor, chosen: Conversation, wanted: Wanted
) -> dict[str, Any]:
    """The timeline, the person, and what can be done."""
    told = await reading.timeline(session, actor.team_id, chosen)
    contact = known = None
    if chosen.contact_id:
        contact = await contacts.get(session, actor.team_id, chosen.contact_id)
        known = await contacts.known(session, actor.team_id, contact.id)
    held = await held_numbers(session, actor.team_id)
    phrases = words.asked(wanted.q)
    zone = ZoneInfo(actor.timezone)
    return {
        "entries": looks.timeline(told, chosen, zone),
        "contact": contact,
        "known": known,
        "title": looks.title(chosen, contact),
        "topics": " ".join(["inbox", *_topics(told, chosen)]),
        "number": held.get(chosen.number_id),
        "thread_id": _thread_of(told, chosen),
        "calls": sum(each.conversation.channel is Channel.CALL for each in told),
        "texts": sum(
            turn.speaker is not Speaker.NOTICE
            for each in told
            if each.conversation.channel is Channel.SMS
            for turn in each.turns
        ),
        "members": await members(session, actor.team_id),
        "team_labels": await reading.labels(session, actor.team_id),
        "laters": rules.laters(datetime.now(UTC), zone),
        "me": actor.user_id,
        "marked": partial(words.marked, phrases=phrases),
        "wanted": wanted,
        "states": looks.STATES,
        "status": looks.status,
        "reason": looks.reason,
        "talked": looks.talked,
    }


def _thread_of(told: Sequence[reading.Told], chosen: Conversation) -> str:
    """Where a text to this person would go, best to the number that this is about; "" where they
    have no thread with ours.
    """
    threads = [each.conversation for each in told if each.conversation.channel is Channel.SMS]
    threads.sort(key=lambda each: (each.id == chosen.id, each.sender == chosen.sender))
    return threads[-1].id if threads else ""


def _topics(told: Sequence[reading.Told], chosen: Conversation) -> list[str]:
    """What can still change of it: a browser follows so many things and no more, and somebody may
    have called a hundred times.
    """
    rows = [each.conversation for each in told]
    live = [each.id for each in rows if each.id == chosen.id or each.state in rules.CLOSES]
    return [topic for key in live for topic in (f"conversation:{key}", tasks.topic(key))]


async def members(session: Session, team_id: str) -> dict[str, str]:
    """The members' addresses by their id, in the order of the alphabet."""
    found = [(each.user.email, each.user.id) for each in await teams.members(session, team_id)]
    return {user_id: email for email, user_id in sorted(found)}


async def held_numbers(session: Session, team_id: str) -> dict[str, numbers.Number]:
    """All numbers that the team holds or held, by id: the inbox outlives them (N10)."""
    found = await session.scalars(
        select(numbers.Number)
        .where(numbers.Number.team_id == team_id, numbers.Number.held_since.is_not(None))
        .order_by(numbers.Number.name, numbers.Number.id)
    )
    return {number.id: number for number in found}
