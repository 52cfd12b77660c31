"""The kind "email": a mail to an address that the owner chose, or that the owner lets be said.

The run waits for the mail server's answer, so that the agent knows whether it left (T3).
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

from offhook.errors import Problem
from offhook.mail import MailNotSent, MailUncertain, Message, check_address
from offhook.tasks import templating
from offhook.tasks.http_kind import surroundings
from offhook.tasks.kinds import Done, Kind, Means, NotDone, Order, Outcome
from offhook.tasks.rules import Effect

FAILED = "I am sorry, the mail could not be sent."
UNKNOWN = "I am sorry, I cannot tell whether the mail was sent."


class EmailConfig(BaseModel):
    """One mail to one address."""

    model_config = ConfigDict(extra="forbid")
    to: str = Field(
        max_length=254,
        description="An address, or one {{input}} of the type email: then whatever is said.",
        examples=["desk@example.com"],
    )
    reply_to: str = Field(default="", max_length=254, description="An {{input}} or an address.")
    subject: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=10_000)
    answer: str = Field(default="The mail is sent.", max_length=400, title="What the agent says")

    @field_validator("to", "reply_to")
    @classmethod
    def _address(cls, value: str) -> str:
        text = value.strip()
        if not text or templating.PLACE.fullmatch(text):
            return text
        try:
            return check_address(text)
        except Problem as problem:
            raise ValueError(problem.sentence) from None

    @field_validator("to")
    @classmethod
    def _somebody(cls, value: str) -> str:
        if not value:
            raise ValueError("write whom the mail goes to")
        return value


async def show(_: Means, order: Order) -> Mapping[str, str]:
    """The mail as it would be sent."""
    values = surroundings(order)
    return {
        name: templating.text(getattr(order.config, name), values.get)
        for name in ("to", "reply_to", "subject", "text")
    }


async def act(means: Means, order: Order) -> Outcome:
    """Hand the mail to the server once; its answer decides."""
    config: EmailConfig = order.config
    values = surroundings(order)
    filled = await show(means, order)
    try:
        said = await means.mailer.send(Message(id=order.run_id, **filled))
    except Problem as problem:
        uncertain = isinstance(problem, MailUncertain)
        return NotDone(
            UNKNOWN if uncertain else FAILED,
            code=problem.code,
            sent=uncertain,
            passing=isinstance(problem, MailNotSent),
            request=filled,
            response=problem.sentence,
        )
    answer = templating.text(config.answer, lambda name: templating.spoken(values.get(name)))
    return Done(answer, request=filled, response=said)


KIND = Kind(
    name="email",
    title="Email",
    description="Mails what was said to an address.",
    icon="mail",
    config=EmailConfig,
    effect=lambda _: Effect.REACH_OUT,
    outside=act,
    show=show,
)
