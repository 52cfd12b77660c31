"""What was said, for the endpoints that ask for it (W12): a text's words, a call's transcript.

Read when an event's bytes are first made; the rooms that keep the words read them.
"""

from collections.abc import Mapping
from typing import Any

from offhook import inbox, messages
from offhook.db import EventRow, Session

TRANSCRIPT = "transcript.ready"
WITH_TURNS = (
    TRANSCRIPT,
    *(f"message.{state}" for state in ("received", "refused", "sent", "delivered", "failed")),
)
"""Events of which an endpoint may ask for the turns."""
WORDS: Mapping[str, str] = {"conversation.human_required": "reason", "contact.created": "number"}
"""Events of which one member may quote or name somebody: empty for who did not ask for words."""
SPEAKING = [*WITH_TURNS, *WORDS]
"""Events that have words which an endpoint may ask for."""


def thin(name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members of an event without anybody's words."""
    return {**data, WORDS[name]: ""} if name in WORDS else data


async def turns(session: Session, row: EventRow) -> list[dict[str, Any]]:
    """Who said what in the event's text or call, in order."""
    if row.name == TRANSCRIPT:
        assert row.conversation_id is not None  # noqa: S101 - a call is a conversation
        found = await inbox.turns_of(session, row.team_id, row.conversation_id)
        return [
            {"speaker": turn.speaker, "at": turn.started_at.isoformat(), "text": turn.text}
            for turn in found
        ]
    text = await messages.message(session, row.team_id, row.payload["message_id"])
    if text is None:
        return []
    speaker = inbox.Speaker.CALLER if text.direction == "inbound" else inbox.Speaker.AGENT
    return [{"speaker": speaker, "at": text.created_at.isoformat(), "text": text.body}]
