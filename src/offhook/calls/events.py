"""What calls announce (webhooks.md, Events): ids and state, no words of anybody."""

from typing import ClassVar, TypedDict

from offhook.db import Event


class CallEvent(Event):
    call_id: str
    number_id: str
    contact_id: str | None = None
    direction: str = "inbound"

    def topics(self) -> tuple[str, ...]:
        return (*super().topics(), f"call:{self.call_id}", f"number:{self.number_id}", "calls")


class About(TypedDict):
    """The ids that every event of a call carries."""

    team_id: str
    conversation_id: str
    call_id: str
    number_id: str
    contact_id: str | None
    direction: str


class CallStarted(CallEvent):
    """A call reached us and will be answered; outbound: we begin to call."""

    event: ClassVar[str] = "call.started"


class CallRefused(CallEvent):
    """A call was not answered; `reason` is one of the refusals."""

    event: ClassVar[str] = "call.refused"
    reason: str


class CallAnswered(CallEvent):
    """The audio is connected and the agent begins to speak."""

    event: ClassVar[str] = "call.answered"


class CallTransferred(CallEvent):
    """The caller was put through to a person of the team's list, who took the call."""

    event: ClassVar[str] = "call.transferred"
    transfer_id: str
    target_id: str


class CallEnded(CallEvent):
    """The call is over and its minutes are settled."""

    event: ClassVar[str] = "call.ended"
    reason: str
    duration_s: int
    minutes: int


class RecordingReady(CallEvent):
    """The recording of a call is whole and can be heard."""

    event: ClassVar[str] = "recording.ready"
    duration_ms: int


class RecordingFailed(CallEvent):
    """A call has no recording, though one was to be made."""

    event: ClassVar[str] = "recording.failed"


class TranscriptReady(CallEvent):
    """Nothing is added to the transcript of a call any more."""

    event: ClassVar[str] = "transcript.ready"
