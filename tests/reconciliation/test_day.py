"""A day compared with the simulated carrier's records: each disagreement, twice, and killed."""

import asyncio
import os
import threading
from datetime import timedelta

import pytest
from bureau import DAY, PERSON, Bureau
from office import Clock, next_sid, open_office
from sqlalchemy import select, text

from number_fixtures import bring, make_number, make_team
from offhook import carriers, costs, inbox, numbers, usage
from offhook.calls import jobs, service
from offhook.carriers import CarrierProblem, Carriers
from offhook.carriers.simulator.faults import Fault
from offhook.costs.models import CarrierCost
from offhook.db import Database, Jobs
from offhook.numbers.models import Number
from offhook.prices import Money
from offhook.reconciliation import Account, check_day, links
from offhook.reconciliation.jobs import due_days, register, rounds
from offhook.settings import Settings
from offhook.usage.models import Entry
from offhook.vault import Key, Vault, open_vault


async def test_a_day_that_agrees_is_counted_and_lists_nothing(bureau: Bureau) -> None:
    """UC7: calls, minutes, messages, segments, cost; answered calls only."""
    await bureau.call(61.5)
    await bureau.call(12)
    await bureau.text()
    at = bureau.clock.instant
    await bureau.cdr("", 0, at)
    assert await bureau.check() == 0
    day = await bureau.totals()
    assert (day.our_calls, day.our_minutes, day.our_messages, day.our_segments) == (2, 3, 1, 1)
    theirs = (day.their_calls, day.their_minutes, day.their_messages, day.their_segments)
    assert theirs == (2, 3, 1, 1)
    assert (day.cost_micros, day.currency, day.unpriced) == (3 * 8_500 + 7_900, "USD", 0)
    checked = await bureau.checked()
    assert checked is not None
    assert (checked.calls, checked.messages, checked.differences) == (3, 1, 0)
    await bureau.check()  # again: what the carrier charges is booked once, also on its call
    async with bureau.database.system() as session:
        [month] = await costs.months(session)
        booked = await session.scalars(select(CarrierCost))
    assert month.carriers == Money(3 * 8_500 + 7_900)
    assert all(cost.conversation_id for cost in booked)


async def test_what_the_carrier_counted_shorter_is_taken_back_beside_what_was_posted(
    bureau: Bureau,
) -> None:
    """UC4, UC9: both entries stay, with the reason and who made it."""
    sid = await bureau.call(185, theirs_s=65)
    assert await bureau.office.balance() == (4, 0)
    await bureau.check()
    assert await bureau.differences() == [("shorter", "taken_back", -2)]
    assert await bureau.office.balance() == (2, 0)
    [row] = await bureau.rows()
    assert (row.ours, row.theirs, row.our_seconds, row.their_seconds) == (4, 2, 185, 65)
    async with bureau.database.system() as session:
        entries = list(
            await session.scalars(
                select(Entry).where(Entry.subject_id == row.subject_id, Entry.units != 0)
            )
        )
    assert sorted((e.unit_index, e.units) for e in entries) == [
        (0, 1), (1, 1), (2, -1), (2, 1), (3, -1), (3, 1),
    ]  # fmt: skip
    back = [e for e in entries if e.units < 0]
    assert {(e.actor, e.reason) for e in back} == {
        ("reconciliation", "the carrier counted fewer minutes")
    }
    assert row.carrier_id == sid


@pytest.mark.parametrize(
    ("ours_s", "theirs_s", "expected"),
    [(59, 61, []), (45, 100, [("longer", "none", 0)]), (45, 52, [("length", "none", 0)])],
)
async def test_what_the_carrier_counted_longer_is_its_cost_and_listed(
    bureau: Bureau, ours_s: int, theirs_s: int, expected: list[tuple[str, str, int]]
) -> None:
    """UC4."""
    await bureau.call(ours_s, theirs_s=theirs_s)
    await bureau.check()
    assert await bureau.differences() == expected
    assert await bureau.office.balance() == (1, 0)


async def test_an_answered_call_that_only_the_carrier_has_is_charged_even_over_the_limit(
    bureau: Bureau,
) -> None:
    """UC5, UI1: it happened; it is marked, and no further call is answered."""
    await bureau.office.limit(2)
    await bureau.call(61)
    await bureau.cdr("CA" + "f" * 32, 125, bureau.clock.instant)
    await bureau.cdr("", 0, bureau.clock.instant)  # one that nobody answered
    await bureau.check()
    assert await bureau.differences() == [("missing_here", "charged", 3)]
    assert await bureau.office.balance() == (5, 0)
    await bureau.sound()
    async with bureau.database.system() as session:
        marked = await session.scalars(
            select(Entry).where(Entry.subject_id == "CA" + "f" * 32, Entry.units > 0)
        )
        assert {entry.reason for entry in marked} == {"carrier_record"}
        await usage.correct_minutes(
            session, bureau.office.team_id, call_id="CA" + "f" * 32, keep=1, reason="x", actor="y"
        )
    await bureau.sound()
    day = await bureau.totals()
    assert (day.our_calls, day.our_minutes, day.their_minutes) == (2, 5, 5)
    async with bureau.database.team(bureau.office.team_id) as session:
        ids = ["CA" + "f" * 32, (await bureau.office.calls())[0].id]
        found = await links(session, bureau.office.team_id, usage.Service.CALLS, ids)
    assert {key: link.href for key, link in found.items()} == {
        ids[0]: f"/usage/reconciliation?day={DAY}"
    }


async def test_a_call_that_the_carrier_never_had_is_given_back_after_72_hours(
    bureau: Bureau, clock: Clock
) -> None:
    """UC6."""
    sid = await bureau.call(125)
    await bureau.forgotten("call", sid)
    clock.advance(hours=14)
    await bureau.check()
    assert await bureau.differences() == [("missing_there", "waiting", 0)]
    assert await bureau.office.balance() == (3, 0)
    clock.advance(hours=72)
    await bureau.check()
    assert await bureau.differences() == [("missing_there", "taken_back", -3)]
    assert await bureau.office.balance() == (0, 0)
    checked = await bureau.checked()
    assert checked is not None
    assert checked.final_at == clock.instant


async def test_a_record_that_comes_late_ends_the_waiting_and_stays_listed(
    bureau: Bureau, clock: Clock
) -> None:
    """UC7: never hidden by itself."""
    began = clock.instant
    sid = await bureau.call(45)
    await bureau.forgotten("call", sid)
    await bureau.check()
    await bureau.cdr(sid, 45, began)
    clock.advance(hours=72)
    assert await bureau.check() == 0
    assert await bureau.differences() == [("missing_there", "agrees", 0)]
    assert await bureau.office.balance() == (1, 0)


async def test_an_inbound_text_without_a_callback_is_fetched_once(bureau: Bureau) -> None:
    await bureau.text("Are you open?", ours=False)
    await bureau.check()
    assert await bureau.differences() == [("missing_here", "fetched", 0)]
    async with bureau.database.team(bureau.office.team_id) as session:
        [row] = await bureau.rows()
        assert row.subject_id.startswith("sms_")
        threads = list(await session.scalars(select(inbox.Conversation)))
        turns = await inbox.turns_of(session, bureau.office.team_id, threads[0].id)
    assert [turn.text for turn in turns] == ["Are you open?"]
    assert await bureau.check() == 0
    assert await bureau.differences() == [("missing_here", "fetched", 0)]


async def test_a_text_that_the_carrier_never_had_is_given_back(
    bureau: Bureau, clock: Clock
) -> None:
    """UC6 for messages."""
    sid = await bureau.text()
    await bureau.forgotten("message", sid)
    clock.advance(hours=86)
    await bureau.check()
    assert await bureau.differences() == [("missing_there", "taken_back", -1)]
    async with bureau.database.team(bureau.office.team_id) as session:
        state = await usage.balance(
            session, bureau.office.team_id, number_id=bureau.office.number_id,
            service=usage.Service.SMS,
        )  # fmt: skip
    assert state.posted == 0


async def test_the_second_leg_of_a_transfer_is_cost_and_no_minute(bureau: Bureau) -> None:
    """UM9: the inbound leg counts until it ends; the other one has a price only."""
    began = bureau.clock.instant
    sid = await bureau.call(125)
    await bureau.cdr(
        "", 100, began, parent_call_sid=sid, direction="outbound-dial", price="-0.02800",
        **{"from": bureau.office.e164, "to": PERSON},
    )  # fmt: skip
    assert await bureau.check() == 0
    day = await bureau.totals()
    assert (day.our_minutes, day.their_calls, day.their_minutes) == (3, 1, 3)
    assert day.cost_micros == 3 * 8_500 + 28_000


async def test_a_call_whose_agent_was_never_heard_is_the_operators_cost(
    bureau: Bureau, caplog: pytest.LogCaptureFixture
) -> None:
    """UM5: nothing to the customer, what the carrier charges to the operator, an incident."""
    await bureau.call(45, spoke=False)
    assert "its agent never heard" in caplog.text
    assert await bureau.check() == 0
    day = await bureau.totals()
    assert (day.our_calls, day.our_minutes, day.their_minutes) == (1, 0, 1)
    assert day.cost_micros == 8_500


async def test_a_call_that_lost_its_process_is_compared_when_the_carriers_record_is_there(
    bureau: Bureau, clock: Clock
) -> None:
    """UC3: settled at its last heart-beat, which is less than the carrier counted."""
    office, began, sid = bureau.office, clock.instant, next_sid()
    call = await office.connect(await office.admitted(PERSON, sid))
    clock.advance(seconds=50)
    async with bureau.database.team(office.team_id) as session:
        await service.spoke(session, office.team_id, call.call_id)
        await service.beat(session, office.team_id, call.call_id)
    clock.advance(seconds=121)
    await jobs.sweep(bureau.database, bureau.accounts, bureau.settings.home_path)
    assert await office.balance() == (1, 0)
    await bureau.cdr(sid, 75, began)
    await bureau.check()
    assert await bureau.differences() == [("longer", "none", 0)]
    assert await office.balance() == (1, 0)


async def test_records_of_numbers_that_nobody_held_then_are_passed_over(bureau: Bureau) -> None:
    """UN6: a later holder never hears of them."""
    await bureau.cdr("", 65, bureau.clock.instant, to="+14155550999")
    before = bureau.clock.instant - timedelta(hours=3)
    await bureau.cdr("", 65, before)  # before the team bought the number
    await bureau.at_carrier("message", "", to=bureau.office.e164, body="old", **{
        "from": PERSON, "date_created": "Thu, 14 May 2026 09:00:00 +0000",
    })  # fmt: skip
    assert await bureau.check() == 0
    assert await bureau.rows() == []


async def test_a_text_for_an_earlier_holder_is_not_shown_to_the_present_one(
    bureau: Bureau, clock: Clock
) -> None:
    """UN6, N10: listed for who held the number, and nothing is stored."""
    await bureau.text("Secret", ours=False)
    clock.advance(minutes=5)
    office = bureau.office
    await office.disable()
    async with bureau.database.system() as session:
        number = await session.get_one(Number, office.number_id)
        number.status, number.released_at = numbers.NumberStatus.RELEASED, clock.instant
    other = await open_office(bureau.database, lines=0)
    await make_number(bureau.database, other.team_id, e164=office.e164)
    await bureau.check()
    assert await bureau.differences() == [("missing_here", "none", 0)]
    assert (await bureau.rows())[0].team_id == office.team_id


async def a_bad_day(bureau: Bureau) -> None:
    """One disagreement of each kind that something is done about."""
    await bureau.call(185, theirs_s=65)
    await bureau.cdr("CA" + "e" * 32, 61, bureau.clock.instant)
    await bureau.forgotten("call", await bureau.call(61, person="+12025550111"))
    await bureau.text("lost", ours=False)
    await bureau.forgotten("message", await bureau.text("kept"))
    bureau.clock.advance(hours=90)


async def test_the_same_day_compared_twice_changes_nothing(bureau: Bureau) -> None:
    await a_bad_day(bureau)
    await bureau.check()
    once = await bureau.everything()
    assert len(await bureau.rows()) == 5
    await bureau.check()
    assert await bureau.everything() == once


async def test_a_call_over_midnight_belongs_to_the_day_that_it_began_in(
    bureau: Bureau, clock: Clock
) -> None:
    clock.advance(hours=11, minutes=59, seconds=30)
    began = clock.instant
    sid = await bureau.call(185, theirs_s=65)
    await bureau.cdr(sid, 65, began + timedelta(seconds=31))  # there it began the day after
    await bureau.check(DAY)
    await bureau.check(DAY + timedelta(days=1))
    assert await bureau.differences() == [("shorter", "taken_back", -2)]


async def test_a_correction_after_the_month_was_closed_is_a_credit(
    bureau: Bureau, clock: Clock
) -> None:
    """UP4: nothing that was invoiced changes; the next close takes the correction."""
    await bureau.call(125)
    team = bureau.office.team_id
    clock.advance(days=25)
    async with bureau.database.team(team) as session:
        month = await usage.closing.earliest_due(session, team, clock.instant)
        assert month is not None
        first = await usage.closing.close(session, team, month.starts_at)
        await usage.closing.closed(
            session, team, month.starts_at, usage.closing.ClosedAs.INVOICED, clock.instant
        )
    [call] = await bureau.office.calls()
    async with bureau.database.team(team) as session:
        await usage.correct_minutes(
            session, team, call_id=call.id, keep=1, reason="a wrong number", actor="ana"
        )
    clock.advance(days=30)
    async with bureau.database.team(team) as session:
        await usage.period_at(session, team, clock.instant)
        following = await usage.closing.earliest_due(session, team, clock.instant)
        assert following is not None
        lines = await usage.closing.preview(session, team, following.starts_at)
    assert [(line.kind, line.line.units) for line in first] == [("usage", 3)]
    assert [(line.kind, line.line.units) for line in lines] == [("credit", -2)]


async def test_a_carrier_that_cannot_be_read_leaves_the_day_due(
    bureau: Bureau, clock: Clock
) -> None:
    await bureau.call(185, theirs_s=65)
    clock.advance(hours=14)
    bureau.simulator.faults.ask(Fault("request", path="GET Messages.json", status=503))
    with pytest.raises(CarrierProblem):
        await bureau.check()
    assert await bureau.rows() == []
    async with bureau.database.system() as session:
        assert await due_days(session, bureau.account.id) == [DAY]


async def test_the_workers_rounds_compare_each_day_when_it_is_due(
    bureau: Bureau, clock: Clock
) -> None:
    """UC7: yesterday, again daily, last after 72 hours; missed days are made up."""
    worker = Jobs(bureau.database)
    register(worker, bureau.settings, bureau.database, bureau.accounts)
    await bureau.call(185, theirs_s=65)
    clock.advance(hours=12, minutes=30)

    async def round_() -> None:
        await rounds(bureau.database, bureau.accounts)
        await rounds(bureau.database, bureau.accounts)
        await worker.run_due()

    await round_()
    assert await bureau.checked() is None, "too early"
    clock.advance(hours=1)
    await round_()
    first = await bureau.checked()
    assert first is not None
    assert await bureau.differences() == [("shorter", "taken_back", -2)]
    clock.advance(days=4)
    await round_()
    for days in range(5):
        checked = await bureau.checked(DAY + timedelta(days=days))
        assert checked is not None
        assert (checked.final_at is not None) == (days <= 1)
    async with bureau.database.system() as session:
        assert await due_days(session, bureau.account.id) == []


async def test_an_account_whose_token_cannot_be_read_keeps_no_other_from_being_compared(
    bureau: Bureau, clock: Clock, settings: Settings
) -> None:
    ours, lost = open_vault(settings), Vault((Key("lost", bytes(32)),))
    accounts = Carriers(settings, numbers.account_lookup(bureau.database, ours))
    for place, vault in enumerate((lost, ours, lost)):
        team = await make_team(bureau.database, f"Garage {place}")
        number = await make_number(bureau.database, team, e164=f"+1415555016{place}")
        account = carriers.Account("AC" + str(place) * 32, "5" * 32, carriers.Network.SIMULATOR)
        await bring(bureau.database, vault, team, number, account)
    clock.advance(hours=14)
    await rounds(bureau.database, accounts)
    async with bureau.database.system() as session:
        found = await session.scalars(text("SELECT args->>'account' FROM procrastinate_jobs"))
        assert len(set(found)) == len(["the operator's", "the one whose token can be read"])
    await accounts.aclose()


def killed_at(database: Database, account_id: str, url: str, bureau: Bureau, point: str) -> int:
    """A copy of this process compares the day and is killed; its exit status."""
    instant = bureau.clock.instant
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.environ["OFFHOOK_FAILPOINT"] = point

    async def work() -> None:
        accounts = Carriers(bureau.settings, simulator_url=url)
        account = Account(account_id, accounts.operator, 0)
        await check_day(Database(database.url, clock=lambda: instant), account, DAY)
        os._exit(0)

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    thread.join()
    os._exit(1)


@pytest.mark.kills
@pytest.mark.parametrize("order", range(int(os.environ.get("OFFHOOK_KILLS", "1"))))
async def test_a_comparison_killed_between_its_steps_doubles_nothing(
    bureau: Bureau, order: int
) -> None:
    """Kill -9 after the lists and after one of the differences; then once in peace."""
    await a_bad_day(bureau)
    url = bureau.simulator.url
    for point in ("reconciliation.gathered:1", f"reconciliation.settled:{1 + order % 4}"):
        status = await asyncio.to_thread(
            killed_at, bureau.database, bureau.account.id, url, bureau, point
        )
        assert status == 137
    await bureau.check()
    assert sorted(await bureau.differences()) == [
        ("missing_here", "charged", 2),
        ("missing_here", "fetched", 0),
        ("missing_there", "taken_back", -2),
        ("missing_there", "taken_back", -1),
        ("shorter", "taken_back", -2),
    ]
    assert await bureau.office.balance() == (4, 0)
    assert await bureau.check() >= 0
    assert await bureau.office.balance() == (4, 0)
