"""Which passage answers a question, and whether any does (K2). Pure.

Neither meaning nor words decide alone: the cosine of a good answer overlaps with that of a
near miss. Together with what kind of thing is asked for, the days that are named, and how much of
the question the passage covers, they put the passages in order and say how sure that is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offhook.knowledge.asking import Asked, Wants, asked, days_in, tells
from offhook.knowledge.passages import Cells, Kind
from offhook.knowledge.words import concepts, terms

# Weights of the signals, found on tests/knowledge/data/harbour_bakery_questions.json.
MEANING = 1.0
COVERAGE = 0.55
HEADING_SHARE = 0.6
KIND_FITS = 0.12
KIND_LACKS = -0.18
DAY_FITS = 0.25
DAY_MISSES = -0.25
ANSWERABLE = 0.5


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
    candidate: Candidate
    score: float
    coverage: float
    fits: bool


def rank(question: str, candidates: Sequence[Candidate], k: int = 5) -> list[Hit]:
    """The `k` best passages, best first."""
    scored = score(question, candidates)
    hits: list[Hit] = []
    for place, each in enumerate(scored[:k]):
        rival = scored[1] if place == 0 and len(scored) > 1 else scored[0]
        hits.append(_hit(each.candidate, confidence(each, each.score - rival.score)))
    return hits


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


def score(question: str, candidates: Sequence[Candidate]) -> list[Scored]:
    """Every candidate with its score, best first."""
    wanted = asked(question)
    said = _features(terms(question))
    bodies = [_features(terms(each.text)) for each in candidates]
    heads = [_features(terms(" ".join(each.headings[-2:]))) for each in candidates]
    weights = _weights(said, [body | head for body, head in zip(bodies, heads, strict=True)])
    scored = [
        _scored(each, wanted, _coverage(weights, body, head))
        for each, body, head in zip(candidates, bodies, heads, strict=True)
    ]
    return sorted(scored, key=lambda each: -each.score)


def confidence(best: Scored, margin: float) -> float:
    """How sure it is that the passage answers, 0 to 1."""
    found = best.candidate
    meaning = max(found.meaning, found.own_meaning)
    raw = 6.0 * (meaning - 0.38) + 3.0 * (best.coverage - 0.4) + 2.0 * min(margin, 0.2)
    raw += 0.6 if best.fits else -0.8
    return 1 / (1 + math.exp(-raw))


def _scored(candidate: Candidate, wanted: Asked, coverage: float) -> Scored:
    told = tells(candidate.text, candidate.cells)
    needs = wanted.wants & {Wants.PRICE, Wants.OPENING, Wants.TIME, Wants.WEIGHT, Wants.CONTACT}
    fits = needs <= told
    points = MEANING * (candidate.meaning + candidate.own_meaning) / 2 + COVERAGE * coverage
    if needs:
        points += KIND_FITS if fits else KIND_LACKS
    if wanted.days:
        here = days_in(candidate.text)
        points += DAY_FITS if wanted.days & here else (DAY_MISSES if here else 0.0)
    return Scored(candidate, points, coverage, fits)


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
