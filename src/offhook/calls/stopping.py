"""What other rooms ask of calls: end them when a number stops, and where to follow their words."""

from offhook import numbers
from offhook.calls import reading, service
from offhook.calls.admission import CARRIED_STATES, LIVE_STATES
from offhook.calls.rules import End
from offhook.calls.tokens import watch_token
from offhook.db import Session
from offhook.numbers import Reason


async def when_number_stopped(
    session: Session, number: numbers.Number, stopped: numbers.Service | None
) -> None:
    """End the live calls of a number whose calls stopped, and say why (N9, N11); texts are not
    ours.
    """
    if stopped in {None, numbers.Service.CALLS}:
        calls = numbers.Service.CALLS
        answer = await numbers.answering(session, number.team_id, number.id, calls)
        suspended = isinstance(answer, numbers.Refusal) and answer.reason is Reason.SUSPENDED
        reason = End.SUSPENDED if suspended else End.NUMBER_DISABLED
        await service.end_calls_of(session, number.team_id, number.id, reason)


async def words_url(session: Session, team_id: str, call_id: str, secret: bytes) -> str | None:
    """Where the words of a live call can be followed; "" while no media process has it: it rings,
    or the caller is put through. None when it is over.
    """
    call = await service.get(session, team_id, call_id)
    if call.state not in LIVE_STATES:
        return None
    url = await reading.node_url(session, call) if call.state in CARRIED_STATES else None
    return f"{url}/watch/{call.id}?token={watch_token(secret, call.id)}" if url else ""
