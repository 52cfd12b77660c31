"""What was said on a call before its present connection: the agent's memory (C6, C7)."""

from offhook import inbox
from offhook.agents import Said, Speaker
from offhook.calls.service import Connected
from offhook.db import Session

_SPEAKERS = {
    inbox.Speaker.CALLER: Speaker.CALLER,
    inbox.Speaker.AGENT: Speaker.AGENT,
    inbox.Speaker.PERSON: Speaker.PERSON,
}


async def memory(session: Session, call: Connected) -> list[Said]:
    """Every turn as it was heard, in order; the product's own notices are nobody's words."""
    turns = await inbox.turns_of(session, call.team_id, call.conversation_id)
    return [Said(_SPEAKERS[turn.speaker], turn.text) for turn in turns if turn.speaker in _SPEAKERS]
