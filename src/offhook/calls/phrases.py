"""What an agent says besides its own words: notices, check-ins, apologies, a goodbye.

Short, and the same for every agent, so that their audio is made once and kept. A language without
an entry is spoken to in English.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """Fixed sentences of one language."""

    recording: str
    """C3, SEC17: before the recording begins."""
    check_in: str
    goodbye: str
    ending_soon: str
    """U4: 20 s before the last granted minute ends."""
    not_understood: str
    trouble: str
    """C9: nothing works any more."""
    stopping: str

    def all(self) -> tuple[str, ...]:
        """Every sentence, to be made ready beforehand."""
        return (
            self.recording,
            self.check_in,
            self.goodbye,
            self.ending_soon,
            self.not_understood,
            self.trouble,
            self.stopping,
        )


ENGLISH = Phrases(
    recording="This call is recorded.",
    check_in="Are you still there?",
    goodbye="I can't hear anybody, so I'll hang up now. Goodbye.",
    ending_soon="I'm sorry, our time is almost up: this call ends in a few seconds.",
    not_understood="Sorry, I didn't get that. Could you say it again?",
    trouble="I'm sorry, I have a technical problem. Please call again a little later. Goodbye.",
    stopping="I'm sorry, this line is being restarted. Please call again in a minute. Goodbye.",
)
GERMAN = Phrases(
    recording="Dieses Gespräch wird aufgezeichnet.",
    check_in="Sind Sie noch da?",
    goodbye="Ich höre niemanden und lege jetzt auf. Auf Wiederhören.",
    ending_soon="Unsere Zeit ist leider fast um: Das Gespräch endet in wenigen Sekunden.",
    not_understood="Das habe ich nicht verstanden. Können Sie es noch einmal sagen?",
    trouble="Ich habe leider eine technische Störung. Bitte rufen Sie später noch einmal an.",
    stopping="Diese Leitung wird gerade neu gestartet. Bitte rufen Sie gleich noch einmal an.",
)
_BY_LANGUAGE = {"en": ENGLISH, "de": GERMAN}


def phrases(language: str) -> Phrases:
    """The sentences for `language` (BCP 47); English where there are none."""
    return _BY_LANGUAGE.get(language.split("-", maxsplit=1)[0].lower(), ENGLISH)
