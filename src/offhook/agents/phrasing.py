"""A found passage put into the words of an answer: short, and good to hear (K3). Pure.

Nothing is added to what the passage says; a row of a table becomes a sentence, a paragraph gives
the sentences that answer.
"""

import re
from collections.abc import Sequence

from offhook.agents.brain import Channel
from offhook.knowledge import (
    Hit,
    Kind,
    Wants,
    asked,
    concepts,
    days_in,
    is_amount,
    is_opening,
    plain,
    price_cell,
    sentences,
    stem,
    tells,
    terms,
)

# What a caller takes in at once, and what fits a text of one segment.
MOST_CHARS = {Channel.CALL: 180, Channel.SMS: 300}
# A passage this short is said whole.
SHORT_CHARS = 165
MOST_ROWS = 3
_WEIGHT_HEAD = re.compile(r"weight|weighs|size", re.IGNORECASE)
_HOURS_HEAD = re.compile(r"(?:opening |business |shop )?(?:hours|times|open)", re.IGNORECASE)
_PARTS = re.compile(r"\s*,\s*|\s+(?:and|or|plus|than|versus|vs)\b\.?|\s*[&+/]\s*", re.IGNORECASE)
_LEANING = re.compile(
    r"^(?:It|They|These|Those|This|That|Please|And|But|Then|He|She|There|Otherwise|After)\b"
)


def told_together(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that answer one question together: the best, and of the same table the row that
    each part of the question names ("the rye or the sourdough?"), in the question's order.
    """
    best = hits[0]
    if best.kind is not Kind.ROW:
        return [best]
    table = (best.source_id, best.headings)
    rows = [hit for hit in hits if hit.kind is Kind.ROW and (hit.source_id, hit.headings) == table]
    together: list[Hit] = []
    for part in _PARTS.split(question):
        row = max(rows, key=lambda each: _named(part, each))
        if _named(part, row) and row not in together:
            together.append(row)
    return together[:MOST_ROWS] if best in together else [best]


def _named(part: str, row: Hit) -> float:
    """How much of a row's subject this part of a question names; a day in it is all."""
    subject = row.cells[0][1]
    if days := asked(part).days:
        return float(bool(days & days_in(subject)))
    words = set(terms(subject))
    return len(words & set(terms(part))) / max(1, len(words))


def answer(question: str, hit: Hit, channel: Channel) -> str:
    """The words of the passage that answer the question, as one or two sentences."""
    if hit.kind is Kind.ROW:
        return spans(_row(question, hit))
    most = MOST_CHARS[channel]
    found = sentences(plain(hit.text))
    if hit.kind is Kind.PAIR or len(found) == 1:
        return spans(whole(" ".join(_upto(found, most))))
    best = max(range(len(found)), key=lambda at: _worth(question, found[at]))
    first = best - 1 if best and _LEANING.match(found[best]) else best
    chosen = found[first : best + 1]
    if len(hit.text) <= (most if channel is Channel.SMS else SHORT_CHARS):
        chosen = found
    return spans(whole(" ".join(chosen)))


def spans(text: str) -> str:
    """`7:00 - 18:00` as it is said: `7:00 to 18:00`."""
    end = r"(?:\d|noon|midnight|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b)"
    start = r"(\d(?:\s?[ap]\.?m\.?)?|noon|midnight|day)"
    return re.sub(rf"{start}\s*[-–—]\s*(?={end})", r"\1 to ", text, flags=re.IGNORECASE)


def _upto(found: list[str], most: int) -> list[str]:
    chosen = found[:1]
    for each in found[1:]:
        if len(" ".join([*chosen, each])) > most:
            break
        chosen.append(each)
    return chosen


def _worth(question: str, sentence: str) -> float:
    wanted = set(terms(question))
    here = set(terms(sentence))
    alike = concepts(wanted) & (concepts(here) | {each.value for each in tells(sentence)})
    kinds = asked(question).wants & tells(sentence)
    return len(wanted & here) + 0.8 * len(alike) + 0.7 * len(kinds)


def _row(question: str, hit: Hit) -> str:
    wanted = asked(question)
    cells = hit.cells
    subject = cells[0][1]
    price = price_cell(cells)
    if is_opening(hit.text, " ".join(hit.headings)) and days_in(subject):
        return _hours(question, subject, cells[1:])
    if Wants.WEIGHT in wanted.wants:
        for head, value in cells[1:]:
            if _WEIGHT_HEAD.search(head):
                return f"{_the(subject)} weighs {value}."
    if price and (Wants.PRICE in wanted.wants or len(cells) == 2):  # noqa: PLR2004 - a thing and its price
        return _price(subject, price)
    named = [(head, value) for head, value in cells[1:] if set(terms(head)) & set(terms(question))]
    rest = [f"{head.lower()} {value}".strip() for head, value in named or cells[1:]]
    return whole(f"{subject}: {', '.join(rest)}" if rest else subject)


def _price(subject: str, price: str) -> str:
    if not is_amount(price):
        return whole(f"{subject}: {price}")
    if price.lower().startswith("free"):
        return f"{_the(subject)} is {price.lower()}."
    verb = "cost" if re.search(r"\band\b", subject) else "costs"
    return f"{_the(subject)} {verb} {price}."


def _hours(question: str, days: str, cells: tuple[tuple[str, str], ...]) -> str:
    when = f"from {days}" if re.search(r"\bto\b|[-–]", days) else f"on {days}"
    asked_for = {stem(each) for each in terms(question)}
    named = [each for each in cells if {stem(x) for x in terms(each[0])} & asked_for] or list(cells)
    if all(value.lower() == "closed" for _, value in cells):
        return f"We are closed {when}."
    if len(named) == 1 and (not named[0][0] or _HOURS_HEAD.fullmatch(named[0][0])):
        return f"We are open {when}, {named[0][1]}."
    told = ", ".join(f"{head.lower()} {value}".strip() if head else value for head, value in named)
    return f"{when[0].upper()}{when[1:]}: {told}."


def _the(subject: str) -> str:
    """`Rye sourdough` as the subject of a sentence."""
    if re.match(r"(?:the|a|an|our|your)\b", subject, re.IGNORECASE) or re.search(
        r"[A-Z].*\s[A-Z]", subject
    ):
        return subject
    first = subject.split(" ", 1)[0]
    lowered = subject if first.isupper() else subject[0].lower() + subject[1:]
    return f"The {lowered}"


def whole(text: str) -> str:
    """A sentence: with a capital and an end."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else text.rstrip(",;:") + "."
