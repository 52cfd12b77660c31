"""The pure rules of own numbers: what is put back, the life of an import, what an account lacks."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.carriers import Network
from offhook.numbers.own import rules
from offhook.numbers.own.rules import Happened, ImportState

FIELDS = st.dictionaries(
    st.sampled_from(["voice_url", "sms_url", "trunk_sid", "voice_method"]),
    st.sampled_from(["", "old", "ours", "new"]),
    min_size=4,
    max_size=4,
)


@pytest.mark.parametrize(
    ("before", "ours", "current", "written", "left"),
    [
        ("old", "ours", "ours", "old", False),  # as we set it: back
        ("old", "ours", "old", None, False),  # back already: nothing to do
        ("old", "ours", "new", None, True),  # somebody else's: stays, and is told
        ("", "ours", "ours", "", False),  # there was none before
        ("ours", "ours", "ours", None, False),
    ],
)
def test_what_was_there_before_is_put_back_and_other_peoples_changes_stay(
    before: str, ours: str, current: str, written: str | None, left: bool
) -> None:
    plan = rules.restoration({"sms_url": before}, {"sms_url": ours}, {"sms_url": current})
    assert plan.write == ({} if written is None else {"sms_url": written})
    assert plan.left == (("sms_url",) if left else ())


@given(FIELDS, FIELDS, FIELDS)
def test_putting_back_twice_is_putting_back_once(
    before: dict[str, str], ours: dict[str, str], current: dict[str, str]
) -> None:
    plan = rules.restoration(before, ours, current)
    after = {**current, **plan.write}
    again = rules.restoration(before, ours, after)
    assert not again.write
    assert again.left == plan.left
    for name, old in before.items():
        assert after[name] in {old, current[name]}
        if current[name] not in {old, ours[name]}:
            assert after[name] == current[name]


def test_what_we_set_is_known_by_our_address_where_the_answer_was_lost() -> None:
    base = "https://us/carriers/twilio/"
    current = {"voice_url": base + "voice", "sms_url": "", "trunk_sid": "", "voice_method": "POST"}
    before = {"voice_url": "https://old", "sms_url": "x", "trunk_sid": "TK", "voice_method": "GET"}
    plan = rules.restoration(before, rules.presumably_ours(current, base=base), current)
    assert plan.write == before
    untouched = before | {"sms_url": "https://other"}  # nothing leads to us: it never took place
    plan = rules.restoration(before, rules.presumably_ours(untouched, base=base), untouched)
    assert (plan.write, plan.left) == ({}, ("sms_url",))


def test_every_state_of_an_import_has_a_way_to_one_of_its_two_ends() -> None:
    ends = {state for state in ImportState if state.final}
    assert ends == {ImportState.IMPORTED, ImportState.FAILED}
    assert {state for state, _ in rules.NEXT} == set(rules.COMMANDS)
    for state, happened in product(ImportState, Happened):
        if (state, happened) in rules.NEXT and rules.NEXT[state, happened] is ImportState.FAILED:
            # Once something may have been changed, only having put it back ends in `failed`.
            assert state in {ImportState.RESERVED, ImportState.RESTORING}
    at = datetime(2026, 5, 14, tzinfo=UTC)
    for state in rules.COMMANDS:
        patient = rules.without_answer(state, since=at, at=at + timedelta(minutes=2))
        assert patient is None
    assert rules.without_answer(ImportState.RESTORING, since=at, at=at + timedelta(days=9)) is None


@pytest.mark.parametrize(
    ("trial", "network", "url", "count"),
    [
        (False, Network.TWILIO, "https://us.example", 0),
        (True, Network.TWILIO, "https://us.example", 1),
        (True, Network.TWILIO, "http://127.0.0.1:8600", 2),
        (False, Network.SIMULATOR, "http://127.0.0.1:8600", 0),
    ],
)
def test_what_works_and_is_not_enough_yet_is_said(
    trial: bool, network: Network, url: str, count: int
) -> None:
    assert len(rules.warnings(trial=trial, network=network, web_url=url)) == count
