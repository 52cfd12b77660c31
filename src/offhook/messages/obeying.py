"""Keywords and plain wishes honoured, whatever limits and status say (S4, SEC18, UT8, UT9)."""

from dataclasses import dataclass

from offhook import inbox, numbers
from offhook.carriers import InboundSms
from offhook.db import Session, now
from offhook.inbox import Speaker
from offhook.messages import optouts, threads, units, wording
from offhook.messages.keywords import Keyword, keyword, language_of
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Kind, Outcome, State, Why
from offhook.messages.segments import size
from offhook.messages.wishes import agrees, wish_to_stop

NOTED = {
    Keyword.STOP: "Opted out",
    Keyword.START: "Opted in again",
    Keyword.HELP: "Asked for help",
}
NOT_COUNTED = "Sent automatically, not counted"


@dataclass(frozen=True, slots=True)
class Order:
    """What a text orders. `language`: that of the text; "" where it does not tell."""

    word: Keyword
    source: str
    language: str


async def order(
    session: Session, message: Message, sms: InboundSms, *, stopped: bool
) -> Order | None:
    """STOP, START or HELP: by the carrier's word, by our own reading, or by what somebody says to
    our question whether to stop, be it yes or the wish once more (S4, SEC18). `stopped`: whether
    they are opted out.
    """
    if sms.sender.e164 is None:
        return None
    if sms.opt_out.casefold() in set(Keyword):
        return Order(Keyword(sms.opt_out.casefold()), "keyword", language_of(sms.body))
    word = keyword(sms.body, opted_out=stopped)
    if word is not None:
        return Order(word, "keyword", language_of(sms.body))
    wish = wish_to_stop(sms.body)
    if stopped or not (wish or agrees(sms.body)):
        return None
    for last in await threads.last_of_ours(session, message.team_id, message.conversation_id):
        if last.kind is Kind.QUESTION:
            return Order(Keyword.STOP, "wish", wish or wording.asked_in(last.body))
    return None


async def obey(
    session: Session,
    message: Message,
    given: Order,
    answer: numbers.Answerer | numbers.Refusal | None,
    *,
    confirms: bool,
) -> None:
    """Do it. One confirmation at most, none beside the carrier's own; the text counts 1 where there
    is room.
    """
    team_id, thread = message.team_id, message.conversation_id
    pair = {"ours": message.ours, "remote": message.remote, "conversation_id": thread}
    language = given.language
    if not language and isinstance(answer, numbers.Answerer):
        language = answer.agent.language
    said = wording.fixed(language)
    confirmation = said.help
    if given.word is Keyword.STOP:
        news = await optouts.opt_out(session, team_id, source=given.source, **pair)
        await threads.withdraw_thread(session, team_id, thread, Why.OPTED_OUT)
        confirmation = said.stopped if news else ""
    elif given.word is Keyword.START:
        news = await optouts.opt_in(session, team_id, **pair)
        confirmation = said.started if news else ""
    message.outcome = Outcome.KEYWORD
    await threads.note(session, message, NOTED[given.word])
    if confirmation and confirms:
        await _confirm(session, message, confirmation)
    if threads.not_served(answer) is None:
        await units.take(session, message)


async def _confirm(session: Session, message: Message, text: str) -> None:
    """Queue the confirmation: uncounted, and sent whatever the limit says (UT9)."""
    turn = await inbox.add_turn(
        session,
        message.team_id,
        message.conversation_id,
        speaker=Speaker.NOTICE,
        text=text,
        status=State.QUEUED,
        note=NOT_COUNTED,
    )
    measured = size(text)
    session.add(
        Message(
            team_id=message.team_id,
            number_id=message.number_id,
            conversation_id=message.conversation_id,
            contact_id=message.contact_id,
            turn_id=turn.id,
            turn_sequence=turn.sequence,
            direction=Direction.OUTBOUND,
            kind=Kind.CONFIRMATION,
            carrier_account=message.carrier_account,
            ours=message.ours,
            remote=message.remote,
            body=text,
            encoding=measured.encoding,
            segments=measured.segments,
            state=State.QUEUED,
            created_at=await now(session),
        )
    )
    await session.flush()
    await threads.enqueue_delivery(session, message.team_id, message.conversation_id)
