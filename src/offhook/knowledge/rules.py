"""What becomes of a re-read web source (K1, case KN4). Pure.

A page that fails, or shows something else than itself, keeps its old text. A reading with less
than half of the old text, and one in which nothing was good, changes nothing: a person is asked.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class PageState(StrEnum):
    READ = "read"
    KEPT = "kept"
    """Could not be read anew: what it said before goes on being told."""
    SKIPPED = "skipped"


class Outcome(StrEnum):
    """What came of asking for a page."""

    NEW = "new"
    SAME = "same"
    """304: as it was."""
    GONE = "gone"
    """404 or 410."""
    DOUBTFUL = "doubtful"
    """Something stands before it: a log-in form, a question about cookies."""
    FAILED = "failed"
    LEFT_OUT = "left out"
    """Not asked for: another site's, or the site wishes it."""


@dataclass(frozen=True, slots=True)
class PageText:
    """A page and what it says; `url` is where it was found."""

    url: str
    title: str = ""
    state: PageState = PageState.READ
    reason: str = ""
    content: str = ""
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`page` holds the new text of NEW and DOUBTFUL; `reason` is a sentence."""

    outcome: Outcome
    page: PageText
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Accept:
    """The pages as they are now."""

    pages: Sequence[PageText]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """The old text stays; a person may have `pages` instead, where there are any."""

    reason: str
    pages: Sequence[PageText] = ()


Verdict = Accept | Ask


def weigh(before: Sequence[PageText], fetched: Sequence[Fetched]) -> Verdict:
    """What a reading comes to. With nothing `before` that was read, Ask means that it failed."""
    old = {page.url: page for page in before if page.content}
    now = [_merged(each, old) for each in fetched]
    had, has = _chars(old.values()), _chars(now)
    good = [each for each in fetched if each.outcome in (Outcome.NEW, Outcome.SAME)]
    if not good:
        doubtful = [each.page for each in fetched if each.outcome is Outcome.DOUBTFUL]
        return Ask(_first_reason(fetched), doubtful if old else ())
    if 2 * has < had:
        return Ask(
            f"There are {has:,} characters of text now, less than half of the {had:,} before.", now
        )
    kept = sum(page.state is PageState.KEPT for page in now)
    return Accept(now, _kept_note(kept))


def digest(pages: Iterable[PageText]) -> str:
    """The same for the same words on the same pages: what was dismissed is not asked again."""
    told = hashlib.sha256()
    for page in pages:
        told.update(f"{page.url}\n{page.content}\n".encode())
    return told.hexdigest()


def _merged(each: Fetched, old: Mapping[str, PageText]) -> PageText:
    before = old.get(each.page.url)
    if each.outcome is Outcome.NEW:
        return each.page
    if each.outcome is Outcome.SAME and before is not None:
        return replace(before, state=PageState.READ, reason="")
    if each.outcome in (Outcome.DOUBTFUL, Outcome.FAILED) and before is not None:
        return replace(before, state=PageState.KEPT, reason=each.reason)
    return PageText(
        each.page.url, each.page.title, PageState.SKIPPED, each.reason or "It was not read."
    )


def _chars(pages: Iterable[PageText]) -> int:
    return sum(len(page.content) for page in pages)


def _first_reason(fetched: Sequence[Fetched]) -> str:
    asked = [each for each in fetched if each.outcome is not Outcome.LEFT_OUT]
    if not asked:
        return "No page of it may be read."
    more = f" So it is with {len(asked) - 1:,} more pages." if len(asked) > 1 else ""
    return f"{asked[0].reason}{more}"


def _kept_note(kept: int) -> str:
    if not kept:
        return ""
    pages = "1 page" if kept == 1 else f"{kept:,} pages"
    return (
        f"{pages} could not be read anew; the old text of {'it' if kept == 1 else 'them'} is kept."
    )
