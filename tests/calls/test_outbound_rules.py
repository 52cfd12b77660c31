"""When and whom we may call, what machines get, what a call came to (C8, SEC12, SEC13, SEC19)."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook import phone
from offhook.calls.outbound import rules
from offhook.calls.outbound.rules import Against, Answer, Hours, Machine, Situation
from offhook.carriers import AnsweredBy, CallState, parse_answered_by
from offhook.phone import E164

NEW_YORK = E164("+12125550142")
TOLL_FREE = E164("+18005550142")
BERLIN = E164("+493012345678")
FREE = Situation(
    to=E164("+12025550147"), number_stops=None, own=False, countries=frozenset({"US"}),
    opted_out=False, blocked=False, quiet=False, today=0, daily=100, to_them=0, per_contact=5,
    lines=0, max_lines=2, all_lines=0, max_all_lines=None,
)  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-15T{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "moment", "quiet"),
    [
        (NEW_YORK, "12:59", True),
        (NEW_YORK, "13:00", False),
        (NEW_YORK, "23:59", False),
        (BERLIN, "06:59", True),
        (BERLIN, "07:00", False),
        (BERLIN, "19:59", False),
        (BERLIN, "20:00", True),
        (TOLL_FREE, "21:59", True),  # early morning in Guam, which has the same plan
        (TOLL_FREE, "22:00", False),
    ],
)
def test_nobody_is_called_too_early_or_late_in_any_zone_of_their_number(
    number: E164, moment: str, quiet: bool
) -> None:
    """SEC19: by the called party's own time, the careful side where the zone is not certain."""
    zones = phone.zones(number)
    assert zones
    assert rules.is_quiet(Hours(), zones, at(moment)) is quiet


@given(
    st.integers(0, 365 * 24 * 60),
    st.sampled_from([NEW_YORK, BERLIN, TOLL_FREE, E164("+61291234567")]),
)
def test_the_hours_that_are_named_are_hours_in_which_one_may_call(
    minute: int, number: E164
) -> None:
    instant, zones = at("00:00") + timedelta(minutes=minute), phone.zones(number)
    opens = rules.opens_at(Hours(), zones, instant)
    assert opens is not None
    assert instant < opens < instant + timedelta(hours=30)
    assert not rules.is_quiet(Hours(), zones, opens)


def test_hours_that_no_zone_shares_are_never_open() -> None:
    narrow = Hours(time(8), time(8, 15))
    assert rules.opens_at(narrow, ("Europe/Berlin", "America/New_York"), at("12:00")) is None


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, []),
        ({"number_stops": Against.SUSPENDED}, [Against.SUSPENDED]),
        ({"to": E164("+1202555014")}, [Against.NO_NUMBER]),
        ({"to": E164("+19002345678")}, [Against.PREMIUM]),
        ({"to": BERLIN}, [Against.COUNTRY]),
        ({"to": BERLIN, "countries": frozenset({"DE"})}, []),
        ({"own": True}, [Against.OWN_NUMBER]),
        ({"today": 99}, []),
        ({"today": 100}, [Against.DAILY_CAP]),
        ({"to_them": 4}, []),
        ({"to_them": 5}, [Against.CONTACT_CAP]),
        ({"lines": 1}, []),
        ({"lines": 2}, [Against.LINES_FULL]),
        ({"all_lines": 5, "max_all_lines": 5}, [Against.NUMBER_LINES_FULL]),
        (
            {"opted_out": True, "blocked": True, "quiet": True},
            [Against.OPTED_OUT, Against.BLOCKED, Against.QUIET_HOURS],
        ),
    ],
)
def test_everything_that_speaks_against_a_call_is_named_at_once(
    change: dict[str, object], reasons: list[Against]
) -> None:
    situation = replace(FREE, **change)  # pyright: ignore[reportArgumentType] - the table's types
    found = rules.against(situation)
    assert found == reasons
    assert [code for code, _ in rules.sentences(found, situation.to, "")] == reasons


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ("human", AnsweredBy.HUMAN),
        ("machine_start", AnsweredBy.MACHINE),
        ("machine_end_beep", AnsweredBy.MACHINE_END),
        ("machine_end_silence", AnsweredBy.MACHINE_END),
        ("machine_end_other", AnsweredBy.MACHINE_END),
        ("fax", AnsweredBy.FAX),
        ("unknown", AnsweredBy.UNKNOWN),
        ("", AnsweredBy.UNKNOWN),
        ("a parrot", AnsweredBy.UNKNOWN),
    ],
)
def test_what_a_carrier_hears_is_read_and_what_it_may_hear_one_day_is_unknown(
    told: str, heard: AnsweredBy
) -> None:
    assert parse_answered_by([("CallSid", "CA" + "0" * 32), ("AnsweredBy", told)]) is heard


@pytest.mark.parametrize(
    ("policy", "answers"),
    [
        (Machine.GO_ON, {}),
        (
            Machine.HANG_UP,
            dict.fromkeys(
                (AnsweredBy.MACHINE, AnsweredBy.MACHINE_END, AnsweredBy.FAX), Answer.HANG_UP
            ),
        ),
        (
            Machine.LEAVE_MESSAGE,
            {AnsweredBy.FAX: Answer.HANG_UP, AnsweredBy.MACHINE_END: Answer.SPEAK},
        ),
    ],
)
def test_what_a_machine_gets(policy: Machine, answers: dict[AnsweredBy, Answer]) -> None:
    for heard in AnsweredBy:
        assert rules.answer_to(policy, heard) is answers.get(heard, Answer.NOTHING)


def test_every_end_that_a_carrier_tells_is_known() -> None:
    assert set(rules.ENDS) == {state for state in CallState if state.final}


def test_the_first_words_name_the_agent_and_say_what_it_is_about() -> None:
    assert rules.first_words("", "Ada", "") == "Hello, this is Ada, an automated assistant."
    assert rules.first_words("{agent} here.", "Ada", "It is ready.") == "Ada here. It is ready."
