"""What counts as a yes to what was read back (T1). Pure.

Code decides it, never a brain: a yes is a short turn with a word of consent and none of doubt,
denial or change, that names no figure which the read-back did not, after a turn of the agent in
which the read-back was heard. When in doubt it is no yes, and the question is asked again.
"""

import re
import unicodedata
from collections.abc import Iterable

MAX_WORDS = 15
NOON = 12  # 19:00 may be confirmed as seven
HEARD_SHARE = 0.6
"""Of the read-back's words: its end may be cut off by a yes."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


YES: dict[str, frozenset[str]] = {
    "en": _listed(
        "yes yeah yep yup yea ya sure ok okay okey correct right exactly absolutely definitely "
        "certainly perfect great fine good confirm confirmed agreed please indeed affirmative "
        "alright yess yesss k kk"
    ),
    "de": _listed(
        "ja jawohl jep jo klar genau richtig gerne gern okay ok passt sicher stimmt bitte "
        "einverstanden perfekt super"
    ),
    "es": _listed(
        "sí si claro correcto vale perfecto exacto dale bueno confirmo confirmado ok okay"
    ),
    "fr": _listed(
        "oui ouais daccord ok okay parfait exactement exact correct confirme entendu volontiers "
        "bien"
    ),
    "it": _listed("sì si certo va bene esatto perfetto corretto ok okay confermo giusto"),
    "pt": _listed("sim claro certo correto perfeito exato ok okay confirmo pode isso"),
    "nl": _listed("ja jazeker klopt prima goed akkoord oké ok okay graag zeker juist"),
}
NO = _listed(
    # en
    "no nope nah not never dont don't cant can't wont won't isnt isn't wasnt wasn't cancel stop "
    "wait wrong incorrect change actually instead but unless hold maybe unsure rather different "
    "later forget nevermind neither nothing except if isn’t don’t can’t won’t "
    # de, es, fr, it, pt, nl
    "nein nicht nee nö falsch anders doch aber lieber moment warte stopp abbrechen kein keine "
    "nunca espera cambiar mejor pero cancela cancelar mal "
    "non pas attendez attends mais annuler plutôt faux jamais "
    "aspetta ma annulla sbagliato piuttosto mai "
    "não espere mas errado melhor "
    "niet wacht maar fout liever geen"
)
FIXED = re.compile(
    r"\b(no problem|no worries|why not|not a problem|sounds good|go ahead|go for it|do it|"
    r"that works|works for me|that is it|that's it|thats it|book it|send it|please do|"
    r"i do|i confirm|you got it|for sure|of course|by all means|kein problem|warum nicht|"
    r"natürlich|auf jeden fall|por supuesto|de acuerdo|bien sûr|d'accord|pas de problème|"
    r"va bene|d'accordo|com certeza|tudo bem)\b\??"
)
NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)
NUMBER_WORDS = {word: str(value) for value, word in enumerate(NUMBERS.split())}
DAYS = _listed(
    "monday tuesday wednesday thursday friday saturday sunday today tomorrow tonight noon "
    "midnight morning afternoon evening"
)
SIGNS_OF_YES = re.compile("[👍👌✅✔🆗]")
SIGNS_OF_NO = re.compile("[👎❌🚫]")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def affirms(text: str, language: str = "en", readback: str = "") -> bool:
    """Whether `text` says yes to `readback`, in `language` (`en`, `de-DE`) or in English."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").strip()
    if SIGNS_OF_NO.search(plain):
        return False
    rest, agreed = FIXED.subn(" ", plain)
    words = WORD.findall(rest)
    if "?" in rest or len(words) > MAX_WORDS or any(word in NO for word in words):
        return False
    if _names_more(words, readback):
        return False
    yes = YES["en"] | YES.get(language.casefold().split("-")[0], frozenset())
    return bool(agreed) or bool(SIGNS_OF_YES.search(plain)) or any(word in yes for word in words)


def was_said(sentence: str, heard: Iterable[str]) -> bool:
    """Whether what was heard holds `sentence`: most of its words, whose end a yes may cut off, and
    every figure, unless all of them were spoken as words.
    """
    wanted, present = _words([sentence]), _words(heard)
    figures = {each for each in wanted if each.isdecimal()}
    plain = wanted - figures
    spoken_as_words = not any(each.isdecimal() for each in present)
    if not figures <= present | {_figure(each) for each in present} and not spoken_as_words:
        return False
    return len(plain & present) >= HEARD_SHARE * len(plain)


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in WORD.findall(text.casefold())}


def _names_more(words: Iterable[str], readback: str) -> bool:
    """A figure or a day that the read-back did not name: a correction, whatever else is said."""
    known = {_figure(word) for word in WORD.findall(readback.casefold())}
    known |= {str(int(each) - NOON) for each in known if each.isdecimal() and int(each) > NOON}
    named = {_figure(word) for word in words if word != "one"}
    return any(each not in known for each in named if each.isdecimal() or each in DAYS)


def _figure(word: str) -> str:
    """`word`, a figure without leading zeros; a number's word as its figure."""
    return str(int(word)) if word.isdecimal() else NUMBER_WORDS.get(word, word)
