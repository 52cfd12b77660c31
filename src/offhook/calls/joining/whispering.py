"""A member tells the agent something during a call, unheard by the caller (I5).

It is a line of the transcript that nobody spoke: the media process that has the call is told that
there is one, and the agent takes it into account from its next reply on, also after a transfer
(memory.py reads it). That somebody whispered is in the audit log; what, is not: it may be about the
caller, who can be erased.
"""

from offhook import audit, inbox
from offhook.calls import service
from offhook.calls.joining.service import check_live
from offhook.calls.joining.tickets import Member
from offhook.calls.manners.rules import Answers
from offhook.calls.memory import WHISPER
from offhook.db import Session, touch
from offhook.errors import Conflict, Invalid

MAX_CHARACTERS = 500
WHISPERED = "whispered"


class WhisperInvalid(Invalid):
    code = "whisper_invalid"


class NoAgentListens(Conflict):
    code = "no_agent_listens"


async def whisper(
    session: Session, team_id: str, call_id: str, member: Member, text: str
) -> inbox.Turn:
    """The line as it stands in the transcript.

    Raises CallNotFound, CallNotLive, NoAgentListens, WhisperInvalid; then nothing was written.
    """
    said = " ".join(text.replace("\x00", "").split())
    if not 1 <= len(said) <= MAX_CHARACTERS:
        raise WhisperInvalid(
            f"A whisper has 1 to {MAX_CHARACTERS} characters, not {len(said):,}.",
            remedy="Say in a sentence what the agent should know or do.",
        )
    call = await service.get(session, team_id, call_id, lock=True)
    check_live(call)
    if call.answers is not Answers.AGENT:
        raise NoAgentListens(
            "No agent answers this call: it came outside the number's hours.",
            remedy="Take it over to talk with the caller.",
        )
    turn = await inbox.add_turn(
        session,
        team_id,
        call.conversation_id,
        speaker=inbox.Speaker.NOTICE,
        text=said,
        status=WHISPER,
        author=member.name,
    )
    audit.record(session, team_id, WHISPERED, "call", call_id)
    await touch(session, team_id, f"call:{call_id}")
    return turn
