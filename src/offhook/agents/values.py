"""Typed values out of spoken or written words: numbers, e-mail addresses, phone numbers, choices,
names. Days and times are in dates.py and clocks.py.

Pure, English. What is found is what was said, not what is allowed: the task checks it.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from offhook.agents.finds import Found
from offhook.agents.numerals import WORDS
from offhook.knowledge import fold, stem, terms

_PEOPLE = (
    r"(?:people|persons?|guests?|pax|adults?|kids?|child(?:ren)?|seats?|places?|of us|diners?)\b"
)
_PARTY = re.compile(
    rf"\b(\d{{1,7}}) (?:more )?{_PEOPLE}"
    r"|\b(?:party|group|table|room|there (?:are|will be|'ll be)|we(?:'re| are)(?: going to be)?) "
    rf"(?:of |for |about )?(\d{{1,7}})\b(?!:|/| {_PEOPLE})"
    r"|\bjust (?:me|myself)\b()"
)
_COUNTED = re.compile(r"(?<![\d.,:/])(-?\d{1,15})(?![\d:/]|[.,]\d|st|nd|rd|th)(?: ([a-z]+))?")
_SPELLED = re.compile(r"(?<!\S)\d{1,2}(?: \d{1,2}){2,14}(?!\S)")  # "four four two one"
_DECIMAL = re.compile(r"(?<![\d.,:/])-?\d{1,12}(?:,\d{3})*(?:\.\d{1,6})?(?![\d:/])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_AT = re.compile(
    r"((?:[\w+.-]+ ){0,7}?[\w+.-]+) (?:at|@) "
    r"((?:[\w-]+ ){0,2}[\w-]+ ?(?:(?:\bdot\b|\.) ?[\w-]+ ?){1,4})(?:(?<=[a-z])|(?<=[a-z] ))",
    re.IGNORECASE,
)
_SIGNS = {"dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "plus": "+"}
_SPOKEN = _SIGNS | {word: str(at) for at, word in enumerate(WORDS)}
_AROUND_EMAIL = (
    "is it its it's that that's email e-mail mail address my to me on and the at reach send use "
    "please yes sure okay ok um uh so well i'm im would be under"
)
_NO_PART_OF_IT = frozenset(_AROUND_EMAIL.split())
_PHONE = re.compile(r"(?:\+|\bplus )?\(?\d(?:[\s().,-]{0,3}\d){6,14}(?![\d:])")
_LEAD = re.compile(
    r"^(?:(?:um+|uh+|er+|well|so|okay|ok|yes|yeah|sure|please|oh|right|hi|hello|no|sorry|actually"
    r"|and|it's|it is|that's|that is|that would be|it would be|this is|i am|i'm|we're|just"
    r"|i'd say|i think|i guess|make it|make that|put|say|let's say|how about|what about|it should "
    r"be|the name is|my name is|name is|name's|my name's|under the name(?: of)?|under|call me"
    r"|in the name of|for)\b[\s,.:-]*)+",
    re.IGNORECASE,
)
_TRAIL = re.compile(
    r"(?:[\s,.!-]+(?:please|thanks|thank you|then|that's it|that's all|speaking|here))+$|[\s,.!]+$",
    re.IGNORECASE,
)
MAX_NAME_WORDS = 5
MAX_TEXT_CHARS = 400


def counts(text: str) -> list[Found]:
    """Whole numbers, a number of people first: "two adults and three kids" is 5."""
    people = list(_PARTY.finditer(text))
    if people:
        numbers = [int(match[1] or match[2] or 1) for match in people]
        whole = sum(numbers) if all(match[1] for match in people) else numbers[-1]
        return [Found(whole, people[0].start(), people[-1].end())]
    if spelled := _SPELLED.search(text):
        return [Found(int(spelled[0].replace(" ", "")), *spelled.span())]
    return [Found(int(match[1]), match.start(1), match.end(1)) for match in _COUNTED.finditer(text)]


def counted_as(text: str, words: Sequence[str]) -> Found | None:
    """The number that stands before one of these words: "3 nights"."""
    wanted = {stem(each) for each in words}
    for match in _COUNTED.finditer(text):
        if match[2] and stem(match[2]) in wanted:
            return Found(int(match[1]), match.start(1), match.end())
    return None


def amounts(text: str) -> list[Found]:
    """Numbers with or without a fraction."""
    found: list[Found] = []
    for match in _DECIMAL.finditer(text):
        number = float(match[0].replace(",", ""))
        found.append(Found(int(number) if number.is_integer() else number, *match.span()))
    return found


def emails(text: str) -> list[Found]:
    """Addresses, written or spoken: "john dot smith at example dot com"."""
    written = [
        Found(match[0].rstrip(".").lower(), *match.span()) for match in _EMAIL.finditer(text)
    ]
    if written:
        return written
    return [
        Found(f"{local}@{_joined(match[2].split())}", *match.span())
        for match in _SPOKEN_AT.finditer(text)
        if (local := _local(match[1]))
    ]


def _local(spoken: str) -> str:
    """What stands before the at, without the words that lead to it."""
    words = spoken.lower().split()
    for at in range(len(words) - 1, -1, -1):
        if words[at].strip(",.:") in _NO_PART_OF_IT:
            words = words[at + 1 :]
            break
    return _joined(words)


def _joined(words: Sequence[str]) -> str:
    return "".join(_SPOKEN.get(each.lower(), each.lower().strip(",")) for each in words)


def phones(text: str) -> list[Found]:
    """Phone numbers as digits, with a plus where one was said; nothing is added."""
    found: list[Found] = []
    for match in _PHONE.finditer(text):
        plus = "+" if match[0].startswith(("+", "plus")) else ""
        found.append(Found(plus + re.sub(r"\D", "", match[0]), *match.span()))
    return found


def choice(text: str, choices: Sequence[str], *, asked: bool) -> Found | None:
    """The one of `choices` that was said; when it was asked for, also nearly or by its place."""
    folded = fold(text)
    named = [
        (each, match)
        for each in choices
        if (match := re.search(rf"(?<!\w){re.escape(fold(each))}(?!\w)", folded))
    ]
    if named:
        best, match = max(named, key=lambda each: (len(each[0]), each[1].start()))
        return Found(best, *match.span())
    said = {stem(each) for each in terms(text)}
    shared = {each: len(said & {stem(word) for word in terms(each)}) for each in choices}
    most = max(shared.values(), default=0)
    if most and list(shared.values()).count(most) == 1:
        return Found(max(shared, key=lambda each: shared[each]), 0, 0)
    return _nearly(folded, choices) if asked else None


def _nearly(folded: str, choices: Sequence[str]) -> Found | None:
    for word, at in (("first", 0), ("1st", 0), ("second", 1), ("2nd", 1), ("last", -1)):
        if re.search(rf"\b{word}\b", folded) and len(choices) > abs(at):
            return Found(choices[at], 0, 0)
    by_fold = {fold(each): each for each in choices}
    near = get_close_matches(_TRAIL.sub("", _LEAD.sub("", folded)), by_fold, n=1, cutoff=0.75)
    return Found(by_fold[near[0]], 0, 0) if near else None


def answer(text: str) -> str:
    """What was answered to a question, without the words that only lead to it or close it."""
    bare = " ".join(text.split())
    return _TRAIL.sub("", _LEAD.sub("", bare))[:MAX_TEXT_CHARS] or _TRAIL.sub("", bare)


def as_name(text: str) -> str:
    """A name as it is written: "john o'brien" is "John O'Brien"; other capitals are kept."""
    words = text.strip(" .,!?").split()[:MAX_NAME_WORDS]
    return " ".join(
        re.sub(r"(?:^|(?<=[-']))[a-zà-ÿ]", lambda m: m[0].upper(), each) if each.islower() else each
        for each in words
    )


def called(text: str, *labels: str) -> str:
    """What somebody says that a thing of theirs is: "my account number is 22", "name: Ann"."""
    for label in labels:
        name = re.escape(label)
        match = re.search(
            rf"\b(?:my|the|our|with|under)\s+{name}\s*(?:'s|is|are|:|of|(?:will|would) be)?[\s:]+"
            rf"(.+?){_STOP}|\b{name}\s*(?:'s|is|are|:)[\s:]+(.+?){_STOP}",
            text,
            re.IGNORECASE,
        )
        if match:
            return (match[1] or match[2]).strip()
    return ""


_STOP = r"(?=[,;!?]|\.(?:\s|$)|\s+(?:and|but|for|on|at|please|with my)\s|$)"
_OWN_NAME = re.compile(
    r"\b(?:my name(?:'s| is)|the name(?:'s| is)|under(?: the name(?: of)?)?(?! \d)|in the name of"
    rf"|call me)\s+(.+?){_STOP}",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    r"\b(?:[Tt]his is|I am|I'm|i'm) (?:([\w'-]+(?: [\w'-]+)?) (?:speaking|calling|here)\b"
    r"|([A-Z][\w'-]+(?: [A-Z][\w'-]+){0,2})\b)"  # "I'm looking for" is no name; "I'm Ann" is
)


def own_name(text: str) -> str:
    """The name that somebody gives: "my name is Ann Lee", "under Smith", "This is Ann Lee"."""
    if match := _OWN_NAME.search(text):
        return as_name(_TRAIL.sub("", match[1]))
    if match := _INTRODUCED.search(text):
        return as_name(match[1] or match[2])
    return ""
