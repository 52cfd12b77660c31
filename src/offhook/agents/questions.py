"""What a caller asks, made whole: several questions in one turn, and questions that lean on the
ones before ("and on Sunday?", "how much is it?"). Pure, English.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from offhook.knowledge import Wants, asked, day_name, days_in, stem, terms

MAX_QUESTIONS = 3
_OPENERS = r"what|how|when|where|who|which|why|do|does|did|is|are|can|could|may|will|would|have|has"
_LEANS = re.compile(
    r"^(?:and|or|but|so|then|what about|how about|what if)\b"
    r"|\b(?:it|its|that|this|those|they|them|one|ones)\b"
    rf"|^(?!(?:{_OPENERS})\b)[\w' -]{{2,30}}\?$",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:it|its|that|this|those|they|them|one|ones)\b", re.IGNORECASE)
_ELLIPSIS = re.compile(
    r"^(?:(?:and|or|but|so|then|okay|ok)\b[\s,]*)*(?:(?:what|how) about\b|for|on|with)?\s*",
    re.IGNORECASE,
)
_CARRY = {
    Wants.PRICE: "How much is {}?",
    Wants.WEIGHT: "How heavy is {}?",
    Wants.OPENING: "When are you open {}?",
    Wants.TIME: "When is {}?",
    Wants.PLACE: "Where is {}?",
}
FEW_TERMS = 3


def split(texts: Sequence[str]) -> list[str]:
    """The questions of the unanswered turns, oldest first. A statement belongs to what follows
    it, so that a burst ("I want to book" / "Friday" / "for 4") is one question (SM7).
    """
    whole = " ".join(" ".join(texts).split())
    pieces = re.split(r"(?<=[?!])\s+|(?<=\.)\s+(?=[A-Z])", whole)
    questions: list[str] = []
    leading: list[str] = []
    for piece in pieces:
        leading.append(piece)
        if piece.endswith("?") or opens(piece):
            questions += _halves(" ".join(leading))
            leading = []
    if leading and not questions:
        questions = [" ".join(leading)]
    return [each for each in questions if re.search(r"\w", each)][:MAX_QUESTIONS]


def asks(texts: Sequence[str]) -> bool:
    """Whether there is a question among the turns."""
    return any(each.rstrip().endswith("?") or opens(each) for each in split(texts))


def opens(piece: str) -> bool:
    """Whether it begins as a question does."""
    return bool(re.match(rf"(?:and |so |okay |ok |well )*(?:{_OPENERS})\b", piece, re.IGNORECASE))


def _halves(question: str) -> list[str]:
    """`When do you open and how much is the rye?` asks two things."""
    return re.split(
        r",?\s+and\s+(?=(?:also\s+)?"
        r"(?:what|how|when|where|who|which|do you|are you|can i|is there)\b)"
        r"(?!.{0,20}\b(?:it|that|this|those|they)\b)",
        question,
        flags=re.IGNORECASE,
    )


def resolve(question: str, before: str) -> str:
    """`question` as it would be asked without the one `before` it; unchanged if it stands alone."""
    if not before or not _LEANS.search(question):
        return question
    bare = _ELLIPSIS.sub("", question)
    if not _PRONOUN.search(question) and re.match(rf"(?:{_OPENERS})\b", bare, re.IGNORECASE):
        return bare[0].upper() + bare[1:]
    own = asked(question)
    if own.days and (not own.wants or own.wants <= {Wants.OPENING, Wants.TIME}):
        rest = [each for each in terms(question) if not days_in(each)]
        if not rest and asked(before).wants & {Wants.OPENING, Wants.TIME}:
            return _on_day(before, own.days)
    own_terms = set(terms(question))
    if len(own_terms) > FEW_TERMS:
        return question
    if not own.wants:
        rest = _ELLIPSIS.sub("", question).strip(" ?.!")
        wants = asked(before).wants
        for want, form in _CARRY.items():
            if want in wants and rest and rest.lower() not in {"that", "it"}:
                return form.format(rest)
    topic = _topic(before, own_terms)
    return f"{question.rstrip('?. ')} ({topic})?" if topic else question


def _on_day(before: str, days: frozenset[int]) -> str:
    """The same question, about other days."""
    bare = re.sub(
        r"\b(?:on\s+)?(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:today|tomorrow|now)\b",
        "",
        before,
        flags=re.IGNORECASE,
    ).strip(" ?")
    return f"{bare} on {' and '.join(day_name(each) for each in sorted(days))}?"


def _topic(before: str, own: set[str]) -> str:
    """The things that the question before was about."""
    words = re.findall(r"[A-Za-zÀ-ÿ'-]+", before)
    asking = {"much", "cost", "price", "pay", "open", "close", "long", "late"}
    kept = [
        each
        for each in words
        if (found := terms(each)) and found[0] not in own and stem(found[0]) not in asking
    ]
    return " ".join(dict.fromkeys(kept))


def plainly(question: str) -> str:
    """Questions of two or three words with none to find anything by, in words that do."""
    where = r"(?:so )?where(?: exactly)? (?:are|is) (?:you|it|that|this)\W*"
    if re.fullmatch(where, question, re.IGNORECASE):
        return "What is your address, where are you located?"
    return question


def with_date(question: str, now: datetime | None) -> str:
    """`today`, `tomorrow` and `now` as the day of the week that they are."""
    if now is None:
        return question
    days = {
        r"\b(?:today|tonight|right now|now)\b": now,
        r"\bday after tomorrow\b": now + timedelta(days=2),
        r"\btomorrow\b": now + timedelta(days=1),
    }
    if not asked(question).wants & {Wants.OPENING, Wants.TIME} and not re.search(
        r"\b(?:come|visit|there|drop)\b", question, re.IGNORECASE
    ):
        return question
    for pattern, day in sorted(days.items(), key=lambda each: -len(each[0])):
        question = re.sub(pattern, f"on {day_name(day.weekday())}", question, flags=re.IGNORECASE)
    return re.sub(r"\bon on\b", "on", question)
