"""One act on one or many conversations: what buttons, keys, bulk actions and REST all do (I6).

An act is a word and, where it needs one, a value; the table says what each does. Of many
conversations each is done or refused by itself.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from offhook.db import Session
from offhook.errors import Invalid, Problem
from offhook.inbox import handling, service
from offhook.inbox.rules import reason

MOST = 200
"""Conversations of one request."""


class Act(StrEnum):
    CLOSE = "close"
    REOPEN = "reopen"
    READ = "read"
    UNREAD = "unread"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    WAKE = "wake"
    LABEL = "label"
    UNLABEL = "unlabel"
    NEED_PERSON = "need_person"
    SEEN_TO = "seen_to"


DONE: Mapping[Act, str] = {
    Act.CLOSE: "Closed",
    Act.REOPEN: "Opened again",
    Act.READ: "Marked as read",
    Act.UNREAD: "Marked as unread",
    Act.ASSIGN: "Assigned",
    Act.SNOOZE: "Snoozed",
    Act.WAKE: "Back in the list",
    Act.LABEL: "Labelled",
    Act.UNLABEL: "Label removed",
    Act.NEED_PERSON: "A person is asked for",
    Act.SEEN_TO: "Done",
}


class TooMany(Invalid):
    code = "too_many_conversations"


class MomentInvalid(Invalid):
    code = "moment_invalid"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants what. `value`: a member's id, an ISO time with its zone, a label, a reason."""

    team_id: str
    by: str
    act: Act
    value: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    conversation_id: str
    problem: Problem


@dataclass(slots=True)
class Result:
    done: list[str] = field(default_factory=list[str])
    refused: list[Refusal] = field(default_factory=list[Refusal])


Do = Callable[[Session, str, Wish], Awaitable[object]]


async def one(session: Session, conversation_id: str, wish: Wish) -> None:
    """Raises whatever refuses it."""
    await _DO[wish.act](session, conversation_id, wish)


async def many(session: Session, conversation_ids: Sequence[str], wish: Wish) -> Result:
    """Each once and in the order of ids, so that two members at once never wait in a ring."""
    ids = sorted(set(conversation_ids))
    if not 1 <= len(ids) <= MOST:
        raise TooMany(
            f"{len(ids)} conversations are not done at once.", remedy=f"Choose 1 to {MOST}."
        )
    result = Result()
    for each in ids:
        try:
            await one(session, each, wish)  # refuses before it writes
        except Problem as problem:
            result.refused.append(Refusal(each, problem))
        else:
            result.done.append(each)
    return result


def moment(value: str) -> datetime:
    """Raises MomentInvalid."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise MomentInvalid(
            f"“{value[:40]}” is no time with its zone.", remedy="Write 2026-05-14T09:00:00Z."
        )
    return at


def _plain(do: Callable[[Session, str, str], Awaitable[object]]) -> Do:
    return lambda session, conversation_id, wish: do(session, wish.team_id, conversation_id)


def _by(do: Callable[[Session, str, str, str], Awaitable[object]]) -> Do:
    return lambda session, conversation_id, wish: do(
        session, wish.team_id, conversation_id, wish.by
    )


def _with(do: Callable[[Session, str, str, str], Awaitable[object]]) -> Do:
    return lambda session, conversation_id, wish: do(
        session, wish.team_id, conversation_id, wish.value
    )


async def _snooze(session: Session, conversation_id: str, wish: Wish) -> None:
    until = moment(wish.value)
    await handling.snooze(session, wish.team_id, conversation_id, until, wish.by)


async def _need_person(session: Session, conversation_id: str, wish: Wish) -> None:
    await service.need_person(session, wish.team_id, conversation_id, reason(wish.value))


_DO: Mapping[Act, Do] = {
    Act.CLOSE: _plain(service.close_by_hand),
    Act.REOPEN: _plain(service.reopen_by_hand),
    Act.READ: _by(handling.mark_read),
    Act.UNREAD: _by(handling.mark_unread),
    Act.ASSIGN: _with(handling.assign),
    Act.SNOOZE: _snooze,
    Act.WAKE: _plain(handling.wake),
    Act.LABEL: _with(handling.add_label),
    Act.UNLABEL: _with(handling.remove_label),
    Act.NEED_PERSON: _need_person,
    Act.SEEN_TO: _plain(service.seen_to),
}
