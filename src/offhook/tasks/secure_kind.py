"""The kind "Digits by keypad": a caller keys in digits that nobody sees and nothing keeps.

They go to the owner's own system in one request and are forgotten: not in the run's record, the
transcript, the recording, a log, an event (SEC20). The brain learns only what the system answered.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from offhook.tasks import http_kind
from offhook.tasks.keypads import Wanted
from offhook.tasks.kinds import Kind, Means, NotDone, Order, Outcome
from offhook.tasks.requests import Pair, RequestConfig
from offhook.tasks.rules import Effect
from offhook.tasks.scope import CALL

WAITS_S = 90.0
MAX_DIGITS = 40
DIGITS = "digits"
NO_KEYPAD = "That can only be keyed in during a call."
NO_DIGITS = "I am sorry, I did not get the digits."
BODY = {
    "digits": "{{secret:digits}}",
    "run_id": "{{run.id}}",
    "conversation_id": "{{conversation.id}}",
    "contact_id": "{{contact.id}}",
    "phone": "{{contact.phone}}",
}


class SecureConfig(BaseModel):
    """Digits that go to your system alone."""

    model_config = ConfigDict(extra="forbid")
    what: str = Field(
        min_length=1,
        max_length=60,
        title="What they key in",
        description="As the agent says it.",
        examples=["card number"],
    )
    url: str = Field(
        min_length=1,
        max_length=2_000,
        title="Address",
        description="Gets the digits as JSON by POST, over HTTPS.",
        examples=["https://example.com/cards"],
    )
    authorization: str = Field(
        default="",
        max_length=400,
        description="The Authorization header, such as Bearer {{secret:PAYMENTS}}.",
    )
    least: int = Field(default=4, ge=1, le=MAX_DIGITS, title="Fewest digits")
    most: int = Field(default=19, ge=1, le=MAX_DIGITS, title="Most digits")
    luhn: bool = Field(
        default=False,
        title="Card number",
        description="Its check digit is looked at: a number that was keyed in wrongly is not sent.",
    )
    answer: str = Field(
        default="",
        max_length=1_000,
        title="What the agent says",
        description="Then; {{answer.path}} is of the answer.",
    )
    failure: str = Field(default="", max_length=400, title="What it says when it failed")

    @field_validator("url")
    @classmethod
    def _fixed_host(cls, url: str) -> str:
        return RequestConfig.model_validate({"url": url}).url

    @model_validator(mode="after")
    def _in_order(self) -> "SecureConfig":
        if self.least > self.most:
            raise ValueError(f"{self.least} digits at least are more than {self.most} at most")
        return self

    def request(self) -> RequestConfig:
        """The one request that they are sent in."""
        headers = [Pair(name="Authorization", value=self.authorization)]
        return RequestConfig(
            url=self.url,
            headers=headers if self.authorization else [],
            body=dict[str, Any](BODY),
            answer=self.answer,
            failure=self.failure,
        )


async def act(means: Means, order: Order) -> Outcome:
    """Ask, send once, forget."""
    config: SecureConfig = order.config
    keypad = means.keypads.of(order.scope.conversation_id)
    if keypad is None:
        return NotDone(NO_KEYPAD, code="no_keypad", sent=False)
    wanted = Wanted(config.what, config.least, config.most, config.luhn)
    digits = await keypad.collect(wanted)
    if digits is None:
        return NotDone(config.failure or NO_DIGITS, code="no_digits", sent=False)
    return await http_kind.send(means, order, config.request(), {DIGITS: digits})


def _readback(order: Order) -> str:
    config: SecureConfig = order.config
    return f"I will ask you to key in your {config.what}; it is not recorded. Shall we do that?"


KIND = Kind(
    name="secure_digits",
    title="Digits by keypad",
    description="The caller keys in digits that go to your system alone and are kept nowhere.",
    icon="lock-keyhole",
    config=SecureConfig,
    effect=lambda _: Effect.ACT,
    outside=act,
    inputs=lambda _: (),
    readback=_readback,
    channels=(CALL,),
    live=True,
    waits_s=WAITS_S,
)
