"""The table of a run's life, and who may have what done (T3, T4, SEC10)."""

import pytest

from offhook.tasks.rules import (
    MATRIX,
    NEXT,
    OVER,
    Effect,
    RunState,
    RunStep,
    Trust,
    Verdict,
    over_budget,
    trust,
    verdict,
)

A, C, D = Verdict.ALLOW, Verdict.CONFIRM, Verdict.DENY
TABLE = """
            read     record   act      reach_out
hidden      allow    allow    confirm  deny
failed      allow    allow    confirm  deny
unknown     allow    allow    confirm  confirm
C           allow    allow    confirm  confirm
B           allow    allow    confirm  confirm
A           allow    allow    confirm  allow
"""


def test_attestation_and_effect() -> None:
    head, *lines = TABLE.strip().splitlines()
    written = {
        (Trust(line.split()[0]), Effect(effect)): Verdict(word)
        for line in lines
        for effect, word in zip(head.split(), line.split()[1:], strict=True)
    }
    assert written == MATRIX


@pytest.mark.parametrize("held", Trust)
@pytest.mark.parametrize("effect", Effect)
def test_a_number_alone_never_proves_who_it_is(held: Trust, effect: Effect) -> None:
    assert verdict(held, effect, personal=True, proven=False) is D
    helped = verdict(held, effect, personal=True, proven=True)
    assert helped is (D if held in {Trust.HIDDEN, Trust.FAILED} else MATRIX[held, effect])


@pytest.mark.parametrize(
    ("number", "attestation", "held"),
    [
        ("", "A", Trust.HIDDEN),
        ("+16502530000", "", Trust.UNKNOWN),
        ("+16502530000", "A", Trust.FULL),
        ("+16502530000", "B", Trust.PARTIAL),
        ("+16502530000", "C", Trust.GATEWAY),
        ("+16502530000", "failed-A", Trust.FAILED),
        ("+16502530000", "rubbish", Trust.UNKNOWN),
    ],
)
def test_what_is_known_of_a_number(number: str, attestation: str, held: Trust) -> None:
    assert trust(number, attestation) is held


def test_nothing_follows_an_end() -> None:
    for state in (*OVER, RunState.DROPPED):
        assert not any((state, step) in NEXT for step in RunStep)


@pytest.mark.parametrize(
    ("of_task", "of_all", "reaching", "proposed", "effect", "refused"),
    [
        (2, 2, 0, 2, Effect.ACT, False),
        (3, 3, 0, 3, Effect.ACT, True),
        (0, 20, 0, 20, Effect.READ, True),
        (0, 5, 5, 5, Effect.REACH_OUT, True),
        (0, 5, 5, 5, Effect.ACT, False),
        (0, 0, 0, 60, Effect.READ, True),
    ],
)
def test_budgets(
    of_task: int, of_all: int, reaching: int, proposed: int, effect: Effect, refused: bool
) -> None:
    sentence = over_budget(
        of_task=of_task,
        of_all=of_all,
        reaching=reaching,
        proposed=proposed,
        max_runs=3,
        effect=effect,
    )
    assert bool(sentence) is refused
