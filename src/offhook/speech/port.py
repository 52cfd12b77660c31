"""What the product asks of a recogniser and a synthesiser; every vendor is one file that gives it.

Audio is G.711 mu-law at 8 kHz, mono, one byte a sample (160 bytes are 20 ms), as carriers send it.
Times are milliseconds since the first byte fed to a hearing. All methods belong to one event loop;
none of them blocks it, and the synchronous ones return at once.

What fails, and how it is told (each is a `Problem`, so a page can show it):

    errors.Unavailable
    └── SpeechUnavailable        503  no process, no server, connection lost, vendor answered 5xx
        ├── SpeechTimeout        503  accepted, and no answer in time
        ├── SpeechRefused        503  the vendor says no: key, quota, 429, unknown model or voice
        └── SpeechBusy           503  beyond `capacity()`: more work than is done in time
    errors.Invalid
    └── LanguageUnsupported      422  the recogniser or the voice does not know this language

A failed `finalise` or `speak` leaves its object usable: the audio of the turn is kept, and the next
call tries again on a connection that is restored in the background.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from offhook.errors import Invalid, Unavailable

SAMPLE_RATE = 8_000
BYTES_PER_MS = 8


class SpeechUnavailable(Unavailable):
    """The recogniser or synthesiser cannot be reached or broke off."""

    code = "speech_unavailable"


class SpeechTimeout(SpeechUnavailable):
    """The recogniser or synthesiser took the work and gave no answer in time."""

    code = "speech_timeout"


class SpeechRefused(SpeechUnavailable):
    """The vendor refused: key, quota, rate, model or voice."""

    code = "speech_refused"


class SpeechBusy(SpeechUnavailable):
    """More calls than the recogniser or synthesiser can serve in time."""

    code = "speech_busy"


class LanguageUnsupported(Invalid):
    """The language is not one that the recogniser or the voice knows."""

    code = "language_unsupported"


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word with its place in the hearing's audio, as far as the vendor tells it."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Partial:
    """What the running turn sounds like so far; the next one replaces it."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A turn's words. `text` is empty when nobody spoke: silence, hum, breath, line noise (HS1).

    `start_ms` and `end_ms` are the first word's start and the last word's end; without words, the
    audio that was listened to.
    """

    text: str
    start_ms: int
    end_ms: int
    words: tuple[Word, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)


class Hearing(Protocol):
    """One caller's ear, from answer to hang-up.

    Feed it everything. `begin` says that somebody started to speak, `finalise` asks for the words,
    `end` closes the turn. Outside a turn audio costs nothing but a short look-back.
    """

    def feed(self, mulaw: bytes) -> None:
        """Takes the newest audio, of any length."""
        ...

    def begin(self, lead_ms: int = 300) -> None:
        """Opens a turn that starts `lead_ms` before the newest sample; partial words follow.

        Within an open turn it does nothing, so a caller who goes on need not be told apart.
        """
        ...

    async def finalise(self) -> Heard:
        """The words from the turn's start to the newest sample.

        Ask early, while the end of the turn is still being confirmed; cancel the task when the
        caller goes on, and ask again later: the turn stays open until `end`. Without an open turn
        the answer is empty. Raises SpeechUnavailable (any of its kinds) after at most 10 s.
        """
        ...

    def end(self) -> None:
        """Closes the turn: its audio is forgotten and no further partial of it arrives."""
        ...

    async def close(self) -> None:
        """The call is over. Work under way is dropped."""
        ...


class Recogniser(Protocol):
    """Turns speech into text, for many calls at once."""

    async def start(self) -> None:
        """Connects in the background; never fails, since a vendor may come later."""
        ...

    def open(
        self,
        *,
        language: str = "en",
        hints: Sequence[str] = (),
        on_partial: Callable[[Partial], None] | None = None,
    ) -> Hearing:
        """A new ear. `hints` are names, streets and products that the caller may say.

        `on_partial` is called in the event loop, several times a second while a turn is open;
        fewer times under load. Raises LanguageUnsupported.
        """
        ...

    def capacity(self) -> int:
        """How many calls are understood in time; admission answers busy beyond it (C1)."""
        ...

    def load(self) -> int:
        """How many hearings are open, in all processes that share the recogniser."""
        ...

    async def close(self) -> None: ...


class Synthesiser(Protocol):
    """Turns text into speech, for many calls at once."""

    @property
    def identity(self) -> str:
        """Names vendor and model: audio kept on disk is valid for one identity only."""
        ...

    async def start(self) -> None:
        """Connects in the background; never fails, since a vendor may come later."""
        ...

    def speak(self, text: str, *, voice: str = "", language: str = "en") -> AsyncIterator[bytes]:
        """Mu-law chunks of any length, the first as early as possible.

        `text` is what `speakable` made of a reply; text without a letter or digit gives no chunk.
        An empty `voice` is the default one. Closing the iterator, or cancelling the task that
        reads it, stops the work at once. Raises SpeechUnavailable (any of its kinds), before the
        first chunk after at most 10 s, or in between: what was yielded was valid audio and must
        not be spoken again.
        """
        ...

    def capacity(self) -> int:
        """How many calls can be spoken to without a gap; admission answers busy beyond it (C1)."""
        ...

    def load(self) -> int:
        """How many utterances are under way, in all processes that share the synthesiser."""
        ...

    async def close(self) -> None: ...
