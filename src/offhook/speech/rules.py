"""What the recogniser believes of its model's words, and how much it lets the model say. Pure.

Whisper was made for 30 s of somebody talking. Given silence, hum or a breath it says "you" or
"Thank you." (HS1); given less than its window it repeats itself. The numbers were measured on
telephone audio: speech has a no-speech probability below 0.15 and at least 96 ms of voice, noises
of many kinds have one above 0.65 and no voice at all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

FRAME_MS: Final = 32
"""One decision of the voice detector."""

LEAST_VOICED_MS: Final = 64
"""Shorter than any word; below it the model is not even asked."""

LONGEST_WINDOW_S: Final = 30.0
"""What Whisper's encoder takes; a longer turn is listened to in parts."""

LONGEST_PART_S: Final = 26.0

_TAIL_S: Final = {True: 5.0, False: 3.0}
"""Silence behind the words without which the decoder does not stop by itself."""

_WINDOWS_S: Final = {True: (20.0, 30.0), False: (8.0, 12.0, 20.0, 30.0)}
"""Window lengths, final and partial. The encoder's cost grows with the window: 8 s take a fifth of
30 s and get 6 of 100 words wrong as well; finals get the room in which digits come out right."""

_TOKENS_PER_S: Final = 7
_TOKENS_AT_LEAST: Final = 12

_PHANTOMS: Final = frozenset(
    {
        "you",
        "thank you",
        "thank you very much",
        "thanks for watching",
        "thank you for watching",
        "please subscribe",
        "bye",
        "bye bye",
        "okay",
        "so",
        "oh",
        "hmm",
        "the",
        "i",
    }
)
_SURELY_VOICED_MS: Final = 160

_NO_SPEECH: Final = 0.6
_SURELY_SPEECH: Final = 0.2
_DOUBTFUL: Final = -0.7
_GUESSWORK: Final = -2.0

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against words that the model gave."""

    text: str
    voiced_ms: int
    no_speech: float
    average_log_probability: float


def believable(evidence: Evidence) -> bool:
    """Whether somebody said this, rather than the model filling a silence (HS1)."""
    if evidence.voiced_ms < LEAST_VOICED_MS or not re.search(r"\w", evidence.text):
        return False
    if evidence.no_speech > _NO_SPEECH and evidence.average_log_probability < _DOUBTFUL:
        return False
    if evidence.average_log_probability < _GUESSWORK:
        return False
    if plain(evidence.text) in _PHANTOMS:
        return evidence.voiced_ms >= _SURELY_VOICED_MS or evidence.no_speech < _SURELY_SPEECH
    return True


def plain(text: str) -> str:
    """Lower case, words only, one space between them."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def ended_once(text: str) -> str:
    """Without the full stop that the model sometimes writes behind another mark.

    >>> ended_once("Are you open on Sunday?.")
    'Are you open on Sunday?'
    """
    return re.sub(r"(?<=[?!])\.+$", "", text)


def window_s(audio_s: float, *, final: bool) -> float:
    """How much the encoder is given: the audio, and silence enough for the decoder to stop."""
    needed = audio_s + _TAIL_S[final]
    return next((window for window in _WINDOWS_S[final] if window >= needed), LONGEST_WINDOW_S)


def most_tokens(voiced_ms: int) -> int:
    """Nobody says more in this time; a decoder that would is going round in circles."""
    return _TOKENS_AT_LEAST + _TOKENS_PER_S * voiced_ms // 1000


def cut_repeats(items: Sequence[Item], *, begun: bool, shortest: int = 4) -> Sequence[Item]:
    """`items` without a tail that says the same again.

    Only a repeated stretch of at least `shortest` counts: people do say "no, no, no". With
    `begun`, `shortest` items of a repetition are enough; else all of it must be there, since
    people do begin their sentence again.

    >>> cut_repeats("when do you open when do you open when do".split(), begun=False)
    ['when', 'do', 'you', 'open']
    """
    length = len(items)
    for start in range(length):
        rest = length - start
        for period in range(shortest, (rest - shortest if begun else rest // 2) + 1):
            tail = items[start:]
            if all(tail[i] == tail[i % period] for i in range(period, len(tail))):
                return items[: start + period]
    return items


def cuts(voiced: Sequence[float], longest_s: float = LONGEST_PART_S) -> list[int]:
    """Frames at which a turn too long for one window is cut: where voice is least likely.

    `voiced` is the detector's probability for each frame; each part is at most `longest_s` long.
    """
    longest = int(longest_s * 1000 / FRAME_MS)
    found: list[int] = []
    start = 0
    while len(voiced) - start > longest:
        earliest = start + longest // 2
        quiet = [_around(voiced, frame) for frame in range(earliest, start + longest)]
        start = earliest + quiet.index(min(quiet))
        found.append(start)
    return found


def _around(voiced: Sequence[float], frame: int, reach: int = 4) -> float:
    return sum(voiced[max(frame - reach, 0) : frame + reach + 1])
