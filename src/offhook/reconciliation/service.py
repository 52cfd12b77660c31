"""A day is compared: the carrier's lists beside our calls and messages, what differs put right.

    gather      the carrier's lists (no transaction), then our side (one transaction)
    settle      one transaction for each difference: its correction and its row
    conclude    totals of each number, and the day itself

Every step may be killed and the whole be run again: corrections are once per unit, differences
once per record of the carrier, and what was done is not done again.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from offhook import calls, carriers, messages, numbers, usage
from offhook.calls import CallKept
from offhook.carriers import CallRecord, Carrier, Message
from offhook.db import Database, Session, now
from offhook.errors import Problem
from offhook.failpoints import failpoint
from offhook.messages import MessageKept
from offhook.numbers import Number
from offhook.prices import Money
from offhook.prices.money import DEFAULT_CURRENCY
from offhook.reconciliation import costing, rules
from offhook.reconciliation.models import REASON_LENGTH, Difference, NumberDay, ReconciledDay
from offhook.reconciliation.rules import Action, Finding, Kind
from offhook.usage import Direction, Service

log = logging.getLogger(__name__)
MARGIN = timedelta(hours=1)  # a call may begin on the other side of midnight there
RECONCILIATION = "reconciliation"  # the actor of corrections that nobody made by hand
REASONS = {
    Kind.SHORTER: "the carrier counted fewer minutes",
    Kind.MISSING_THERE: "the carrier has no record of it",
}


@dataclass(frozen=True, slots=True)
class Account:
    """A carrier account whose records are compared. `id` is the carrier's own of it, `own_id`
    ours where a team brought it (A7).
    """

    id: str
    carrier: Carrier
    settle_ms: int
    own_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and whose it is."""

    team_id: str
    number_id: str
    at: datetime
    finding: Finding


@dataclass(frozen=True, slots=True)
class Gathered:
    """Both sides of a day, and who held the numbers of their records then.

    `legs`: second legs of transfers, which are no calls of their own (UM9).
    """

    day: date
    at: datetime
    our_calls: dict[str, CallKept]
    our_messages: dict[str, MessageKept]
    billed: dict[str, usage.Units]
    their_calls: dict[str, CallRecord]
    their_messages: dict[str, Message]
    legs: list[CallRecord]
    holders: dict[str, Number]

    def units(self, call: CallKept | None) -> usage.Units:
        return self.billed.get(call.call_id, rules.NOTHING) if call else rules.NOTHING


async def check_day(database: Database, account: Account, day: date) -> int:
    """Compare one day and put right what differs; the number of differences.

    Raises CarrierProblem when the carrier's lists cannot be read: nothing was done.
    """
    sides = await _gather(database, account, day)
    failpoint("reconciliation.gathered")
    found = _compare(sides)
    for each in found:
        try:
            await _settle(database, account, sides, each)
        except Problem as problem:  # it is listed, and keeps no other from being put right
            log.exception("incident: %s could not be put right", each.finding)
            await _list_only(database, account, each, problem)
        failpoint("reconciliation.settled")
    await _conclude(database, account, sides, found)
    return len(found)


async def _gather(database: Database, account: Account, day: date) -> Gathered:
    after, before = rules.span(day)
    wide = {"after": after - MARGIN, "before": before + MARGIN}
    listed = await account.carrier.list_calls(**wide)
    their_calls = {each.carrier_id: each for each in listed if not each.parent_id}
    legs = [each for each in listed if each.parent_id]
    their_messages = {each.carrier_id: each for each in await account.carrier.list_messages(**wide)}
    async with database.system() as session:
        at = await now(session)
        kept = await calls.calls_kept(
            session, after=after, before=before, carrier_ids=their_calls.keys()
        )
        accounts = await numbers.accounts_of(session, {each.number_id for each in kept})
        our_calls = {
            each.carrier_id: each for each in kept if accounts[each.number_id] == account.own_id
        }
        our_messages = {
            each.carrier_id: each
            for each in await messages.messages_kept(
                session, account.id, after=after, before=before, carrier_ids=their_messages.keys()
            )
        }
        ids = [each.call_id for each in our_calls.values()]
        billed = await usage.units_of(session, Service.CALLS, ids)
        records = [*their_calls.values(), *their_messages.values()]
        held = await numbers.holders(session, {each.ours for each in records})
    holders = {
        each.carrier_id: holder
        for each in records
        if (holder := numbers.holder_at(held, each.ours, _began(each))) is not None
        and holder.account_id == account.own_id
    }
    for leg in legs:
        if (holder := holders.get(leg.parent_id)) is not None:
            holders[leg.carrier_id] = holder
    return Gathered(
        day, at, our_calls, our_messages, billed, their_calls, their_messages, legs, holders
    )


def _began(record: CallRecord | Message) -> datetime:
    return record.at if isinstance(record, CallRecord) else record.created_at


def _compare(sides: Gathered) -> list[Found]:
    """Everything of the day that differs, in the order of time."""
    found: list[Found] = []
    for key in sides.our_calls.keys() | sides.their_calls.keys():
        call, record = sides.our_calls.get(key), sides.their_calls.get(key)
        finding = rules.compare_call(call, sides.units(call), record, sides.at)
        found += _placed(sides, key, finding, call, record)
    for key in sides.our_messages.keys() | sides.their_messages.keys():
        message, told = sides.our_messages.get(key), sides.their_messages.get(key)
        finding = rules.compare_message(message, told, sides.at)
        found += _placed(sides, key, finding, message, told)
    return sorted(found, key=lambda each: (each.at, each.finding.carrier_id))


def _placed(
    sides: Gathered,
    key: str,
    finding: Finding | None,
    ours: CallKept | MessageKept | None,
    theirs: CallRecord | Message | None,
) -> list[Found]:
    """The finding with its holder, if it is of this day: by our time, else by theirs."""
    if finding is None:
        return []
    if ours is not None:
        place = Found(ours.team_id, ours.number_id, ours.at, finding)
    else:
        holder = sides.holders.get(key)
        if holder is None or theirs is None:
            return []
        place = Found(holder.team_id, holder.id, _began(theirs), finding)
    return [place] if rules.day_of(place.at) == sides.day else []


async def _settle(database: Database, account: Account, sides: Gathered, found: Found) -> None:
    """One difference: what is done about it and its row, in one transaction."""
    finding = found.finding
    subject_id = finding.subject_id
    if finding.action is Action.FETCHED:
        subject_id = await _fetch(database, account, sides, found)
    elif finding.action is Action.UPDATED:
        await _take_over(database, sides.their_messages[finding.carrier_id])
    async with database.team(found.team_id) as session:
        row = await _row(session, account, found, subject_id)
        if row.action.is_done:
            return
        row.subject_id = subject_id
        row.action, row.theirs, row.their_seconds = (
            finding.action, finding.theirs, round(finding.theirs_s)
        )  # fmt: skip
        if finding.action is Action.FETCHED and not subject_id:
            row.action = Action.NONE  # nobody holds the number any more
        act = ACTS.get((finding.service, finding.action))
        if act is not None:
            row.units = await act(session, sides, found)
        if row.action.is_done:
            row.acted_at = await now(session)
            row.actor, row.reason = RECONCILIATION, REASONS.get(finding.kind, "")
            log.error("incident: %s %s: %s", finding.kind, finding.carrier_id, row.action)


async def _list_only(database: Database, account: Account, found: Found, problem: Problem) -> None:
    async with database.team(found.team_id) as session:
        row = await _row(session, account, found, found.finding.subject_id)
        row.reason = problem.sentence[:REASON_LENGTH]


async def _row(session: Session, account: Account, found: Found, subject_id: str) -> Difference:
    """The difference's row, locked; a new one if it was not seen before."""
    finding = found.finding
    row = await session.scalar(
        select(Difference)
        .where(
            Difference.team_id == found.team_id,
            Difference.account_id == account.id,
            Difference.service == finding.service,
            Difference.carrier_id == finding.carrier_id,
        )
        .with_for_update(key_share=True)
    )
    if row is None:
        row = Difference(
            team_id=found.team_id,
            account_id=account.id,
            day=rules.day_of(found.at),
            number_id=found.number_id,
            service=finding.service,
            kind=finding.kind,
            carrier_id=finding.carrier_id,
            subject_id=subject_id,
            ours=finding.ours,
            theirs=finding.theirs,
            our_seconds=round(finding.ours_s),
            their_seconds=round(finding.theirs_s),
            action=Action.NONE,
            units=0,
            found_at=await now(session),
        )
        session.add(row)
        await session.flush()
    return row


async def _take_back_minutes(session: Session, _: Gathered, found: Found) -> int:
    taken = await usage.correct_minutes(
        session,
        found.team_id,
        call_id=found.finding.subject_id,
        keep=found.finding.keep,
        reason=REASONS[found.finding.kind],
        actor=RECONCILIATION,
    )
    return -taken


async def _take_back_message(session: Session, _: Gathered, found: Found) -> int:
    reason = REASONS[found.finding.kind]
    taken = await messages.give_back_unit(session, found.team_id, found.finding.subject_id, reason)
    return -1 if taken else 0


async def _charge(session: Session, sides: Gathered, found: Found) -> int:
    record = sides.their_calls[found.finding.carrier_id]
    return await usage.record_from_carrier(
        session,
        found.team_id,
        number_id=found.number_id,
        call_id=record.carrier_id,
        answered_at=record.at,
        seconds=record.duration_s,
        direction=Direction(record.direction.value),
    )


Act = Callable[[Session, Gathered, Found], Awaitable[int]]
ACTS: dict[tuple[Service, Action], Act] = {
    (Service.CALLS, Action.TAKEN_BACK): _take_back_minutes,
    (Service.SMS, Action.TAKEN_BACK): _take_back_message,
    (Service.CALLS, Action.CHARGED): _charge,
}


async def _fetch(database: Database, account: Account, sides: Gathered, found: Found) -> str:
    """Our id of a text that only the carrier had; empty where its holder is another one now."""
    async with database.system() as session:
        record = sides.their_messages[found.finding.carrier_id]
        holder = await numbers.held(session, record.ours)
    if holder is None or holder.id != found.number_id:
        return ""
    stored = await messages.take_from_list(
        database, account.carrier, record, account_id=account.id, settle_ms=account.settle_ms
    )
    return stored or ""


async def _take_over(database: Database, record: Message) -> None:
    news = carriers.MessageStatus(record.carrier_id, record.state, record.error_code)
    await messages.on_status(database, "", news)


async def _conclude(
    database: Database, account: Account, sides: Gathered, found: Collection[Found]
) -> None:
    await _say_what_agrees(database, account, sides, {each.finding.carrier_id for each in found})
    await _write_totals(database, sides)
    if account.own_id is None:
        await costing.book(database, _priced(sides))
    async with database.system() as session:
        row = await session.get(
            ReconciledDay, (account.id, sides.day), with_for_update={"key_share": True}
        )
        if row is None:
            row = ReconciledDay(account_id=account.id, day=sides.day)
            session.add(row)
        row.checked_at = sides.at
        row.final_at = sides.at if rules.is_final(sides.day, sides.at) else None
        row.calls, row.messages = len(sides.their_calls), len(sides.their_messages)
        row.differences = len(found)


def _priced(sides: Gathered) -> list[costing.Priced]:
    """The records of held numbers that the carrier has set a price for."""
    threads = {call.carrier_id: call.conversation_id for call in sides.our_calls.values()}
    threads |= {text.carrier_id: text.conversation_id for text in sides.our_messages.values()}
    threads |= {leg.carrier_id: threads.get(leg.parent_id, "") for leg in sides.legs}
    records = (*sides.their_calls.values(), *sides.legs, *sides.their_messages.values())
    return [
        costing.Priced(
            team_id=holder.team_id,
            number_id=holder.id,
            conversation_id=threads.get(record.carrier_id) or None,
            carrier_id=record.carrier_id,
            at=_began(record),
            money=Money(record.price_micros, record.currency or DEFAULT_CURRENCY),
        )
        for record in records
        if record.price_micros is not None and (holder := sides.holders.get(record.carrier_id))
    ]


async def _say_what_agrees(
    database: Database, account: Account, sides: Gathered, differs: Collection[str]
) -> None:
    """A difference that waited and is none any more stays listed and says so."""
    async with database.system() as session:
        rows = await session.scalars(
            select(Difference)
            .where(
                Difference.account_id == account.id,
                Difference.day == sides.day,
                Difference.action == Action.WAITING,
                Difference.carrier_id.not_in(differs),
            )
            .with_for_update(key_share=True)
        )
        for row in rows:
            row.action = Action.AGREES


async def _write_totals(database: Database, sides: Gathered) -> None:
    """Of the day's own records only; the others belong to its neighbours. As billed now."""
    called = [each for each in sides.our_calls.values() if _is_today(sides, each.at)]
    texted = [each for each in sides.our_messages.values() if _is_today(sides, each.at)]
    told = [
        (sides.holders[each.carrier_id].id, each)
        for each in (*sides.their_calls.values(), *sides.legs, *sides.their_messages.values())
        if each.carrier_id in sides.holders and _is_today(sides, _began(each))
    ]
    async with database.system() as session:
        ids = [each.call_id for each in called] + [each.carrier_id for _, each in told]
        billed = await usage.units_of(session, Service.CALLS, ids)
        ours = rules.our_side(called, billed, texted)
        for number_id, record in told:  # those that only the carrier had are ours now too
            if record.carrier_id in billed and record.carrier_id not in sides.our_calls:
                rules.count(ours, number_id, billed[record.carrier_id])
        theirs = rules.their_side(told)
        owners = _owners(sides)
        for number_id in sorted(ours.keys() | theirs.keys()):
            row = await session.get(NumberDay, (number_id, sides.day))
            if row is None:
                row = NumberDay(team_id=owners[number_id], number_id=number_id, day=sides.day)
                session.add(row)
            _fill(row, ours.get(number_id, rules.Side()), theirs.get(number_id))


def _is_today(sides: Gathered, at: datetime) -> bool:
    return rules.day_of(at) == sides.day


def _owners(sides: Gathered) -> dict[str, str]:
    owners = {each.id: each.team_id for each in sides.holders.values()}
    for each in (*sides.our_calls.values(), *sides.our_messages.values()):
        owners[each.number_id] = each.team_id
    return owners


def _fill(row: NumberDay, ours: rules.Side, totals: rules.Totals | None) -> None:
    totals = totals or rules.Totals(rules.Side(), rules.Side())
    theirs = totals.theirs
    row.our_calls, row.our_minutes = ours.calls, ours.minutes
    row.our_messages, row.our_segments = ours.messages, ours.segments
    row.their_calls, row.their_minutes = theirs.calls, theirs.minutes
    row.their_messages, row.their_segments = theirs.messages, theirs.segments
    row.cost_micros, row.currency = totals.cost_micros, totals.currency
    row.unpriced = totals.unpriced
