"""A thread over REST: taking it over from the agent, and handing it back (S7)."""

from fastapi import APIRouter
from pydantic import BaseModel

from offhook import inbox
from offhook.messages import taking_over
from offhook.teams import CurrentActor, TeamSession

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])


class AnsweredBy(BaseModel):
    """Who answers a thread. `taken_over_by`: a member's or a key's id; "" for the agent."""

    conversation_id: str
    taken_over_by: str

    @classmethod
    def of(cls, thread: inbox.Conversation) -> "AnsweredBy":
        return cls(conversation_id=thread.id, taken_over_by=thread.taken_over_by)


@router.post("/{conversation_id}/take-over", summary="Take a thread over from the agent")
async def take_over(conversation_id: str, actor: CurrentActor, session: TeamSession) -> AnsweredBy:
    """The agent is silent from now on, what it had not yet sent included; texts still count."""
    thread = await taking_over.take_over(
        session, actor.team_id, conversation_id, actor.who, actor.email
    )
    return AnsweredBy.of(thread)


@router.post("/{conversation_id}/hand-back", summary="Hand a thread back to the agent")
async def hand_back(conversation_id: str, actor: CurrentActor, session: TeamSession) -> AnsweredBy:
    """The agent answers again, first what nobody has answered."""
    thread = await taking_over.hand_back(session, actor.team_id, conversation_id, actor.email)
    return AnsweredBy.of(thread)
