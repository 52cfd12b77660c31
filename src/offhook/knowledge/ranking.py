"""Which passage answers a question, and whether any does (K2). Pure.

Neither meaning nor words decide alone: the cosine of a good answer overlaps with that of a
near miss. Together with what kind of thing is asked for, the days that are named, and how much of
the question the passage covers, they put the passages in order and say how sure that is.

Two steps: `shortlist` orders all candidates by what needs no model; `rank` looks at the words of
those few more closely, with a vector for each word.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from offhook.knowledge.asking import Asked, Wants, asked, days_in, demanded, tells
from offhook.knowledge.embedding import Vectors
from offhook.knowledge.passages import Cells, Kind
from offhook.knowledge.seasons import months_in
from offhook.knowledge.words import FAINT, STOP, concepts, stem, terms, words

# Weights of the signals, found on tests/knowledge/data/harbour_bakery_questions.json.
MEANING = 1.0
COVERAGE = 0.55
LIKENESS = 0.3
HEADING_SHARE = 0.6
KIND_FITS = 0.12
KIND_LACKS = -0.18
DAY_FITS = 0.25
DAY_MISSES = -0.25
DAY_IS_SUBJECT = 0.25
MONTH_FITS = 0.15
MONTH_MISSES = -0.2
ANSWERABLE = 0.5
SHORTLIST = 8
NOTHING_LIKE = 0.05
PLAINLY = 0.75
# Of a word that does not weigh much in a question.
FAINT_SHARE = 0.3
# Cosines of single words: below the first they have nothing in common, above the second the
# same is meant.
UNLIKE, ALIKE = 0.4, 0.8
TELLABLE = frozenset({Wants.PRICE, Wants.OPENING, Wants.TIME, Wants.WEIGHT, Wants.CONTACT})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that came up by words or by meaning; cosines are -1 to 1."""

    passage_id: str
    source_id: str
    title: str
    kind: Kind
    text: str
    headings: tuple[str, ...] = ()
    cells: Cells = ()
    meaning: float = 0.0
    own_meaning: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage. `confidence` is 0 to 1; `answerable` says whether it may be told."""

    passage_id: str
    source_id: str
    title: str
    kind: Kind
    text: str
    headings: tuple[str, ...]
    cells: Cells
    confidence: float
    answerable: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its signals; `likeness` is the share of the question's words, weighed,
    that the passage has or has the like of.
    """

    candidate: Candidate
    score: float
    coverage: float
    fits: bool
    likeness: float = 0.0
    gap: float = 0.0


def shortlist(question: str, candidates: Sequence[Candidate]) -> list[Scored]:
    """The candidates worth a closer look, best first."""
    wanted = asked(question)
    said = _features(terms(question))
    bodies = [_features(terms(each.text)) for each in candidates]
    heads = [_features(terms(" ".join(each.headings[-2:]))) for each in candidates]
    weights = _weights(said, [body | head for body, head in zip(bodies, heads, strict=True)])
    scored = [
        _scored(each, wanted, _coverage(weights, body, head))
        for each, body, head in zip(candidates, bodies, heads, strict=True)
    ]
    return sorted(scored, key=_by_score)[:SHORTLIST]


def words_needed(question: str, chosen: Sequence[Scored]) -> set[str]:
    """The words whose vectors `rank` wants."""
    return {
        word
        for text in (question, *(_full(each.candidate) for each in chosen))
        for word in _telling(text)
    }


def rank(
    question: str, chosen: Sequence[Scored], vectors: Mapping[str, Vectors], k: int = 5
) -> list[Hit]:
    """The `k` best passages, best first, each with how sure it is that it answers."""
    looked = sorted((_liken(question, each, vectors) for each in chosen), key=_by_score)
    hits: list[Hit] = []
    for place, each in enumerate(looked[:k]):
        rival = looked[1] if place == 0 and len(looked) > 1 else looked[0]
        hits.append(_hit(each.candidate, confidence(each, each.score - rival.score)))
    return hits


def signals(best: Scored, margin: float) -> tuple[float, ...]:
    """What the confidence is made of, each about 0 to 1."""
    found = best.candidate
    return (
        max(found.meaning, found.own_meaning),
        best.likeness,
        float(best.fits),
        min(max(margin, -0.1), 0.1) * 10,
        best.gap,
    )


CONFIDENCE = (3.0, 5.0, 1.0, 1.5, -2.0)
CONFIDENCE_AT_NONE = -5.2


def confidence(best: Scored, margin: float) -> float:
    """How sure it is that the passage answers, 0 to 1 (a logistic function of the signals)."""
    raw = CONFIDENCE_AT_NONE + sum(
        weight * signal for weight, signal in zip(CONFIDENCE, signals(best, margin), strict=True)
    )
    return 1 / (1 + math.exp(-raw))


def _by_score(scored: Scored) -> float:
    return -scored.score


def _hit(found: Candidate, sure: float) -> Hit:
    return Hit(
        passage_id=found.passage_id,
        source_id=found.source_id,
        title=found.title,
        kind=found.kind,
        text=found.text,
        headings=found.headings,
        cells=found.cells,
        confidence=round(sure, 3),
        answerable=sure >= ANSWERABLE,
    )


def _scored(candidate: Candidate, wanted: Asked, coverage: float) -> Scored:
    heading = " ".join(candidate.headings)
    told = tells(candidate.text, candidate.cells, heading)
    needs = wanted.wants & TELLABLE
    fits = needs <= told
    points = MEANING * (candidate.meaning + candidate.own_meaning) / 2 + COVERAGE * coverage
    if needs:
        points += KIND_FITS if fits else KIND_LACKS
    if wanted.days:
        here = days_in(candidate.text)
        points += DAY_FITS if wanted.days & here else (DAY_MISSES if here else 0.0)
        hours = Wants.OPENING in wanted.wants and candidate.cells
        if hours and wanted.days & days_in(candidate.cells[0][1]):
            points += DAY_IS_SUBJECT
    if wanted.months and (months := months_in(candidate.text)):
        points += MONTH_FITS if wanted.months & months else MONTH_MISSES
    return Scored(candidate, points, coverage, fits)


def _liken(question: str, scored: Scored, vectors: Mapping[str, Vectors]) -> Scored:
    found = scored.candidate
    there = _telling(_full(found))
    stems = {stem(each) for each in there}
    ideas = concepts(stems) | {want.value for want in tells(found.text, found.cells)}
    known = [vectors[each] for each in there if each in vectors]
    held = {word: _held(word, stems, ideas, known, vectors) for word in sorted(_telling(question))}
    weights = {word: FAINT_SHARE if stem(word) in FAINT else 1.0 for word in held}
    total = sum(weights.values())
    likeness = sum(held[word] * weights[word] for word in held) / total if total else 0.5
    return replace(
        scored,
        likeness=likeness,
        gap=_gap(question, found, held, weights),
        score=scored.score + LIKENESS * likeness,
    )


def _gap(
    question: str, found: Candidate, held: Mapping[str, float], weights: Mapping[str, float]
) -> float:
    """1 where a word that the answer hangs on has nothing like it in the passage.

    Such are the counted noun (`how many calories`); one half of a compound whose other half is
    there (`electric car`, `wedding dress`); and, when a row's price or weight is asked for, each
    word that names the thing (`pumpkin bread`).
    """
    hinges = [each for each in demanded(question) if each in held]
    if found.kind is Kind.ROW and asked(question).wants & {Wants.PRICE, Wants.WEIGHT}:
        hinges += [
            each for each, weight in weights.items() if weight == 1.0 and not _asks_price(each)
        ]
    priced = Wants.PRICE in tells(found.text, found.cells)
    for first, second in compounds(question):
        if priced and (_asks_price(first) or _asks_price(second)):
            continue  # `the doughnut cost`: an amount says that by itself
        if weights[first] == weights[second] == 1.0:
            hinges += [first] if held[second] >= PLAINLY else []
            hinges += [second] if held[first] >= PLAINLY else []
    return float(any(held[each] < NOTHING_LIKE for each in hinges))


def _asks_price(word: str) -> bool:
    return stem(word) in {"pay", "much"} or "cost" in concepts({stem(word)})


def _held(
    word: str,
    stems: set[str],
    ideas: set[str],
    there: Sequence[Vectors],
    vectors: Mapping[str, Vectors],
) -> float:
    """How far the passage has this word of the question, 0 to 1."""
    own = stem(word)
    if own in stems:
        return 1.0
    if concepts({own}) & ideas:
        return 0.8
    if word not in vectors or not there:
        return 0.8
    nearest = float(np.max(np.stack(there) @ vectors[word]))
    return 0.9 * min(max((nearest - UNLIKE) / (ALIKE - UNLIKE), 0.0), 1.0)


def _full(candidate: Candidate) -> str:
    return f"{' '.join(candidate.headings[-2:])} {candidate.text}"


def _telling(text: str) -> set[str]:
    return {each for each in words(text) if each not in STOP and not each[0].isdigit()}


def compounds(question: str) -> list[tuple[str, str]]:
    """Words that carry meaning and stand side by side."""
    said = words(question)
    telling = _telling(question)
    return [(a, b) for a, b in pairwise(said) if a in telling and b in telling and a != b]


def _features(stems: list[str]) -> frozenset[str]:
    unique = frozenset(stems)
    return unique | {f"~{idea}" for idea in concepts(unique)}


def _weights(said: frozenset[str], documents: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """How telling each feature of the question is among the candidates (rare is telling)."""
    total = len(documents) or 1
    return {
        each: math.log(1 + total / (0.5 + sum(each in document for document in documents)))
        for each in said
    }


def _coverage(weights: Mapping[str, float], body: frozenset[str], head: frozenset[str]) -> float:
    """Share of the question's weight that the passage holds; its headings count in part.

    A word that is missing while its idea is there counts through the idea.
    """
    held = asked_for = 0.0
    for each, weight in weights.items():
        asked_for += weight
        held += weight if each in body else HEADING_SHARE * weight if each in head else 0.0
    return held / asked_for if asked_for else 0.0
