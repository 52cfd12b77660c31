"""What every conversation of a media process shares; put together by app.py."""

from dataclasses import dataclass

from offhook.agents import Brain
from offhook.carriers import Carriers
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import Recogniser, Synthesiser, VoiceCache


@dataclass(frozen=True, slots=True)
class Parts:
    """Vendors and stores of one media process."""

    settings: Settings
    secret: bytes
    database: Database
    carriers: Carriers
    brain: Brain
    recogniser: Recogniser
    synthesiser: Synthesiser
    voices: VoiceCache
