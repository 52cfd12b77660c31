"""What is said in a conversation that asks for no knowledge: greetings, thanks, goodbyes, "say
that again". Pure, English.
"""

import re
from enum import StrEnum

from offhook.knowledge import fold


class Talk(StrEnum):
    HELLO = "hello"
    THANKS = "thanks"
    BYE = "bye"
    NO_MORE = "no_more"
    REPEAT = "repeat"
    ASKED_WHAT = "asked_what"
    PERSON = "person"
    WHO_ARE_YOU = "who_are_you"
    HOW_ARE_YOU = "how_are_you"
    THERE = "there"
    YES = "yes"
    EMPTY = "empty"


_FILLER = r"(?:please|okay|ok|so|well|oh|um|uh|great|perfect|very|much|then|and|alright|all right)"
_HI = r"(?:hi|hello|hey|hi there|hello there|hey there|good (?:morning|afternoon|evening|day))"
_WHOLE = {
    Talk.HELLO: (_HI,),
    Talk.BYE: (
        r"(?:good ?bye|bye|bye bye|see you|see you (?:later|then|soon)|have a (?:nice|good) \w+)",
        r"that(?:'s| is| was) (?:all|it)(?: for (?:today|now))?(?: thanks| thank you)?",
        r"(?:thanks|thank you)(?: so much| a lot)? (?:good ?bye|bye|bye bye|see you)",
    ),
    Talk.NO_MORE: (
        (
            r"no(?: thanks| thank you)?(?: that(?:'s| is| was) (?:all|it|everything))?"
            r"(?: (?:good ?bye|bye))?"
        ),
        r"(?:no )?nothing(?: else)?",
    ),
    Talk.THANKS: (
        (
            r"(?:many )?(?:thanks|thank you|cheers|thx)(?: (?:so|very) much| a lot| again)?"
            r"(?: for \w+(?: \w+){0,3})?"
        ),
    ),
    Talk.YES: (
        r"(?:yes|yeah|yep|sure|ok|okay)(?: please| that would be (?:nice|great|good))?",
        r"please do|that would be (?:nice|great|good)",
    ),
    Talk.HOW_ARE_YOU: (r"how are you(?: doing)?(?: today)?", r"how's it going"),
    Talk.THERE: (r"are you (?:still )?there", r"can you hear me", r"anybody there"),
    Talk.REPEAT: (
        r"(?:sorry|pardon|what|excuse me|come again|huh)(?: me)?",
        r"(?:sorry )?what (?:did )?you (?:just )?(?:say|said)(?: that)?(?: again)?",
        (
            r"(?:(?:can|could|would) you )?(?:please )?(?:repeat|say) (?:that|it)"
            r"(?: again| once more)?(?: please)?"
        ),
        r"(?:once more|again)(?: please)?",
    ),
    Talk.ASKED_WHAT: (
        (
            r"what (?:did|was it) (?:you )?(?:just )?(?:you )?(?:ask|asked|asking)(?: me)?"
            r"(?: (?:just now|before))?"
        ),
        r"what was (?:your|the) question(?: again)?",
    ),
    Talk.WHO_ARE_YOU: (
        r"who (?:are you|am i (?:talking|speaking) (?:to|with))",
        (
            r"(?:are you|is this) (?:an? )?(?:real )?"
            r"(?:robot|bot|machine|human|person|ai|computer|real|recording)"
        ),
    ),
}
_PERSON = (
    r"\b(?:speak|talk|put me through|connect me|transfer me)\b.{0,25}\b(?:to|with)\b.{0,20}"
    r"\b(?:human|person|somebody|someone|operator|agent|representative|manager|real)\b"
    r"|\b(?:real|actual) (?:human|person)\b|\bcall(?:ed)? (?:me )?back\b"
    r"|^(?:human|operator|agent|representative)$"
)


def talk(text: str) -> Talk | None:
    """What the whole of `text` is, or None when it may be a question for the knowledge."""
    folded = re.sub(r"[^\w\s']", " ", fold(text))
    bare = " ".join(folded.split())
    if not bare:
        return Talk.EMPTY
    if re.search(_PERSON, bare):
        return Talk.PERSON
    trimmed = re.sub(rf"^(?:{_FILLER}\s+)+|(?:\s+{_FILLER})+$", "", bare)
    for candidate in (bare, trimmed):
        for kind, patterns in _WHOLE.items():
            if any(re.fullmatch(pattern, candidate) for pattern in patterns):
                return kind
    return None


def without_greeting(text: str) -> str:
    """`Hi there, are you open?` asks whether you are open."""
    bare = re.sub(rf"^\s*{_HI}\b[\s,.!–-]*", "", text, flags=re.IGNORECASE)
    bare = re.sub(
        r"^(?:thanks|thank you|okay|ok|great|perfect)\b[\s,.!]+", "", bare, flags=re.IGNORECASE
    )
    return bare if re.search(r"\w", bare) else text
