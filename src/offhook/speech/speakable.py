"""What is said of a written reply (K3, HS2). Pure.

Markup, links and emoji are for the eye; amounts, times and phone numbers have a spoken form. Where
nothing is left that this voice can say the answer is None, and the caller must be told something
else: silence on a telephone is a fault.
"""

import html
import re
import unicodedata
from types import MappingProxyType

from offhook.speech.spoken_numbers import say_numbers

_LONGEST_WORD = 40
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_LONGEST = 8_000
"""Characters: eight minutes of speech; no reply is meant to be longer."""

_SCRIPTS = MappingProxyType(
    {
        "zh": ("CJK",),
        "ja": ("CJK", "HIRAGANA", "KATAKANA"),
        "ko": ("HANGUL", "CJK"),
        "ru": ("CYRILLIC",),
        "uk": ("CYRILLIC",),
        "bg": ("CYRILLIC",),
        "sr": ("CYRILLIC",),
        "el": ("GREEK",),
        "ar": ("ARABIC",),
        "fa": ("ARABIC",),
        "ur": ("ARABIC",),
        "he": ("HEBREW",),
        "hi": ("DEVANAGARI",),
        "th": ("THAI",),
    }
)
_ALWAYS = ("LATIN", "FULLWIDTH LATIN")


def speakable(text: str, language: str = "en") -> str | None:
    r"""`text` as a voice of `language` says it; None where nothing of it can be said.

    >>> speakable("**Open** daily:\n- Mon 9-17")
    'Open daily: Monday 9 to 17.'
    >>> speakable("A Krapfen is 2,80 €. Call +1 650 253 0000!")
    'A Krapfen is 2 euro 80. Call plus 1, 6 5 0, 2 5 3, 0 0 0 0!'
    >>> speakable("😀") is None
    True
    """
    text = re.sub(r"[^\S\n]+", " ", unicodedata.normalize("NFC", text[:_LONGEST]))
    text = _without_markup(re.sub(r"\s*\n\s*", "\n", text))
    text = say_numbers(_without_addresses(text), language)
    spoken = _in_script(text, language.split("-", maxsplit=1)[0].lower())
    if spoken is None:
        return None
    spoken = _tidy(_speakable_characters(spoken))
    return spoken if any(character.isalnum() for character in spoken) else None


def _without_markup(text: str) -> str:
    text = html.unescape(text)
    text = re.sub(r"<!--.*?-->|</?[A-Za-z][^<>]*>", " ", text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)", r"\1", text)
    text = re.sub(r"^\s*```.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*\|?[\s:|-]*-{3,}[\s:|-]*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*(?:#{1,6}|>+|[-*+•–]|\d{1,2}[.)])\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"(\*\*|__|~~|`+)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])([*_])(?=\S)([^*_\n]+?)(?<=\S)\1(?![\w*])", r"\2", text)
    text = re.sub(r"\s*\|\s*", ", ", text)
    return _lines_as_sentences(text)


def _lines_as_sentences(text: str) -> str:
    """A line's end is a pause, unless punctuation says so already."""
    lines = [line.strip(" \t,") for line in text.splitlines()]
    said = [line if line[-1] in ".!?…:;," else f"{line}." for line in lines if line]
    only = " ".join(said)
    return only.removesuffix(".") if len(said) == 1 and not text.rstrip().endswith(".") else only


def _without_addresses(text: str) -> str:
    """Of a link only the host is worth saying; of a mail address all of it."""

    def host(match: re.Match[str]) -> str:
        return match[1].removeprefix("www.").replace(".", " dot ")

    text = re.sub(
        r"\b([\w.+-]+)@((?:[\w-]+\.)+\w{2,})\b",
        lambda m: f"{m[1]} at {m[2]}".replace(".", " dot "),
        text,
    )
    text = re.sub(r"\b[a-z]{2,8}://([^\s/?#:]+)[^\s)\]]*?(?=[.,;!?]?(?:\s|$|[)\]]))", host, text)
    return re.sub(r"\b(www\.(?:[\w-]+\.)+\w{2,})(?:/[^\s]*)?\b", host, text)


def _in_script(text: str, language: str) -> str | None:
    """Without the letters that the voice cannot read; None where those were most of them."""
    scripts = (*_ALWAYS, *_SCRIPTS.get(language, ()))
    letters = [character for character in text if character.isalpha()]
    foreign = {c for c in letters if not unicodedata.name(c, "").startswith(scripts)}
    if 2 * sum(character in foreign for character in letters) > len(letters):
        return None
    return "".join(" " if character in foreign else character for character in text)


def _speakable_characters(text: str) -> str:
    """Letters, digits and the punctuation that shapes a sentence; words of a humane length."""
    kept = "".join(_kept(character) for character in _VARIATION_SELECTORS.sub("", text))
    return re.sub(rf"(\w{{{_LONGEST_WORD}}})\w+", r"\1", kept)


def _kept(character: str) -> str:
    if character in "–—":
        return "-"
    spoken = character.isalnum() or unicodedata.category(character) in {"Mn", "Mc"}
    return character if spoken or character in " .,!?;:'’\"“”()-…" else " "


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([.,!?;:…)])", r"\1", text)
    text = re.sub(r"\.{2,}", "…", text)
    text = re.sub(r"([!?,;:])[!?,;:.]*", r"\1", text)
    text = re.sub(r"\(\s*\)|\"\s*\"|“\s*”", "", text)
    return text.strip(" ,;-")
