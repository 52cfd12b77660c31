"""The written day: the same for the same seed, with everything in it, and nothing impossible."""

import pytest
from oneday.script import FAILING, PLAN, REPLIES_AN_HOUR, Desk, Do, Script, written
from oneday.tally import Tally

from offhook.carriers.simulator.inventory import BLOCKS

WHOLE, SHORT = 200, 20
FOR_SALE = {number for block in BLOCKS for number in block.numbers()}


def done(script: Script) -> set[Do]:
    return {step.do for visit in script.visits() for step in visit.steps}


def test_the_same_seed_writes_the_same_day_and_another_one_another() -> None:
    assert written(7, WHOLE) == written(7, WHOLE)
    assert written(7, WHOLE) != written(8, WHOLE)


def test_whatever_somebody_can_do_is_done_in_a_whole_day() -> None:
    assert done(written(7, WHOLE)) == set(Do)


def test_a_short_day_is_the_same_in_small() -> None:
    left_out = {Do.CALL_BUSY, Do.CALL_ALONE, Do.CALL_LONG, Do.CALL_LIMIT, Do.START, Do.GIVE_DONE}
    assert set(Do) - done(written(7, SHORT)) <= left_out | {Do.GIVE, Do.STOP_AGAIN}


@pytest.mark.parametrize("people", [SHORT, WHOLE])
@pytest.mark.parametrize("seed", range(5))
def test_a_day_keeps_to_what_the_rules_leave_possible(seed: int, people: int) -> None:
    script = written(seed, people)
    everybody = {visit.person for visit in script.visits()}
    assert len(everybody) == people + len(FAILING)
    assert everybody.isdisjoint(FOR_SALE)
    assert max(each.answered for each in script.promised().values()) <= REPLIES_AN_HOUR
    closed = {hour.name: hour.closed for hour in PLAN}
    planned = {(hour.name, do) for hour in PLAN for do, _, _ in hour.also}
    blocked = [v.person for v in script.visits() if Do.BLOCK in {step.do for step in v.steps}]
    visits = [visit.person for visit in script.visits()]
    assert [person for person in blocked if visits.count(person) > 1] == []
    for moment in script.moments:
        for visit in moment.visits:
            meant = (moment.name, visit.steps[0].do) in planned
            assert meant or visit.desk not in closed[moment.name]


def test_what_is_promised_adds_up_step_by_step() -> None:
    """SM1(a), UT8 to UT10: somebody who stops, asks, comes back and asks."""
    said = (Do.ASK, Do.STOP, Do.STOP_AGAIN, Do.ASK_STOPPED, Do.WRITE_STOPPED, Do.START, Do.ASK)
    script = written(7, WHOLE)
    found = [v for v in script.visits() if tuple(step.do for step in v.steps) == said]
    assert {v.promise for v in found} == {
        Tally(heard=6, answered=2, confirmed=2, units=8, stopped=False)
    }
    assert {visit.desk for visit in found} <= set(Desk)
