"""A5: whatever happens in whatever order, a purchase ends wholly bought or wholly undone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.numbers import saga
from offhook.numbers.saga import COMMANDS, NEXT, PATIENCE, Command, Happened, PurchaseState

ORDERED = datetime(2026, 5, 14, 12, tzinfo=UTC)


def test_every_open_state_has_a_command_and_every_command_can_succeed() -> None:
    for state in PurchaseState:
        assert (state in COMMANDS) is not state.final
        if not state.final:
            assert (state, Happened.DONE) in NEXT


def test_nothing_leaves_a_final_state() -> None:
    assert not [state for state, _ in NEXT if state.final]


def test_going_back_never_turns_forward_again() -> None:
    assert all(after.going_back for (before, _), after in NEXT.items() if before.going_back)


@pytest.mark.parametrize(
    "state", [PurchaseState.BOUGHT, PurchaseState.RELEASING, PurchaseState.VOIDING]
)
def test_what_needs_no_outside_answer_or_undoes_is_not_given_up_on(state: PurchaseState) -> None:
    late = ORDERED + PATIENCE * 100
    assert saga.without_answer(state, since=ORDERED, at=late) is None


@pytest.mark.parametrize(
    ("state", "waited", "expected"),
    [
        (PurchaseState.ORDERED, timedelta(seconds=179), None),
        (PurchaseState.ORDERED, PATIENCE, Happened.OUT_OF_TIME),
        (PurchaseState.AUTHENTICATING, saga.AUTHENTICATION_PATIENCE - timedelta(seconds=1), None),
        (PurchaseState.AUTHENTICATING, saga.AUTHENTICATION_PATIENCE, Happened.OUT_OF_TIME),
        (PurchaseState.AUTHORISED, timedelta(seconds=1), None),
        (PurchaseState.AUTHORISED, PATIENCE, Happened.OUT_OF_TIME),
        (PurchaseState.RECORDED, PATIENCE, Happened.OUT_OF_TIME),
        (PurchaseState.CONFIGURED, PATIENCE, Happened.OUT_OF_TIME),
    ],
)
def test_an_answer_is_waited_for_three_minutes(
    state: PurchaseState, waited: timedelta, expected: Happened | None
) -> None:
    assert saga.without_answer(state, since=ORDERED, at=ORDERED + waited) is expected


class World:
    """The smallest carrier and gateway there can be: what is held, sold, written, taken."""

    def __init__(self) -> None:
        self.money = self.number = self.row = self.taken = False
        self.asks = False  # the bank waits for the card's owner

    def run(self, command: Command) -> None:
        match command:
            case Command.AUTHORISE:
                self.money = not self.asks
            case Command.LOOK:
                self.asks, self.money = False, True
            case Command.BUY:
                self.number = True
            case Command.RECORD:
                self.row = True
            case Command.CONFIGURE:
                assert self.number
            case Command.CAPTURE:
                assert self.money
                assert self.number
                self.taken = True
            case Command.RELEASE:
                self.number = self.row = False
            case Command.VOID:
                assert not self.number  # never let go of the money before the number is back
                self.money = self.taken = self.asks = False


# For each attempt: did it take effect, and was its outcome learnt, or did we die before storing it?
attempts = st.lists(
    st.tuples(st.sampled_from(["done", "refused", "late", "silent"]), st.booleans()), max_size=40
)


@given(attempts, st.booleans())
def test_any_history_ends_wholly_bought_or_wholly_undone_a5(
    history: list[tuple[str, bool]], asks: bool
) -> None:
    world, state = World(), PurchaseState.ORDERED
    world.asks = asks
    for outcome, died in [*history, *([("done", False)] * 10)]:
        command = saga.next_command(state)
        if command is None:
            break
        refusable = (state, Happened.REFUSED) in NEXT
        if outcome == "refused" and refusable and not _has_happened(world, command):
            happened: Happened | None = Happened.REFUSED
        elif outcome in {"late", "silent"}:
            if outcome == "late":  # it took effect, but no answer came
                world.run(command)
            happened = saga.without_answer(
                state, since=ORDERED, at=ORDERED + saga.AUTHENTICATION_PATIENCE
            )
        else:
            asked = command is Command.AUTHORISE and world.asks
            world.run(command)
            happened = Happened.ASKED if asked else Happened.DONE
        if happened is not None and not died:
            state = saga.advance(state, happened)
    assert state.final
    bought = state is PurchaseState.COMPLETED
    everything = (world.money, world.number, world.row, world.taken)
    assert everything == (bought, bought, bought, bought)
    assert not world.asks  # nobody can confirm it any more


def _has_happened(world: World, command: Command) -> bool:
    """A command that took effect before is not refused when it is repeated: it is looked up."""
    return {
        Command.AUTHORISE: world.money or world.asks,
        Command.LOOK: world.money,
        Command.BUY: world.number,
        Command.RECORD: world.row,
        Command.CONFIGURE: False,
        Command.CAPTURE: world.taken,
    }.get(command, False)
