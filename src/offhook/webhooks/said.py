"""What was said, for the endpoints that ask for it (W12): a text's words, a call's transcript.

Read when an event's bytes are first made; the rooms that keep the words read them.
"""

from typing import Any

from offhook import inbox, messages
from offhook.db import EventRow, Session

TRANSCRIPT = "transcript.ready"
SPEAKING = [
    TRANSCRIPT,
    *(f"message.{state}" for state in ("received", "refused", "sent", "delivered", "failed")),
]
"""Events that have words which an endpoint may ask for."""


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
