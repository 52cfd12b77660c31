"""A text by hand, by program or by a task: checked, its unit taken, queued (S4, U5, UT10)."""

from offhook import contacts, inbox, numbers, phone
from offhook.db import Session, now
from offhook.errors import Conflict, Invalid
from offhook.inbox import Speaker
from offhook.messages import begun, optouts, threads, units
from offhook.messages.models import Direction, Message
from offhook.messages.rules import NOT_SENT, Kind, State, Why
from offhook.messages.segments import MAX_CHARACTERS, size


class MessageEmpty(Invalid):
    code = "message_empty"


class MessageTooLong(Invalid):
    code = "message_too_long"


class RecipientOptedOut(Conflict):
    code = "recipient_opted_out"


class NumberDoesNotSend(Conflict):
    code = "number_does_not_send"


class LimitReached(Conflict):
    code = "limit_reached"


class SpendCapReached(Conflict):
    code = "spend_cap_reached"


REMEDIES = {
    Why.DISABLED: "Enable the number first.",
    Why.SUSPENDED: "Pay what is open on the billing page.",
    Why.SERVICE_OFF: "Switch SMS on for this number.",
    Why.AGENT_NOT_LIVE: "Make its agent live.",
}


async def send_by_hand(
    session: Session,
    team_id: str,
    *,
    number_id: str,
    to: str,
    body: str,
    country: str,
    account_id: str,
    author: str,
) -> Message:
    """Queue `body` from a number of the team to `to`, which is read in `country`'s plan; `author`
    is who writes, as the others of the team see them.

    `account_id` is the operator's account, which all numbers use that no team brought.

    Raises PhoneNumberInvalid, NumberNotFound, MessageEmpty, MessageTooLong, NumberDoesNotSend,
    RecipientOptedOut, QuietHours, EnoughForToday, LimitReached, SpendCapReached; then nothing was
    written.
    """
    recipient = phone.parse(to, country)
    return await send(
        session,
        team_id,
        number_id=number_id,
        recipient=recipient,
        body=body,
        account_id=account_id,
        speaker=Speaker.PERSON,
        kind=Kind.BY_HAND,
        author=author,
    )


async def send(
    session: Session,
    team_id: str,
    *,
    number_id: str,
    recipient: phone.E164,
    body: str,
    account_id: str,
    speaker: Speaker,
    kind: Kind,
    shown: str = "",
    author: str = "",
) -> Message:
    """Queue `body` in the recipient's thread as a turn of `speaker`, which shows `shown` instead
    where that is given. Raises as `send_by_hand`.
    """
    number = await numbers.get(session, team_id, number_id)
    text = _text(body)
    await _check(session, number, recipient)
    if kind is Kind.BY_HAND:  # what a task sends is part of a talk
        await begun.check(session, number, recipient)
    contact = await contacts.on_contact(session, team_id, recipient)
    thread = await inbox.open_thread(
        session,
        team_id,
        number_id=number.id,
        sender=await contacts.spelling(session, team_id, recipient),
        contact_id=contact.id,
    )
    instant = await now(session)
    turn = await inbox.add_turn(
        session,
        team_id,
        thread.id,
        speaker=speaker,
        text=shown or text,
        author=author,
        started_at=instant,
        ended_at=instant,
        status=State.QUEUED,
    )
    measured = size(text)
    message = Message(
        team_id=team_id,
        number_id=number.id,
        conversation_id=thread.id,
        contact_id=contact.id,
        turn_id=turn.id,
        turn_sequence=turn.sequence,
        direction=Direction.OUTBOUND,
        kind=kind,
        carrier_account=await numbers.account_sid(session, number) or account_id,
        ours=number.e164,
        remote=recipient,
        body=text,
        encoding=measured.encoding,
        segments=measured.segments,
        state=State.QUEUED,
        created_at=instant,
    )
    session.add(message)
    await session.flush()
    await threads.enqueue_delivery(session, team_id, thread.id)
    if (why := await units.take(session, message)) is not None:
        raise _no_unit(why, number)
    return message


def _no_unit(why: Why, number: numbers.Number) -> Conflict:
    if why is Why.SPEND_CAP:
        return SpendCapReached(
            "The team's spend cap of this month is reached.",
            remedy="Raise the cap, or wait for the next month.",
        )
    return LimitReached(
        f"{phone.national(phone.E164(number.e164))} has used up its messages of this month.",
        remedy="Raise its limit, or wait for the next month.",
    )


def _text(body: str) -> str:
    text = body.replace("\x00", "").strip()
    if not text:
        raise MessageEmpty("The text is empty.", remedy="Write something.")
    if len(text) > MAX_CHARACTERS:
        raise MessageTooLong(
            f"The text has {len(text):,} characters.",
            remedy=f"Use at most {MAX_CHARACTERS:,}.",
        )
    return text


async def _check(session: Session, number: numbers.Number, recipient: phone.E164) -> None:
    answer = await numbers.answering(session, number.team_id, number.id, numbers.Service.SMS)
    if not isinstance(answer, numbers.Answerer):
        why = Why(answer.reason) if answer is not None else Why.DISABLED
        raise NumberDoesNotSend(f"{NOT_SENT[why]}.", remedy=REMEDIES[why], reason=why)
    if await optouts.is_opted_out(session, number.team_id, ours=number.e164, remote=recipient):
        raise RecipientOptedOut(
            f"{phone.international(recipient)} has opted out of texts from this number.",
            remedy="They can text START to get them again.",
        )
