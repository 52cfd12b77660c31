"""The kind of task "call": the agent calls whoever the thread is with, from the same number (C8).

Nobody else can be called by it, whatever a brain says (SEC9). What is said first is the owner's,
with the inputs in it.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from offhook import phone, tasks
from offhook.calls.outbound import rules
from offhook.calls.outbound.starting import Order, start
from offhook.db import Session
from offhook.tasks import templating

NO_NUMBER = "I cannot call you: there is no number to call."


class CallConfig(BaseModel):
    """What the call is about; `{{input}}` stands for an input."""

    model_config = ConfigDict(extra="forbid")
    message: str = Field(
        default="",
        max_length=rules.MAX_MESSAGE_CHARACTERS,
        title="What the call is about",
        description="Said after the number's opening line.",
        examples=["You asked to be called about {{subject}}."],
    )
    answer: str = Field(
        default="I am calling you now.", max_length=400, title="What the agent says"
    )


async def call(session: Session, order: tasks.Order) -> tasks.Outcome:
    """Raises what `start` raises: its sentence is what the agent says."""
    scope, config = order.scope, order.config
    to = phone.sender(scope.caller).e164
    if to is None:
        return tasks.NotDone(NO_NUMBER, code="no_number", sent=False)
    message = templating.text(config.message, order.inputs.get)
    made = await start(
        session,
        scope.team_id,
        Order(scope.number_id, to, asked_by=order.run_id, message=message),
    )
    answer = templating.text(config.answer, order.inputs.get)
    return tasks.Done(answer, references={"call_id": made.id}, request={"message": message})


async def examine(session: Session, order: tasks.Order) -> Mapping[str, str]:
    """Nobody is asked to confirm what cannot be."""
    del session
    return {} if phone.sender(order.scope.caller).e164 else {"": NO_NUMBER}


KIND = tasks.Kind(
    name="call",
    title="Call them",
    description="Calls whoever the texts are with, from the same number.",
    icon="phone-outgoing",
    config=CallConfig,
    effect=lambda _: tasks.Effect.REACH_OUT,
    inside=call,
    examine=examine,
    channels=(tasks.SMS,),
)
