"""What somebody wants of a task: that it be done, that it not be done, no.

Pure, English. A wish is known by the words of the task's phrases or of what they mean; what only
asks about a thing ("do you take reservations?") is no wish.
"""

import re
from collections.abc import Iterable, Sequence

from offhook.knowledge import concepts, fold, stem, terms
from offhook.tasks import Offer

_WANTS = re.compile(
    r"\b(?:(?:i|we)(?:'d| would)? (?:like|love|want|wanna|need|prefer)|i have to"
    r"|i'm (?:calling|looking) (?:to|for)|i was (?:hoping|wondering)|would you|please|let's|let me"
    r"|(?:can|could|may|might) (?:i|we|you)|do you have|have you got|is there"
    r"|(?:get|give|send|put|help) me)\b"
)
_ASKS_ABOUT = re.compile(
    r"^(?:(?:and|so|hi|hello|okay|well) )*(?:how (?:much|long|late|early|far|do)|what|when|where"
    r"|why|who|which|do you (?:take|accept|offer|do|need|charge|allow)|is it possible|does|did"
    r"|are you|have i|do i (?:have|need))\b"
)
# A task that makes something must not be begun by the wish to undo or change it.
_UNDOING = frozenset({"cancel", "delet", "undo", "move", "chang", "reschedul", "postpon", "remov"})
_LEAD = r"^(?:(?:oh|um+|uh|ah|well|so|and|please|sorry)\W+)*"
_THATS = r"(?:that's|that is|it's|it is)"
_NO = re.compile(
    rf"{_LEAD}(?:no|nope|nah|n|wrong|incorrect|not (?:quite|right|really|yet|now)"
    rf"|{_THATS} (?:not|wrong)|don't|do not|wait|hold on)\b"
)
_NEVER_MIND = re.compile(
    r"\b(?:never ?mind|forget (?:it|about|that)|leave it|drop it|cancel (?:that|it|this)$"
    r"|(?:don't|do not) (?:bother|book|do|send|want|need) ?(?:it|that|this|anything|any ?more)?\b"
    r"|changed my mind|not any ?more|doesn't matter|stop (?:it|that)?$|no thanks$|no thank you$"
    r"|rather not|skip it$|i'll (?:call|try|do it|come) (?:back|again|myself|later))"
)
_ENOUGH = 0.5
"""Cosine from which a wish in other words is taken for that of the task."""


def named(offers: Iterable[Offer], text: str) -> Offer | None:
    """The task whose phrase, title or name is in the words of `text`; the fullest match wins.

    What only looks something up may be asked for: "where is my order?".
    """
    asks = bool(_ASKS_ABOUT.search(fold(text).strip()))
    said = _words(text)
    best: tuple[int, Offer] | None = None
    for offer in offers:
        if asks and offer.confirm:
            continue
        matched = max((_matched(phrase, said) for phrase in phrases(offer)), default=0)
        if matched and _undoing(said) <= _undoing(_words(" ".join(phrases(offer)))):
            best = max(best or (0, offer), (matched, offer), key=lambda each: each[0])
    return best[1] if best is not None else None


def alike(offers: Sequence[Offer], text: str, likeness: Sequence[float]) -> Offer | None:
    """The task whose phrases mean the same; `likeness` as of `all_phrases`."""
    said = _undoing(_words(text))
    best, most = None, _ENOUGH
    for (offer, _), each in zip(all_phrases(offers), likeness, strict=True):
        if each > most and said <= _undoing(_words(" ".join(phrases(offer)))):
            best, most = offer, each
    return best


def says(case: str, text: str) -> bool:
    """Whether all that a case is about is in the words of `text`."""
    return _matched(case, _words(text)) > 0


def is_wish(text: str) -> bool:
    """Whether anything is wanted: only then is it asked what it means."""
    bare = fold(text).strip()
    return bool(_WANTS.search(bare)) and not _ASKS_ABOUT.search(bare)


def phrases(offer: Offer) -> list[str]:
    return [*offer.phrases, offer.title, re.sub(r"[_-]+", " ", offer.name)]


def all_phrases(offers: Iterable[Offer]) -> list[tuple[Offer, str]]:
    return [(offer, phrase) for offer in offers for phrase in phrases(offer)]


def denies(text: str) -> bool:
    return bool(_NO.search(fold(text).strip()))


def never_mind(text: str) -> bool:
    """Whether the whole thing is no longer wanted."""
    return bool(_NEVER_MIND.search(re.sub(r"[.!,]+(?=\s|$)", "", fold(text)).strip()))


def _words(text: str) -> set[str]:
    found = {stem(each) for each in terms(text)}
    return found | {stem(each) for each in re.findall(r"[a-z]+", fold(text)) if len(each) > 3}  # noqa: PLR2004 - shorter ones are no things


def _matched(phrase: str, said: set[str]) -> int:
    """How many words of the phrase were said, if all of them, or their like, were."""
    wanted = [stem(each) for each in terms(phrase)]
    meant = concepts(said)
    there = [each in said or bool(concepts({each}) & meant) for each in wanted]
    return len(wanted) if wanted and all(there) else 0


def _undoing(words: set[str]) -> set[str]:
    return {each for each in _UNDOING if any(word.startswith(each) for word in words)}
