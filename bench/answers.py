"""How often the keyless answerer finds the passage, and says unknown what is unknown.

    PYTHONPATH=src python bench/answers.py

Asks the questions of tests/knowledge/data/ over their pages, without a database: every passage is
a candidate. Prints each miss, the two shares beside the bare cosine's, and the time per question.
"""

import json
import time
from pathlib import Path
from typing import Any

from offhook.knowledge.embedding import encode, word_vectors
from offhook.knowledge.passages import Cut, Kind, cut, pair
from offhook.knowledge.ranking import Candidate, Hit, rank, shortlist, words_needed

DATA = Path(__file__).parent.parent / "tests" / "knowledge" / "data"
PAGES = ("harbour_bakery.md", "lakeside_dental.txt")


def load(page: str) -> tuple[list[Cut], dict[str, Any]]:
    name = page.partition(".")[0]
    pairs = DATA / f"{name}_pairs.json"
    listed: list[dict[str, str]] = json.loads(pairs.read_text()) if pairs.exists() else []
    cuts = cut((DATA / page).read_text()) + [pair(e["question"], e["answer"]) for e in listed]
    return cuts, json.loads((DATA / f"{name}_questions.json").read_text())


def is_right(hit: Candidate | Hit, expected: str) -> bool:
    if expected.startswith("|"):
        return bool(hit.cells) and hit.cells[0][1] == expected.strip("| ")
    return expected in hit.text or (hit.kind is Kind.PAIR and expected in hit.headings[0])


class Asker:
    def __init__(self, cuts: list[Cut]) -> None:
        self.cuts = cuts
        self.headed = encode([f"{c.headings[-1] if c.headings else ''}. {c.text}" for c in cuts])
        self.alone = encode([c.headings[0] if c.kind is Kind.PAIR else c.text for c in cuts])

    def candidates(self, question: str) -> list[Candidate]:
        vector = encode([question])[0]
        near, own = self.headed @ vector, self.alone @ vector
        return [
            Candidate(
                passage_id=str(at), source_id="", title="", kind=each.kind, text=each.text,
                headings=each.headings, cells=each.cells,
                meaning=float(near[at]), own_meaning=float(own[at]),
            )
            for at, each in enumerate(self.cuts)
        ]  # fmt: skip


def best_of(question: str, candidates: list[Candidate]) -> Hit:
    chosen = shortlist(question, candidates)
    return rank(question, chosen, word_vectors(words_needed(question, chosen)))[0]


def measure(page: str) -> None:
    cuts, asked = load(page)
    asker = Asker(cuts)
    first = told = cosine = 0
    started = time.perf_counter()
    for each in asked["answerable"]:
        candidates = asker.candidates(each["question"])
        nearest = max(candidates, key=lambda found: found.meaning)
        cosine += is_right(nearest, each["passage"])
        hit = best_of(each["question"], candidates)
        right = is_right(hit, each["passage"])
        first += right
        told += right and hit.answerable
        if not (right and hit.answerable):
            kind = "said unknown" if right else "wrong passage"
            print(f"  {kind}: {each['question']} -> {hit.text[:60]} ({hit.confidence})")
    unknown = 0
    for question in asked["unanswerable"]:
        hit = best_of(question, asker.candidates(question))
        unknown += not hit.answerable
        if hit.answerable:
            print(f"  answered though not there: {question} -> {hit.text[:60]} ({hit.confidence})")
    known, missing = len(asked["answerable"]), len(asked["unanswerable"])
    each_ms = 1000 * (time.perf_counter() - started) / (known + missing)
    print(
        f"{page}: right passage first {first}/{known} (bare cosine {cosine}/{known}), "
        f"right and told {told}/{known}, unknown said so {unknown}/{missing}, {each_ms:.0f} ms each"
    )


if __name__ == "__main__":
    for page in PAGES:
        measure(page)
