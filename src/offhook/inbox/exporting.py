"""Conversations with their turns as a file: CSV, a line for each turn, or JSON (I6).

Streamed page by page, each page a short transaction, newest opened first: an order that nothing
changes while the export runs. CSV cells that a spreadsheet would run are made text (SEC8).
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, cast

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import StreamingResponse

from offhook import audit, contacts
from offhook.contacts import Contact
from offhook.db import Database, Session
from offhook.inbox.listing import Filter, ReadBy, listed, read_by
from offhook.inbox.models import Conversation, Turn
from offhook.teams import Actor
from offhook.web import Paging, csv_line, paginate

PAGE = 100

COLUMNS: Mapping[str, str] = {
    "conversation_id": "The id of the call or thread.",
    "channel": "call or sms.",
    "number_id": "The team's number.",
    "sender": "The other side's number; empty for who hides it.",
    "contact": "Their name, where it is known.",
    "state": "live, open, closed or not_answered.",
    "opened_at_utc": "When it began; UTC, ISO 8601.",
    "closed_at_utc": "When it ended.",
    "title": "What it was about.",
    "labels": "Its labels, with semicolons between.",
    "assignee_id": "The member whose it is.",
    "turn": "The number of the turn, from 1; empty for a conversation without a word.",
    "at_utc": "When the turn began.",
    "speaker": "caller, agent, person or notice.",
    "author": "The member who said it by hand.",
    "text": "What was said.",
    "status": "What became of it: delivered, interrupted …",
}


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSON: "application/json"}

Told = tuple[Conversation, Contact | None, list[Turn]]


async def download(
    request: Request, session: Session, actor: Actor, wanted: Filter, kind: Format
) -> StreamingResponse:
    """The file as an answer; that somebody took it is in the audit log."""
    name = f"conversations.{kind}"
    audit.record(session, actor.team_id, "exported", "conversations", actor.team_id, label=name)
    by = await read_by(session, actor.team_id, actor.who)
    database = cast("Database", request.app.state.database)
    return StreamingResponse(
        exported(database, actor.team_id, wanted, by, kind),
        media_type=MEDIA_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


async def exported(
    database: Database, team_id: str, wanted: Filter, by: ReadBy, kind: Format
) -> AsyncIterator[str]:
    """The file's text, a page at a time."""
    if kind is Format.CSV:
        yield csv_line(COLUMNS)
        async for page in _pages(database, team_id, wanted, by):
            yield "".join(csv_line(cells) for told in page for cells in _lines(*told))
        return
    yield "["
    comma = ""
    async for page in _pages(database, team_id, wanted, by):
        written = ",\n".join(json.dumps(_object(*told), ensure_ascii=False) for told in page)
        yield comma + "\n" + written
        comma = ","
    yield "\n]\n"


async def _pages(
    database: Database, team_id: str, wanted: Filter, by: ReadBy
) -> AsyncIterator[list[Told]]:
    cursor: str | None = ""
    while cursor is not None:
        async with database.team(team_id) as session:
            query = listed(team_id, wanted, by)
            order = (Conversation.opened_at, Conversation.id)
            found, cursor = await paginate(session, query, Paging(PAGE, cursor), *order)
            known = await contacts.of(session, team_id, [each.contact_id for each in found])
            rows = await session.scalars(
                select(Turn)
                .where(
                    Turn.team_id == team_id,
                    Turn.conversation_id.in_([each.id for each in found]),
                )
                .order_by(Turn.conversation_id, Turn.sequence)
            )
            turns = {
                key: list(some) for key, some in groupby(rows, lambda turn: turn.conversation_id)
            }
        if found:
            yield [
                (each, known.get(each.contact_id or ""), turns.get(each.id, [])) for each in found
            ]


def _lines(
    conversation: Conversation, contact: Contact | None, turns: Sequence[Turn]
) -> list[list[str]]:
    about = [
        conversation.id,
        conversation.channel,
        conversation.number_id,
        conversation.sender,
        contact.name if contact else "",
        conversation.state,
        _utc(conversation.opened_at),
        _utc(conversation.closed_at),
        conversation.title,
        "; ".join(conversation.labels),
        conversation.assignee_id or "",
    ]
    said = [
        [
            str(turn.sequence),
            _utc(turn.started_at),
            turn.speaker,
            turn.author,
            turn.text,
            turn.status,
        ]
        for turn in turns
    ]
    nothing = [""] * (len(COLUMNS) - len(about))
    return [about + cells for cells in said or [nothing]]


def _object(
    conversation: Conversation, contact: Contact | None, turns: Sequence[Turn]
) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "channel": conversation.channel,
        "number_id": conversation.number_id,
        "sender": conversation.sender,
        "contact_id": conversation.contact_id,
        "contact": contact.name if contact else "",
        "agent_id": conversation.agent_id,
        "state": conversation.state,
        "reason": conversation.reason,
        "opened_at": _utc(conversation.opened_at),
        "closed_at": _utc(conversation.closed_at),
        "title": conversation.title,
        "summary": conversation.summary,
        "summary_by": conversation.summary_by,
        "labels": conversation.labels,
        "assignee_id": conversation.assignee_id,
        "person_needed": conversation.person_needed,
        "turns": [
            {
                "sequence": turn.sequence,
                "speaker": turn.speaker,
                "author": turn.author,
                "text": turn.text,
                "started_at": _utc(turn.started_at),
                "ended_at": _utc(turn.ended_at),
                "status": turn.status,
                "note": turn.note,
                "reaction": turn.reaction,
                "citations": turn.citations,
                "media": turn.media,
            }
            for turn in turns
        ],
    }


def _utc(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
