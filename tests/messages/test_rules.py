"""The life of a message only moves forward; when a thread is answered (S3, S6)."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.carriers import MessageState
from offhook.messages import rules
from offhook.messages.manners.rules import Manners
from offhook.messages.manners.rules import settle_s as settle_s_of
from offhook.messages.rules import FINAL, NEXT, NOTES, TOLD, Move, State, Step, Why, move

CARRIERS_WORDS = st.sampled_from([TOLD[each] for each in MessageState])


def test_every_state_has_a_row_and_every_reason_a_note() -> None:
    assert set(NEXT) == set(State)
    assert set(NOTES) == set(Why)
    assert set(TOLD) == set(MessageState)


@pytest.mark.parametrize(
    ("current", "told", "expected"),
    [
        (State.SENDING, State.SENT, Move(state=State.SENT)),
        (State.SENDING, State.DELIVERED, Move(state=State.DELIVERED)),
        (State.SENT, State.SENDING, Move()),
        (State.SENT, State.SENT, Move()),
        (State.DELIVERED, State.SENT, Move()),
        (State.DELIVERED, State.DELIVERED, Move()),
        (State.DELIVERED, State.FAILED, Move(contradiction=State.FAILED)),
        (State.UNDELIVERED, State.DELIVERED, Move(contradiction=State.DELIVERED)),
        (State.WITHDRAWN, State.DELIVERED, Move()),
        (State.DRAFT, State.DELIVERED, Move()),
        (State.QUEUED, State.FAILED, Move()),
        (State.RECEIVED, State.FAILED, Move()),
    ],
)
def test_news_of_the_carrier(current: State, told: State, expected: Move) -> None:
    """S6"""
    assert move(current, told) == expected


@given(st.lists(CARRIERS_WORDS, max_size=8))
def test_the_first_final_state_wins_in_any_order(news: list[State]) -> None:
    """S6, SEC2: shuffled and repeated callbacks."""
    state = State.SENDING
    for told in news:
        moved = move(state, told)
        assert not (moved.state and moved.contradiction)
        state = moved.state or state
    finals = [told for told in news if told in FINAL]
    assert state == (finals[0] if finals else (State.SENT if State.SENT in news else state))


def test_nothing_leads_back() -> None:
    order = [State.DRAFT, State.QUEUED, State.SENDING, State.SENT, *FINAL, State.WITHDRAWN]
    for before, after in itertools.pairwise(order[:5]):
        assert before not in NEXT[after]
    for final in (*FINAL, State.WITHDRAWN):
        assert not NEXT[final]


@pytest.mark.parametrize(
    ("waiting", "newer", "oldest_s", "step"),
    [
        (0, False, 0.0, Step.NOTHING),
        (1, False, 1.2, Step.ANSWER),
        (3, True, 2.0, Step.LEAVE),
        (3, True, 20.0, Step.ANSWER),
        (9, False, 61.0, Step.ANSWER),
    ],
)
def test_a_burst_is_answered_by_the_job_of_its_last_text(
    waiting: int, newer: bool, oldest_s: float, step: Step
) -> None:
    """S3"""
    found = rules.step(waiting=waiting, newer_than_mine=newer, oldest_waiting_s=oldest_s)
    assert found is step


@pytest.mark.parametrize(
    ("came", "oldest_s", "thrown_away"),
    [(False, 5.0, False), (True, 5.0, True), (True, 20.0, False), (False, 60.0, False)],
)
def test_a_reply_is_superseded_by_a_text_that_came_meanwhile(
    came: bool, oldest_s: float, thrown_away: bool
) -> None:
    """SM7"""
    assert rules.superseded(came_meanwhile=came, oldest_waiting_s=oldest_s) is thrown_away


@pytest.mark.parametrize("every_s", [0.4, 1.0])
@pytest.mark.parametrize("settle_s", [1.2, 5.0, 20.0])
def test_a_burst_that_never_pauses_is_answered_each_twenty_seconds(
    every_s: float, settle_s: float
) -> None:
    """SM7, S3: sixty seconds of texts, each with the job that it started."""
    came = [index * every_s for index in range(int(60 / every_s))]
    answered_until, answers = -1, list[float]()
    manners = Manners(settle_ms=round(settle_s * 1000))
    jobs = list[tuple[float, int]]()
    for index, at in enumerate(came):
        for due, mine in [each for each in jobs if each[0] <= at]:
            jobs.remove((due, mine))
            waiting = [each for each in range(answered_until + 1, index) if came[each] <= due]
            found = rules.step(
                waiting=len(waiting),
                newer_than_mine=bool(waiting) and mine in waiting and waiting[-1] > mine,
                oldest_waiting_s=due - came[waiting[0]] if waiting else 0,
            )
            if found is Step.ANSWER:
                answers.append(due)
                answered_until = waiting[-1]
        oldest_s = at - came[answered_until + 1]
        jobs.append((at + settle_s_of(manners, default_ms=0, oldest_waiting_s=oldest_s), index))
    gaps = [b - a for a, b in itertools.pairwise([0.0, *answers])]
    assert len(answers) >= 2
    assert max(gaps) <= rules.OVERDUE_S + every_s
