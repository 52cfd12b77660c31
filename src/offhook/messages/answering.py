"""One reply per thread to all that waits in it, whatever dies in between (S1, S3, faults a3-a6).

The steps, each committed before the next: the reply's unit is taken and a draft stands for it; the
model is asked, outside any transaction; the reply is written and queued; it is handed over. A job
that starts again finds how far the last one came: a draft keeps its unit, a queued reply is sent.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from offhook import agents, contacts, costs, inbox, numbers, phone, tasks, teams
from offhook.agents import Brain, Briefing, Channel, Cited, Learned, NeedsPerson, Said, Told
from offhook.agents import Speaker as Voice
from offhook.agents import Text as Piece
from offhook.db import Database, Session, now
from offhook.failpoints import failpoint
from offhook.inbox import Conversation, Speaker, Turn
from offhook.messages import delivery, rules, threads, units, wording
from offhook.messages.manners import braking
from offhook.messages.media.sniffing import word_for
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Kind, Outcome, State, Step, Why
from offhook.messages.segments import size
from offhook.messages.wishes import wish_to_stop

HISTORY_TURNS = 60
SETTLED_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Prepared:
    """What one reply is to answer. `asks`: the language of a wish to stop, which is asked
    about instead of asking the model (SEC18).
    """

    team_id: str
    conversation_id: str
    draft_id: str
    answers: frozenset[str]
    snapshot: agents.Snapshot
    history: tuple[Said, ...]
    turns: tuple[tasks.Turn, ...]
    scope: tasks.Scope
    memory: inbox.Memory
    contact_name: str
    local_time: datetime
    asks: str


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    citations: tuple[dict[str, str], ...] = ()
    used: tuple[costs.Used, ...] = ()
    learned: tuple[Learned, ...] = ()
    needs_person: str = ""
    told: tuple[str, ...] = ()
    """Runs whose result the text tells."""


class Answering:
    """The job `messages.answer` of one process."""

    def __init__(
        self,
        database: Database,
        brain: Brain,
        sending: delivery.Delivery,
        runner: tasks.Runner,
    ) -> None:
        self._database = database
        self._runner = runner
        self._brain = brain
        self._sending = sending

    async def answer(self, team_id: str, conversation_id: str, message_id: str = "") -> None:
        """Answer what waits in the thread, and send it. `message_id`: the text that asked for
        this job; without it the thread is answered whatever else has come (the sweeper).
        """
        failpoint("messages.started")
        await self._sending.send_thread(team_id, conversation_id)
        async with self._database.team(team_id) as session:
            prepared = await _prepare(session, team_id, conversation_id, message_id)
        if prepared is None:
            return
        failpoint("messages.reserved")
        tools = await tasks.open_toolbox(self._runner, prepared.scope, prepared.turns)
        await _settled(tools)
        reply = await self._think(prepared, tools)
        failpoint("messages.thought")
        async with self._database.team(team_id) as session:
            written = await _write(session, prepared, reply)
        if written:
            failpoint("messages.written")
            await tools.told(reply.told)
            await self._sending.send_thread(team_id, conversation_id)

    async def _think(self, prepared: Prepared, tools: tasks.Toolbox) -> Reply:
        if prepared.asks:
            return Reply(wording.fixed(prepared.asks).ask)
        used: list[costs.Used] = []
        briefing = Briefing(
            team_id=prepared.team_id,
            snapshot=prepared.snapshot,
            channel=Channel.SMS,
            history=prepared.history,
            search=agents.search_in(self._database, prepared.team_id, prepared.snapshot),
            now=prepared.local_time,
            contact_name=prepared.contact_name,
            tools=tools,
            fillable=prepared.memory.fillable,
            known=prepared.memory.known,
            earlier=prepared.memory.earlier,
            spent=used.extend,
        )
        pieces: list[str] = []
        cited: list[dict[str, str]] = []
        learned, needs_person, told = list[Learned](), "", list[str]()
        async for part in self._brain.reply(briefing):
            if not pieces:
                failpoint("messages.thinking")
            if isinstance(part, Piece):
                pieces.append(part.delta)
            elif isinstance(part, Cited):
                cited.append({"passage_id": part.passage_id, "title": part.title})
            elif isinstance(part, Learned):
                learned.append(part)
            elif isinstance(part, NeedsPerson):
                needs_person = part.reason
            elif isinstance(part, Told):
                told.append(part.run_id)
        text = wording.as_text("".join(pieces), segments=prepared.snapshot.options.reply_segments)
        return Reply(text, tuple(cited), tuple(used), tuple(learned), needs_person, tuple(told))


async def _settled(tools: tasks.Toolbox) -> None:
    """Wait for a run that a dead process left to the sweeper: this reply tells its result (T3)."""
    for _ in range(SETTLED_WITHIN_S):
        if not await tools.running():
            return
        await asyncio.sleep(1)


async def _prepare(
    session: Session, team_id: str, conversation_id: str, message_id: str
) -> Prepared | None:
    """Decide whether to answer now, and hold the reply's unit before the model is asked (UT5)."""
    thread = await inbox.get(session, team_id, conversation_id, lock=True)
    waiting = await threads.waiting(session, team_id, conversation_id)
    instant = await now(session)
    mine = next((each.turn_sequence or 0 for each in waiting if each.id == message_id), None)
    decision = rules.step(
        waiting=len(waiting),
        newer_than_mine=mine is not None and (waiting[-1].turn_sequence or 0) > mine,
        oldest_waiting_s=_age_s(waiting, instant),
    )
    if decision is not Step.ANSWER:
        return None
    answerer = await _may_answer(session, thread, waiting, instant)
    draft = await threads.draft(session, team_id, conversation_id)
    if isinstance(answerer, Why):
        await threads.keep(session, waiting, answerer)
        await braking.raise_to_team(session, thread, answerer)
        if draft is not None:
            await threads.withdraw(session, draft, answerer)
        return None
    if draft is None:
        draft = await _reserve(session, waiting[-1], instant)
        if isinstance(draft, Why):
            await threads.keep(session, waiting, draft)
            return None
    return await _briefed(session, thread, waiting, draft.id, answerer.agent, instant)


async def _may_answer(
    session: Session, thread: Conversation, waiting: list[Message], instant: datetime
) -> numbers.Answerer | Why:
    last = waiting[-1]
    why = await delivery.why_not_sent(session, last)
    answer = await numbers.answering(session, last.team_id, last.number_id, numbers.Service.SMS)
    if why is not None or not isinstance(answer, numbers.Answerer):
        return why or Why.DISABLED
    known = await braking.lately(session, answer.number, thread, instant)
    return braking.held_back(answer.number, thread, known, instant) or answer


async def _reserve(session: Session, last: Message, instant: datetime) -> Message | Why:
    """A draft that holds one unit, or why there is none."""
    draft = Message(
        team_id=last.team_id,
        number_id=last.number_id,
        conversation_id=last.conversation_id,
        contact_id=last.contact_id,
        direction=Direction.OUTBOUND,
        kind=Kind.REPLY,
        carrier_account=last.carrier_account,
        ours=last.ours,
        remote=last.remote,
        state=State.DRAFT,
        created_at=instant,
    )
    session.add(draft)
    await session.flush()
    why = await units.take(session, draft)
    if why is None:
        return draft
    await session.delete(draft)
    await session.flush()
    return why


async def _briefed(
    session: Session,
    thread: Conversation,
    waiting: list[Message],
    draft_id: str,
    snapshot: agents.Snapshot,
    instant: datetime,
) -> Prepared:
    team_id = thread.team_id
    first = max(0, thread.last_sequence - HISTORY_TURNS)
    turns = await inbox.turns_of(session, team_id, thread.id, after=first)
    not_heard = await threads.not_heard(session, team_id, thread.id)
    turns = [each for each in turns if each.id not in not_heard]
    to_answer = {each.turn_id for each in waiting}
    # What waits comes last, also where a reply overtook it: every text after the agent's last
    # turn is unanswered to the brain.
    ordered = [each for each in turns if each.id not in to_answer]
    ordered += [each for each in turns if each.id in to_answer]
    contact = await contacts.of(session, team_id, [thread.contact_id])
    zone = await teams.zone(session, team_id)
    kept = [(turn, said) for turn in ordered if (said := _said(turn)) is not None]
    return Prepared(
        team_id=team_id,
        conversation_id=thread.id,
        draft_id=draft_id,
        answers=frozenset(each.id for each in waiting),
        snapshot=snapshot,
        history=tuple(said for _, said in kept),
        turns=tuple(
            tasks.Turn(turn.sequence, said.speaker is Voice.CALLER, said.text)
            for turn, said in sorted(kept, key=lambda each: each[0].sequence)
        ),
        scope=tasks.Scope(
            team_id=team_id,
            agent_id=snapshot.agent_id,
            conversation_id=thread.id,
            channel=tasks.SMS,
            number_id=thread.number_id,
            contact_id=thread.contact_id or "",
            caller=thread.sender,
            language=snapshot.language,
            timezone=zone,
            country=phone.country_of(phone.E164(thread.sender)) or "US",
        ),
        memory=await inbox.remembered(session, team_id, thread.id, thread.contact_id),
        contact_name=contact[thread.contact_id].name if thread.contact_id in contact else "",
        local_time=instant.astimezone(ZoneInfo(zone)),
        asks=next(filter(None, (wish_to_stop(each.body) for each in waiting)), ""),
    )


def _said(turn: Turn) -> Said | None:
    """A turn as the other side knows it; what never reached them was not said."""
    if turn.speaker is Speaker.NOTICE or turn.status in inbox.UNREAD_BY_THEM:
        return None
    files = [f"({word_for(each['content_type'])})" for each in turn.media]
    return Said(inbox.VOICES[turn.speaker], " ".join([turn.text.strip(), *files]).strip())


async def _write(session: Session, prepared: Prepared, reply: Reply) -> bool:
    """Write the reply and queue it; False if it is not to be sent after all (N9, S3, S4)."""
    team_id, conversation_id = prepared.team_id, prepared.conversation_id
    thread = await inbox.get(session, team_id, conversation_id, lock=True)
    await costs.record(
        session,
        team_id,
        conversation_id=conversation_id,
        number_id=thread.number_id,
        used=reply.used,
    )
    draft = await threads.draft(session, team_id, conversation_id)
    waiting = await threads.waiting(session, team_id, conversation_id)
    answered = [each for each in waiting if each.id in prepared.answers]
    if draft is None or draft.id != prepared.draft_id:
        return False
    if not answered:  # the number was stopped just when the draft was made: nobody else ends it
        if (why := await delivery.why_not_sent(session, draft)) is not None:
            await threads.withdraw(session, draft, why)
        return False
    instant = await now(session)
    if rules.superseded(
        came_meanwhile=len(waiting) > len(answered), oldest_waiting_s=_age_s(waiting, instant)
    ):
        return False  # the draft and its unit stay for the job of the newer text
    if (why := await delivery.why_not_sent(session, draft)) is not None:
        await threads.withdraw(session, draft, why)
        await threads.keep(session, answered, why)
        return False
    turn = await inbox.add_turn(
        session,
        team_id,
        conversation_id,
        speaker=Speaker.AGENT,
        text=reply.text,
        started_at=instant,
        ended_at=instant,
        status=State.QUEUED,
        citations=reply.citations,
    )
    await inbox.learn(session, team_id, conversation_id, thread.contact_id, reply.learned)
    if reply.needs_person:
        await inbox.need_person(session, team_id, conversation_id, reply.needs_person)
    measured = size(reply.text)
    draft.state = State.QUEUED
    draft.kind = Kind.QUESTION if prepared.asks else Kind.REPLY
    draft.body = reply.text
    draft.encoding, draft.segments = measured.encoding, measured.segments
    draft.turn_id, draft.turn_sequence = turn.id, turn.sequence
    for message in answered:
        message.outcome = Outcome.ANSWERED
        message.reply_id = draft.id
    await inbox.set_agent(session, thread, prepared.snapshot.agent_id, prepared.snapshot.version)
    return True


def _age_s(waiting: list[Message], instant: datetime) -> float:
    return (instant - waiting[0].created_at).total_seconds() if waiting else 0.0
