"""What an agent has to know of its call besides what is being said: the turns before its present
connection (C6, C7), and what members have whispered to it (I5).
"""

from sqlalchemy import select

from offhook import inbox
from offhook.agents import Said
from offhook.db import Session

WHISPER = "whisper"
"""The status of a turn that a member told the agent alone."""


async def memory(session: Session, team_id: str, conversation_id: str) -> list[Said]:
    """Every turn as it was heard, in order; the product's own notices are nobody's words."""
    turns = await inbox.turns_of(session, team_id, conversation_id)
    voices = inbox.VOICES
    return [Said(voices[turn.speaker], turn.text) for turn in turns if turn.speaker in voices]


async def whispers(session: Session, team_id: str, conversation_id: str) -> tuple[str, ...]:
    """All that was whispered so far, the oldest first."""
    turn = inbox.Turn
    found = await session.scalars(
        select(turn.text)
        .where(
            turn.team_id == team_id,
            turn.conversation_id == conversation_id,
            turn.speaker == inbox.Speaker.NOTICE,
            turn.status == WHISPER,
        )
        .order_by(turn.sequence)
    )
    return tuple(found)
