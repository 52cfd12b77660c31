"""Whom a caller may be put through to, a transfer's life, and its minutes (SEC13, C6, U4)."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from offhook.calls.meter import HANG_UP_MS, MINUTE_MS, NOTICE_MS
from offhook.calls.rules import End
from offhook.calls.transfers import rules
from offhook.calls.transfers.rules import (
    LAST_WORDS_MS,
    OPEN,
    Failure,
    HangUp,
    Happening,
    LastWords,
    Renew,
    TargetRefused,
    TransferState,
    Watched,
    after,
    due,
    failure_of,
)
from offhook.carriers import CallState
from offhook.phone import E164, is_costly

REGIONS = (*phonenumbers.SUPPORTED_REGIONS, "001")
COSTLY = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


def examples(kind: int) -> list[E164]:
    found: list[E164] = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            found.append(E164(phonenumbers.format_number(number, PhoneNumberFormat.E164)))
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = phonenumbers.example_number_for_non_geo_entity(code)
        if number is not None and phonenumbers.number_type(number) == kind:
            found.append(E164(phonenumbers.format_number(number, PhoneNumberFormat.E164)))
    return found


@pytest.mark.parametrize("kind", COSTLY)
def test_premium_and_shared_cost_numbers_of_every_region_are_refused(kind: int) -> None:
    """SEC13: the metadata's own examples."""
    numbers = examples(kind)
    assert len(numbers) > 40
    for number in numbers:
        with pytest.raises(TargetRefused) as refused:
            rules.check_number(number, own=False)
        assert number in refused.value.sentence


def test_ordinary_numbers_of_every_region_are_taken() -> None:
    for number in (*examples(PhoneNumberType.MOBILE), *examples(PhoneNumberType.TOLL_FREE)):
        if not is_costly(number):
            rules.check_number(number, own=False)


@pytest.mark.parametrize("number", ["+15005550000000", "+19005550123", "+4490012345"])
def test_what_no_plan_has_is_refused(number: str) -> None:
    with pytest.raises(TargetRefused):
        rules.check_number(E164(number), own=False)


def test_the_teams_own_number_is_refused() -> None:
    """WT4."""
    with pytest.raises(TargetRefused, match="of this team"):
        rules.check_number(E164("+12025550177"), own=True)


@pytest.mark.parametrize(
    ("name", "ring_s", "kept"),
    [("  Front   desk ", 25, "Front desk"), ("A", 5, "A"), ("x" * 80, 10, "x" * 80)],
)
def test_a_name_is_trimmed_and_the_ringing_bounded(name: str, ring_s: int, kept: str) -> None:
    assert rules.check_target(name, ring_s) == kept


@pytest.mark.parametrize(
    ("name", "ring_s"), [("", 20), ("  ", 20), ("x" * 81, 20), ("A", 4), ("A", 26), ("A", 0)]
)
def test_a_target_out_of_bounds_is_refused(name: str, ring_s: int) -> None:
    """C6: 25 s of ringing at most."""
    with pytest.raises(TargetRefused):
        rules.check_target(name, ring_s)


# --- the life of a transfer ---


@pytest.mark.parametrize("state", sorted(set(TransferState) - OPEN))
@pytest.mark.parametrize("happening", list(Happening))
def test_nothing_happens_to_a_transfer_that_is_over(
    state: TransferState, happening: Happening
) -> None:
    """Callbacks come twice and late."""
    assert after(state, happening) is state


@given(st.lists(st.sampled_from(list(Happening)), max_size=12))
def test_in_any_order_a_transfer_is_joined_or_failed_but_never_both(
    happenings: list[Happening],
) -> None:
    state, seen = TransferState.LEAVING, {TransferState.LEAVING}
    for happening in happenings:
        state = after(state, happening)
        seen.add(state)
    assert not {TransferState.JOINED, TransferState.FAILED} <= seen
    assert TransferState.ENDED not in seen or TransferState.JOINED in seen


_S, _C, _F = TransferState, CallState, Failure


@pytest.mark.parametrize(
    ("state", "outcome", "announced", "joined", "failure"),
    [
        (_S.RINGING, _C.BUSY, False, False, _F.BUSY),
        (_S.RINGING, _C.NO_ANSWER, True, False, _F.NO_ANSWER),
        (_S.RINGING, _C.FAILED, False, False, _F.UNREACHABLE),
        (_S.RINGING, _C.CANCELED, False, False, _F.UNREACHABLE),
        (_S.ANSWERED, _C.COMPLETED, True, True, _F.NOT_ACCEPTED),
        (_S.ANSWERED, _C.COMPLETED, True, False, _F.NOT_ACCEPTED),
        (_S.ANSWERED, _C.COMPLETED, False, False, _F.NOT_ACCEPTED),
        (_S.ANSWERED, _C.COMPLETED, False, True, None),
        (_S.RINGING, _C.COMPLETED, False, True, None),
        (_S.JOINED, _C.COMPLETED, True, True, None),
        (_S.JOINED, _C.FAILED, False, False, None),
    ],
)
def test_a_leg_that_is_over_has_come_to_something_or_not(
    state: TransferState, outcome: CallState, announced: bool, joined: bool, failure: Failure | None
) -> None:
    assert failure_of(state, outcome, announced=announced, joined=joined) is failure


# --- its minutes ---


def watched(
    granted: int = 2,
    *,
    limited: bool = True,
    final: End | None = None,
    told: bool = False,
    longest: int = 30,
) -> Watched:
    return Watched(granted, limited=limited, max_minutes=longest, final=final, told=told)


FINAL = watched(final=End.LIMIT_REACHED)
TOLD = watched(final=End.LIMIT_REACHED, told=True)
LONGEST = watched(granted=30)
END = 2 * MINUTE_MS
LONG_END = 30 * MINUTE_MS


@pytest.mark.parametrize(
    ("call", "at_ms", "expected"),
    [
        (watched(), END - NOTICE_MS - 1, None),
        (watched(), END - NOTICE_MS, Renew(2)),
        (watched(), END - HANG_UP_MS - 1, Renew(2)),
        (watched(), END - HANG_UP_MS, HangUp(End.LIMIT_REACHED)),
        (watched(), END + MINUTE_MS, HangUp(End.LIMIT_REACHED)),
        (watched(limited=False), END - HANG_UP_MS, Renew(2)),
        (watched(limited=False), END + 5 * MINUTE_MS, Renew(2)),
        (FINAL, END - NOTICE_MS, Renew(2)),
        (FINAL, END - LAST_WORDS_MS - 1, Renew(2)),
        (FINAL, END - LAST_WORDS_MS, LastWords(End.LIMIT_REACHED)),
        (TOLD, END - LAST_WORDS_MS, None),
        (TOLD, END - HANG_UP_MS, HangUp(End.LIMIT_REACHED)),
        (watched(final=End.SPEND_CAP), END, HangUp(End.SPEND_CAP)),
        (watched(limited=False, final=End.SPEND_CAP), END, HangUp(End.SPEND_CAP)),
        (LONGEST, LONG_END - NOTICE_MS, None),
        (LONGEST, LONG_END - LAST_WORDS_MS, LastWords(End.LONGEST_DURATION)),
        (LONGEST, LONG_END - HANG_UP_MS, HangUp(End.LONGEST_DURATION)),
        (watched(granted=30, limited=False), LONG_END, HangUp(End.LONGEST_DURATION)),
    ],
)
def test_what_is_due_for_a_call_that_is_put_through(
    call: Watched, at_ms: int, expected: rules.Due | None
) -> None:
    """U4, UL5, UL9, UL14."""
    assert due(call, at_ms) == expected


@given(st.integers(1, 240))
def test_the_carriers_wall_stands_before_the_next_minute(granted: int) -> None:
    """U4: nothing passes the last granted minute, whoever of us is alive."""
    assert 0 < granted * 60 - rules.wall_s(granted) <= HANG_UP_MS / 1000
