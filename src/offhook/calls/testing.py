"""A call made a test of its agent: what was said and done, held again with its draft."""

from offhook import agents, inbox, tasks
from offhook.calls import service
from offhook.calls.rules import CallState
from offhook.db import Session
from offhook.errors import Conflict


class CallGoesOn(Conflict):
    code = "call_goes_on"


async def make_test(session: Session, team_id: str, call_id: str, *, by: str) -> agents.Trial:
    """The call's test, held at once with the draft; made before, it is held again.

    Raises CallNotFound, CallGoesOn, AgentNotFound, NothingToTest, TooManyTests.
    """
    call = await service.get(session, team_id, call_id)
    if call.state is CallState.REFUSED:
        raise agents.NothingToTest(
            "The call was not answered.", remedy="Choose one in which the agent spoke."
        )
    if call.state is not CallState.ENDED:
        raise CallGoesOn("The call is not over.", remedy="Make the test when it has ended.")
    chat = await inbox.get(session, team_id, call.conversation_id)
    turns = await inbox.turns_of(session, team_id, call.conversation_id)
    runs = await tasks.runs_of(session, team_id, [call.conversation_id])
    past = agents.Past(
        id=call.conversation_id,
        channel=agents.Channel.CALL,
        name=chat.title or chat.preview,
        contact_id=call.contact_id,
        turns=[
            agents.Spoke(speaker=inbox.VOICES[turn.speaker], text=turn.text, at=turn.started_at)
            for turn in turns
            if turn.speaker in inbox.VOICES
        ],
        done=[
            (
                run.confirmed_at or run.proposed_at,
                agents.Done(task_id=run.task_id, title=run.title, inputs=run.inputs),
            )
            for run in runs
        ],
    )
    agent_id = agents.from_json(call.agent).agent_id
    kept = await agents.keep_test(session, team_id, agent_id, past, by=by)
    return await agents.ask_test(session, team_id, agent_id, kept.id)
