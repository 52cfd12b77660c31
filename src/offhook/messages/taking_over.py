"""A person answers a thread by hand, and hands it back (S7).

While it is theirs the agent is silent: nothing is asked of the model, and what was not yet handed
to the carrier is not sent. Handed back, the agent answers what nobody has answered, and knows what
was said meanwhile.
"""

from offhook import inbox
from offhook.db import Session
from offhook.messages import threads
from offhook.messages.receiving import await_answer


async def take_over(
    session: Session, team_id: str, conversation_id: str, by: str, name: str
) -> inbox.Conversation:
    """`by`, called `name`, answers from now on. Raises NotAThread, TakenOver."""
    thread = await inbox.take_over(session, team_id, conversation_id, by, name)
    await threads.leave_to_person(session, team_id, conversation_id)
    return thread


async def hand_back(
    session: Session, team_id: str, conversation_id: str, name: str
) -> inbox.Conversation:
    """The agent answers again, also what was left; `name` gave it back. Raises NotAThread."""
    return await _give_back(session, team_id, conversation_id, f"{name} handed back to the agent")


async def when_member_removed(session: Session, team_id: str, user_id: str, email: str) -> None:
    """Nobody waits for a person who has left: their threads are the agent's again (S7)."""
    for conversation_id in await inbox.taken_over_by(session, team_id, user_id):
        why = f"{email} has left the team: the agent answers again"
        await _give_back(session, team_id, conversation_id, why)


async def _give_back(
    session: Session, team_id: str, conversation_id: str, why: str
) -> inbox.Conversation:
    thread = await inbox.hand_back(session, team_id, conversation_id, why)
    for message in await threads.left_unanswered(session, team_id, conversation_id):
        message.why = None
        if message.turn_id:
            await inbox.update_turn(session, team_id, message.turn_id, note="")
        await await_answer(session, message)
    return thread
