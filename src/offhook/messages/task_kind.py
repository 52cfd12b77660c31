"""The kind of task "text to the caller": a text to whoever the conversation is with, nobody else.

The recipient is the conversation's other side, set by code (SEC9); the text is the owner's, with
the inputs in it. Whoever hides gets none, and the agent says so (P5).
"""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from offhook import phone, tasks
from offhook.db import Session
from offhook.inbox import Speaker
from offhook.messages.rules import Kind
from offhook.messages.segments import MAX_CHARACTERS
from offhook.messages.sending import send
from offhook.tasks import templating

HIDDEN = "I cannot text you, because your number is hidden."
NO_NUMBER = "I cannot text you: there is no number to text to."


class TextConfig(BaseModel):
    """What is texted; `{{input}}` stands for an input."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(
        min_length=1,
        max_length=MAX_CHARACTERS,
        examples=["Your table: https://example.com/booking/{{code}}"],
    )
    answer: str = Field(
        default="I have sent you a text.", max_length=400, title="What the agent says"
    )


def text_kind(account_sid: Callable[[], str]) -> tasks.Kind:
    """`account_sid`: the operator's carrier account, for numbers that no team brought."""

    async def show(_: tasks.Means, order: tasks.Order) -> dict[str, str]:
        body = templating.text(order.config.text, order.inputs.get)
        return {"to": order.scope.caller, "text": body}

    async def act(session: Session, order: tasks.Order) -> tasks.Outcome:
        """Raises what `send` raises: its sentence is what the agent says."""
        scope, config = order.scope, order.config
        if not scope.caller:
            return tasks.NotDone(HIDDEN, code="caller_hidden", sent=False)
        if phone.sender(scope.caller).e164 is None:
            return tasks.NotDone(NO_NUMBER, code="no_number", sent=False)
        body = templating.text(config.text, order.inputs.get)
        message = await send(
            session,
            scope.team_id,
            number_id=scope.number_id,
            recipient=phone.E164(scope.caller),
            body=body,
            account_id=account_sid(),
            speaker=Speaker.AGENT,
            kind=Kind.TASK,
        )
        answer = templating.text(config.answer, order.inputs.get)
        return tasks.Done(answer, references={"message_id": message.id}, request={"text": body})

    return tasks.Kind(
        name="text",
        title="Text to the caller",
        description="Texts whoever the conversation is with, from the same number.",
        icon="message-square",
        config=TextConfig,
        effect=lambda _: tasks.Effect.REACH_OUT,
        inside=act,
        show=show,
    )
