"""A reaction is shown on the message of ours that it quotes, counts 1, and gets no reply (S9)."""

from dataclasses import dataclass

from offhook import inbox
from offhook.db import Session
from offhook.inbox import Conversation
from offhook.messages import threads, units
from offhook.messages.models import Message
from offhook.messages.reactions import reaction, reacts_to
from offhook.messages.rules import Outcome

LOOKED_AT = 50
"""How far back in the thread the quoted message may lie."""


@dataclass(frozen=True, slots=True)
class Reacted:
    turn_id: str
    sign: str


async def quoted(session: Session, thread: Conversation, text: str) -> Reacted | None:
    """The message of ours that `text` reacts to; None: it is an ordinary text."""
    found = reaction(text)
    if found is None:
        return None
    ours = await threads.last_of_ours(session, thread.team_id, thread.id, LOOKED_AT)
    turn_id = reacts_to(found, ((each.turn_id or "", each.body) for each in ours))
    return Reacted(turn_id, found.sign) if turn_id else None


async def show(session: Session, message: Message, reacted: Reacted, *, counts: bool) -> None:
    """`message` is the reaction's own row; a later one on the same message takes its place."""
    await inbox.update_turn(session, message.team_id, reacted.turn_id, reaction=reacted.sign)
    message.outcome = Outcome.REACTION
    if counts:
        await units.take(session, message)
