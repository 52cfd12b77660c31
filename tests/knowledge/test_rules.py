"""What becomes of a re-read web source (K1, KN4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.knowledge.rules import (
    Accept,
    Ask,
    Fetched,
    Outcome,
    PageState,
    PageText,
    digest,
    weigh,
)

OLD = [PageText("a", content="x" * 100), PageText("b", content="y" * 100)]


def new(url: str, chars: int) -> Fetched:
    return Fetched(Outcome.NEW, PageText(url, content="z" * chars))


def bad(url: str, outcome: Outcome) -> Fetched:
    return Fetched(
        outcome, PageText(url, content="wall" if outcome is Outcome.DOUBTFUL else ""), "Why."
    )


@pytest.mark.parametrize(
    ("fetched", "expected"),
    [
        ([new("a", 100), new("b", 100)], "READ READ"),
        ([new("a", 50), new("b", 50)], "READ READ"),
        ([new("a", 50), new("b", 49)], "ask 2"),
        ([Fetched(Outcome.SAME, PageText("a")), new("b", 5)], "READ READ"),
        ([new("a", 9), bad("b", Outcome.FAILED)], "READ KEPT"),
        ([new("a", 9), bad("b", Outcome.DOUBTFUL)], "READ KEPT"),
        ([new("a", 100), bad("b", Outcome.GONE)], "READ SKIPPED"),
        ([new("a", 99), bad("b", Outcome.GONE)], "ask 2"),
        ([new("a", 100)], "READ"),
        ([bad("a", Outcome.FAILED), bad("b", Outcome.FAILED)], "ask 0"),
        ([bad("a", Outcome.DOUBTFUL), bad("b", Outcome.FAILED)], "ask 1"),
        ([bad("a", Outcome.GONE), bad("b", Outcome.GONE)], "ask 0"),
        ([bad("a", Outcome.LEFT_OUT)], "ask 0"),
    ],
)
def test_a_reading_counts_unless_it_is_bad_or_less_than_half_k1(
    fetched: list[Fetched], expected: str
) -> None:
    verdict = weigh(OLD, fetched)
    if isinstance(verdict, Ask):
        assert expected == f"ask {len(verdict.pages)}"
        assert verdict.reason
    else:
        assert expected == " ".join(page.state.name for page in verdict.pages)


def test_the_first_reading_needs_one_page_that_is_good() -> None:
    assert isinstance(weigh([], [new("a", 1), bad("b", Outcome.DOUBTFUL)]), Accept)
    refused = weigh([], [bad("a", Outcome.DOUBTFUL), bad("b", Outcome.FAILED)])
    assert refused == Ask("Why. So it is with 1 more pages.")


def test_what_was_dismissed_is_known_again_by_its_words() -> None:
    assert digest(OLD) == digest([PageText("a", "Other title", content="x" * 100), OLD[1]])
    assert digest(OLD) != digest(OLD[:1])


outcomes = st.builds(
    Fetched,
    st.sampled_from(Outcome),
    st.builds(PageText, st.sampled_from("abcd"), content=st.text("z", max_size=120)),
    st.just("Why."),
)


@given(st.lists(outcomes, unique_by=lambda each: each.page.url))
def test_what_is_accepted_never_has_less_than_half_of_the_old_text(fetched: list[Fetched]) -> None:
    verdict = weigh(OLD, fetched)
    if isinstance(verdict, Accept):
        assert 2 * sum(len(page.content) for page in verdict.pages) >= 200
        assert {page.state for page in verdict.pages if page.content} <= {
            PageState.READ,
            PageState.KEPT,
        }
