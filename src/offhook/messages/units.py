"""The units of messages on the ledger: taken, used, given back (U5, U8, UT6, UT7).

The one place of this room that calls `usage`. A message that takes no unit (UT9) never gets here.
"""

from offhook import usage
from offhook.db import Session
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Why


async def take(session: Session, message: Message) -> Why | None:
    """Take one unit under the message's id; or why none was to be had, and nothing is taken.

    What came in is used at once; a reply's unit is held until the carrier has taken the text.
    """
    outcome = await usage.take_message(
        session,
        message.team_id,
        number_id=message.number_id,
        message_id=message.id,
        direction=usage.Direction(message.direction),
    )
    message.counted = isinstance(outcome, usage.Granted)
    if isinstance(outcome, usage.Granted):
        return None
    return Why.SPEND_CAP if outcome.reason is usage.Reason.SPEND_CAP else Why.LIMIT_REACHED


async def use(session: Session, message: Message) -> None:
    """The carrier has accepted the text (UT6)."""
    if message.counted and message.direction is Direction.OUTBOUND:
        await usage.post_message(session, message.team_id, message_id=message.id)


async def give_back(
    session: Session, message: Message, reason: str, *, actor: str = "carrier"
) -> None:
    """It was not sent, or has failed: a held unit is voided, a used one corrected (U8, UT7)."""
    if message.counted:
        message.counted = False
        await usage.give_back_message(
            session, message.team_id, message_id=message.id, reason=reason, actor=actor
        )
