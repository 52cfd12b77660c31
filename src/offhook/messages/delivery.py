"""Handing texts over to the carrier, exactly once, and what becomes of them (S6, faults a6, a7).

The steps of one text, each committed before the next: claimed (`sending`, the time noted), posted,
its carrier id stored. Who dies in between leaves a text of which the carrier may know: it is looked
up there before it is ever posted again. The status callback carries our id, so news that are
faster than our own commit find their text.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from offhook import contacts, inbox, numbers
from offhook.carriers import Carriers, MessageStatus, Refused, SmsOut
from offhook.db import Database, Session, for_change, now, publish
from offhook.failpoints import failpoint
from offhook.messages import optouts, rules, threads, units
from offhook.messages.events import MessageDelivered, MessageFailed, MessageSent
from offhook.messages.models import Message
from offhook.messages.rules import Kind, State, Why
from offhook.phone import E164

OPTED_OUT_AT_CARRIER = 21610
STATUS_PATH = "/carriers/twilio/sms-status"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A text that is to be handed over. `doubtful`: an earlier try may have succeeded."""

    team_id: str
    message_id: str
    sms: SmsOut
    attempted_at: datetime
    doubtful: bool
    account_id: str | None


class Delivery:
    """Sends the texts of one installation; `web_url` is where the carrier reports."""

    def __init__(self, database: Database, carriers: Carriers, *, web_url: str) -> None:
        self._database = database
        self._carriers = carriers
        self._web_url = web_url

    async def send_thread(self, team_id: str, conversation_id: str) -> None:
        """Send what waits in this thread, in order. Raises Unreachable; trying again is safe."""
        async with self._database.team(team_id) as session:
            waiting = await threads.unsent(session, team_id, conversation_id)
        for message_id in waiting:
            await self._send(team_id, message_id)

    async def _send(self, team_id: str, message_id: str) -> None:
        async with self._database.team(team_id) as session:
            claimed = await self._claim(session, team_id, message_id)
        if claimed is None:
            return
        failpoint("messages.claimed")
        try:
            accepted = await self._hand_over(claimed)
        except Refused as refusal:
            await self._refused(claimed, refusal)
            return
        failpoint("messages.posted")
        if accepted is None:
            return
        async with self._database.team(team_id) as session:
            message = await _lock(session, team_id, message_id)
            if message is not None:
                await _apply(session, message, accepted)
        failpoint("messages.sent")

    async def _claim(self, session: Session, team_id: str, message_id: str) -> Claimed | None:
        """Mark the text as about to be handed over, or withdraw it (N9, S4, UT10)."""
        message = await _lock(session, team_id, message_id)
        if message is None or message.state not in threads.UNSENT or message.carrier_id:
            return None
        instant = await now(session)
        doubtful = message.state is State.SENDING
        if not doubtful:
            if (why := await why_not_sent(session, message)) is not None:
                await threads.withdraw(session, message, why)
                return None
            message.state = State.SENDING
            message.attempted_at = instant
        elif (instant - message.created_at).total_seconds() > rules.GIVEN_UP_AFTER_S:
            await _fail(session, message, None, "The carrier could not be reached for an hour")
            return None
        message.attempts += 1
        sms = SmsOut(
            sender=E164(message.ours),
            to=E164(message.remote),
            body=message.body,
            status_url=f"{self._web_url}{STATUS_PATH}?message={message.id}",
        )
        account_id = await numbers.account_of(session, message.number_id)
        attempted_at = message.attempted_at or instant
        return Claimed(team_id, message_id, sms, attempted_at, doubtful, account_id)

    async def _hand_over(self, claimed: Claimed) -> MessageStatus | None:
        """Post the text, or adopt the one that the carrier has already (a7)."""
        carrier = await self._carriers.of(claimed.account_id)
        if claimed.doubtful:
            sms = claimed.sms
            found = await carrier.find_sent(
                sender=sms.sender, to=sms.to, body=sms.body, after=claimed.attempted_at
            )
            async with self._database.team(claimed.team_id) as session:
                if found is not None and not await _adopted(session, claimed, found.carrier_id):
                    return MessageStatus(found.carrier_id, found.state, found.error_code)
                message = await _lock(session, claimed.team_id, claimed.message_id)
                if message is None or message.state is not State.SENDING or message.carrier_id:
                    return None
                if (why := await why_not_sent(session, message)) is not None:
                    await threads.withdraw(session, message, why)
                    return None
        sent = await carrier.send(claimed.sms)
        return MessageStatus(sent.carrier_id, sent.state, sent.error_code)

    async def _refused(self, claimed: Claimed, refusal: Refused) -> None:
        """The carrier said no: the unit is given back, nothing is tried again (U8, SM1)."""
        async with self._database.team(claimed.team_id) as session:
            message = await _lock(session, claimed.team_id, claimed.message_id)
            if message is None or message.state is not State.SENDING:
                return
            if refusal.opted_out:
                await _learn_opt_out(session, message)
            await _fail(session, message, refusal.carrier_code, f"Not sent: {refusal.sentence}")


async def why_not_sent(session: Session, message: Message) -> Why | None:
    """What keeps a queued text from being handed over now, or one that came from being answered;
    a confirmation passes (UT9). While a person answers, the agent is silent (S7).
    """
    if message.kind is Kind.CONFIRMATION:
        return None
    if message.kind in {None, Kind.REPLY, Kind.QUESTION} and await inbox.is_taken_over(
        session, message.team_id, message.conversation_id
    ):
        return Why.TAKEN_OVER
    answer = await numbers.answering(
        session, message.team_id, message.number_id, numbers.Service.SMS
    )
    if not isinstance(answer, numbers.Answerer):
        return Why(answer.reason) if answer is not None else Why.DISABLED
    stopped = await optouts.is_opted_out(
        session, message.team_id, ours=message.ours, remote=message.remote
    )
    if stopped:
        return Why.OPTED_OUT
    if message.kind is Kind.BY_HAND:  # a block silences the agent, not the team
        return None
    blocked = await contacts.screened(session, message.team_id, E164(message.remote))
    return Why.BLOCKED if blocked else None


async def sent_from(session: Session, message_id: str, carrier_id: str) -> str | None:
    """The number that sent a text of ours, found as `on_status` finds it; None: not ours."""
    return await session.scalar(
        select(Message.number_id).where(
            Message.id == message_id if message_id else Message.carrier_id == carrier_id
        )
    )


async def on_status(database: Database, message_id: str, news: MessageStatus) -> bool:
    """News of a text of ours, by our id from the signed address, else by the carrier's.

    Repeated, late and contradicting news change nothing that stands (S6, SEC2). False: not ours.
    """
    async with database.system() as session:
        query = select(Message.team_id, Message.id).where(
            Message.id == message_id if message_id else Message.carrier_id == news.message_id
        )
        found = (await session.execute(query)).first()
    if found is None:
        return False
    async with database.team(found.team_id) as session:
        message = await _lock(session, found.team_id, found.id)
        if message is None or message.carrier_id not in {None, news.message_id}:
            return False
        await _apply(session, message, news)
    return True


async def _apply(session: Session, message: Message, news: MessageStatus) -> None:
    """What the carrier says of a text that it has: its id, then its state (S6)."""
    if message.state not in {State.SENDING, State.SENT, *rules.FINAL}:
        return
    told = rules.TOLD[news.state]
    if message.accepted_at is None and message.state is State.SENDING:
        message.carrier_id = news.message_id
        message.accepted_at = await now(session)
        await threads.forget_words(session, message)
        await units.use(session, message)
        await _announce(session, message, MessageSent, segments=message.segments)
    moved = rules.move(message.state, told)
    if moved.contradiction is not None:
        message.contradiction = moved.contradiction
        stands = _failure(message.state, message.error_code) if message.error_code else ""
        note = f"{stands}; later" if stands else "Later"
        note += f" reported as {moved.contradiction}"
        await _show(session, message, note=note)
    if moved.state is State.FAILED:
        if news.error_code == OPTED_OUT_AT_CARRIER:
            await _learn_opt_out(session, message)
        await _fail(session, message, news.error_code, _failure(State.FAILED, news.error_code))
    elif moved.state is not None:
        await _advance(session, message, moved.state, news.error_code)


async def _advance(
    session: Session, message: Message, state: State, error_code: int | None
) -> None:
    message.state = state
    note = ""
    if state in rules.FINAL:
        message.ended_at = await now(session)
    if state is State.DELIVERED:
        await _announce(session, message, MessageDelivered)
    if state is State.UNDELIVERED:
        message.error_code = error_code
        note = _failure(state, error_code)
        await _announce(session, message, MessageFailed, state=state, error_code=error_code)
    await session.flush()
    await _show(session, message, note=note)


async def _fail(session: Session, message: Message, code: int | None, note: str) -> None:
    """A final failure; its unit is given back and can be used again (U8, UT7)."""
    message.state = State.FAILED
    message.error_code = code
    message.ended_at = await now(session)
    await threads.forget_words(session, message)
    await session.flush()
    await _show(session, message, note=note)
    await _announce(session, message, MessageFailed, state=State.FAILED, error_code=code)
    await units.give_back(session, message, reason=f"failed: {code or 'not reached'}")


async def _learn_opt_out(session: Session, message: Message) -> None:
    """The carrier knows of a STOP that we have not seen; from now on we do (SM1)."""
    await optouts.opt_out(
        session,
        message.team_id,
        ours=message.ours,
        remote=message.remote,
        source="carrier",
        conversation_id=message.conversation_id,
    )


async def _show(session: Session, message: Message, *, note: str = "") -> None:
    if message.turn_id:
        await inbox.update_turn(
            session, message.team_id, message.turn_id, status=message.state, note=note[:200] or None
        )


async def _announce(
    session: Session,
    message: Message,
    kind: type[MessageSent] | type[MessageDelivered] | type[MessageFailed],
    **details: object,
) -> None:
    await publish(
        session,
        kind.model_validate(
            {
                "team_id": message.team_id,
                "conversation_id": message.conversation_id,
                "message_id": message.id,
                "number_id": message.number_id,
                "contact_id": message.contact_id,
                **details,
            }
        ),
    )


async def _lock(session: Session, team_id: str, message_id: str) -> Message | None:
    return await session.scalar(
        for_change(select(Message).where(Message.team_id == team_id, Message.id == message_id))
    )


async def _adopted(session: Session, claimed: Claimed, carrier_id: str) -> bool:
    """Whether the carrier's message is another one of ours with the same words."""
    owner = await session.scalar(
        select(Message.id).where(
            Message.team_id == claimed.team_id, Message.carrier_id == carrier_id
        )
    )
    return owner not in {None, claimed.message_id}


def _failure(state: State, code: int | None) -> str:
    words = "Not delivered" if state is State.UNDELIVERED else "Failed"
    return f"{words} (carrier error {code})" if code else words
