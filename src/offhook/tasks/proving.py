"""A second factor of our own: a code by text to the number, told back in the conversation (SEC10).

A number can be forged by whoever calls or texts from it; what is texted to it comes to its owner
alone. The code is looked for in what the other side says, never in what a brain hands over, so
a model in an attacker's hands can neither know nor guess it. Who texts is registered by app.py.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from importlib import import_module
from typing import Any

from sqlalchemy import delete, func, select

from offhook.db import Session, new_id, now
from offhook.errors import Problem
from offhook.tasks.models import TextedCode
from offhook.tasks.scope import Scope, Turn
from offhook.tasks.toolbox import Input, InputType

LASTS = timedelta(minutes=10)
HOLDS = timedelta(minutes=30)
"""How long it counts in the conversation that it was told."""
AGAIN_AFTER = timedelta(minutes=1)
"""From then on a turn without a code means that none arrived."""
DAY = timedelta(days=1)
MAX_CODES = 3
"""To one number within a day."""
MAX_TRIES = 5
MAX_IN_A_TURN = 2
DIGITS = 6
INPUT = Input(
    "texted_code",
    InputType.TEXT,
    required=False,
    description="Only once a code was texted: the code as they tell it.",
    question="I have texted you a code of six digits. What is it?",
    proof=True,
)
WRONG = "That is not the code."
NOT_TEXTED = "I can do that only with a code that I text you, and I cannot text you one now."

Sender = Callable[[Session, Scope, str], Awaitable[None]]
"""Texts a code to the scope's number. Raises a Problem; then nothing was written."""


class Texting:
    """Who texts codes in this process; nobody until app.py has joined the rooms."""

    sender: Sender | None = None


def texts_codes_by(sender: Sender) -> None:
    """Have codes texted by `sender` from now on."""
    Texting.sender = sender


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether it is proven; else what is to be said before the code is asked for.

    `can_be`: whether a code is under way at all.
    """

    proven: bool
    sentence: str = ""
    can_be: bool = True


async def is_proven(session: Session, scope: Scope) -> bool:
    """Whether the code was told in this conversation, not long ago."""
    row = await _last(session, scope)
    return row is not None and _holds(row, await now(session))


async def prove(session: Session, scope: Scope, turns: Sequence[Turn]) -> Standing:
    """Look for the code in what was said since; without one under way, text one.

    The caller holds the lock of the conversation.
    """
    row, instant = await _last(session, scope), await now(session)
    if row is not None and _holds(row, instant):
        return Standing(proven=True)
    sentence = ""
    if row is not None and instant < row.sent_at + LASTS and row.tries < MAX_TRIES:
        told = _told(row, turns, scope.language)
        if any(_is(row, each) for each in told):
            row.proven_at = instant
            await session.flush()
            return Standing(proven=True)
        await session.flush()
        sentence = WRONG if told else ""
        if row.tries < MAX_TRIES and (told or instant < row.sent_at + AGAIN_AFTER):
            return Standing(proven=False, sentence=sentence)
    if await _text_one(session, scope, turns, instant):
        return Standing(proven=False, sentence=sentence)
    return Standing(proven=False, sentence=NOT_TEXTED, can_be=False)


async def forget(session: Session) -> None:
    """Codes of yesterday count for nothing. System scope."""
    await session.execute(delete(TextedCode).where(TextedCode.sent_at < await now(session) - DAY))


def codes_in(text: str, language: str) -> list[str]:
    """Six digits in a row, as they are said or written: `482917`, `48 29 17`, `four eight …`.

    >>> codes_in("It's four eight two, 9 1 7.", "en")
    ['482917']
    """
    joined = re.sub(r"(?<=\d)[\s.,-]+(?=\d)", "", _as_digits(text, language))
    runs = (run for run in re.findall(r"\d+", joined) if len(run) in {DIGITS, 2 * DIGITS})
    found = [run[at : at + DIGITS] for run in runs for at in range(0, len(run), DIGITS)]
    return list(dict.fromkeys(found))[:MAX_IN_A_TURN]


def _as_digits(text: str, language: str) -> str:
    plain = re.sub(r"\boh?\b", "zero", text.casefold())
    numbers: Any = import_module("text_to_num")
    each = 0.0  # lone small numbers are made digits too
    try:
        return str(numbers.alpha2digit(plain, language.casefold().split("-")[0], each))
    except ValueError:  # a language that the library does not know
        return str(numbers.alpha2digit(plain, "en", each))


def _told(row: TextedCode, turns: Sequence[Turn], language: str) -> list[str]:
    """The codes of turns that were not looked at before; each such turn is one try."""
    found: list[str] = []
    for turn in turns:
        if not turn.by_caller or turn.position <= row.looked_turn or row.tries >= MAX_TRIES:
            continue
        row.looked_turn = turn.position
        if told := codes_in(turn.text, language):
            row.tries += 1
            found += told
    return found


async def _text_one(
    session: Session, scope: Scope, turns: Sequence[Turn], instant: datetime
) -> bool:
    recent = await session.scalar(
        select(func.count())
        .select_from(TextedCode)
        .where(
            TextedCode.team_id == scope.team_id,
            TextedCode.remote == scope.caller,
            TextedCode.sent_at > instant - DAY,
        )
    )
    if Texting.sender is None or (recent or 0) >= MAX_CODES:
        return False
    code = str(secrets.randbelow(9 * 10 ** (DIGITS - 1)) + 10 ** (DIGITS - 1))
    row = TextedCode(
        id=new_id("cod"),
        team_id=scope.team_id,
        conversation_id=scope.conversation_id,
        remote=scope.caller,
        sent_at=instant,
        looked_turn=turns[-1].position if turns else -1,
    )
    row.digest = _digest(row.id, code)
    try:
        async with session.begin_nested():
            await Texting.sender(session, scope, code)
    except Problem:
        return False
    session.add(row)
    await session.flush()
    return True


async def _last(session: Session, scope: Scope) -> TextedCode | None:
    return await session.scalar(
        select(TextedCode)
        .where(
            TextedCode.team_id == scope.team_id,
            TextedCode.conversation_id == scope.conversation_id,
            TextedCode.remote == scope.caller,
        )
        .order_by(TextedCode.sent_at.desc())
        .limit(1)
    )


def _holds(row: TextedCode, instant: datetime) -> bool:
    return row.proven_at is not None and instant < row.proven_at + HOLDS


def _is(row: TextedCode, told: str) -> bool:
    return compare_digest(row.digest, _digest(row.id, told))


def _digest(code_id: str, code: str) -> str:
    return sha256(f"{code_id} {code}".encode()).hexdigest()
