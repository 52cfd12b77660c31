"""Messages as a comparison with the carrier's own records needs them (UC6, UC7), and what it puts
right: a text that no callback told of, a unit of a message that the carrier never had.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from offhook import carriers
from offhook.carriers import InboundSms, Place
from offhook.db import Database, Session, for_change
from offhook.messages import units
from offhook.messages.models import Direction, Message
from offhook.messages.receiving import receive
from offhook.messages.rules import FINAL, State
from offhook.phone import E164, sender

log = logging.getLogger(__name__)
MAX_FILES = 10
AT = func.coalesce(Message.accepted_at, Message.created_at)


@dataclass(frozen=True, slots=True)
class MessageKept:
    """One message of ours that the carrier should know. `counted`: it holds a unit."""

    message_id: str
    team_id: str
    number_id: str
    carrier_id: str
    inbound: bool
    at: datetime
    segments: int
    state: State
    is_final: bool
    counted: bool
    conversation_id: str = ""


async def messages_kept(
    session: Session,
    account_id: str,
    *,
    after: datetime,
    before: datetime,
    carrier_ids: Collection[str],
) -> list[MessageKept]:
    """The messages of all teams in [after, before) that went through this carrier account, and
    those of `carrier_ids` whenever they were. System scope.
    """
    in_time: ColumnElement[bool] = (after <= AT) & (before > AT)
    rows = await session.scalars(
        select(Message)
        .where(
            Message.carrier_account == account_id,
            Message.carrier_id.isnot(None),
            or_(in_time, Message.carrier_id.in_(carrier_ids)),
        )
        .order_by(AT, Message.id)
    )
    return [_kept(message) for message in rows]


async def take_from_list(
    database: Database,
    carrier: carriers.Carrier,
    message: carriers.Message,
    *,
    account_id: str,
    settle_ms: int,
) -> str | None:
    """Store an inbound text that the carrier lists and of which no callback arrived (faults a1).

    Our message's id, an earlier one if it is known; None if the number is nobody's. Raises
    Unreachable, Refused where files came with it that cannot be listed.
    """
    files = await carrier.list_media(message.carrier_id) if message.files else []
    sms = InboundSms(
        message_id=message.carrier_id,
        account_id=account_id,
        sender=sender(message.sender),
        to=E164(message.to),
        body=carriers.readable(message.body),
        segments=message.segments,
        media=tuple(files[:MAX_FILES]),
        place=Place(),
    )
    log.warning("text %s had no callback and is taken from the carrier's list", sms.message_id)
    return await receive(database, sms, account_id=account_id, settle_ms=settle_ms)


async def give_back_unit(
    session: Session, team_id: str, message_id: str, reason: str, *, actor: str = "carrier"
) -> bool:
    """Take the unit of a message back, such as one that the carrier never had (UC6, UC9).

    False: it holds none.
    """
    message = await session.scalar(
        for_change(select(Message).where(Message.team_id == team_id, Message.id == message_id))
    )
    if message is None or not message.counted:
        return False
    await units.give_back(session, message, reason, actor=actor)
    return True


async def message(session: Session, team_id: str, message_id: str) -> Message | None:
    """One text, within its team."""
    return await session.scalar(
        select(Message).where(Message.team_id == team_id, Message.id == message_id)
    )


async def conversations_of(session: Session, message_ids: Collection[str]) -> dict[str, str]:
    """The threads of messages, within what the session sees."""
    rows = await session.execute(
        select(Message.id, Message.conversation_id).where(Message.id.in_(message_ids))
    )
    return {row.id: row.conversation_id for row in rows}


def _kept(message: Message) -> MessageKept:
    return MessageKept(
        message_id=message.id,
        team_id=message.team_id,
        number_id=message.number_id,
        carrier_id=message.carrier_id or "",
        inbound=message.direction is Direction.INBOUND,
        at=message.accepted_at or message.created_at,
        segments=message.segments,
        state=message.state,
        is_final=message.state in FINAL or message.state is State.RECEIVED,
        counted=message.counted,
        conversation_id=message.conversation_id,
    )
