"""What numbers/ asks of messages when a number or its SMS stops (N9)."""

from offhook import numbers
from offhook.db import Session
from offhook.messages import threads
from offhook.messages.rules import Why


async def when_number_stopped(
    session: Session, number: numbers.Number, stopped: numbers.Service | None
) -> None:
    """Replies that are not yet handed over are withdrawn in the transaction that stops it; their
    threads say why (N11).
    """
    if stopped in {None, numbers.Service.SMS}:
        sms = numbers.Service.SMS
        answer = await numbers.answering(session, number.team_id, number.id, sms)
        why = threads.not_served(answer) or Why.DISABLED
        await threads.withdraw_number(session, number.team_id, number.id, why)
