"""What every conversation of a media process shares; put together by app.py."""

from dataclasses import dataclass, field

from offhook.agents import Brain
from offhook.carriers import Carriers
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import Recogniser, Synthesiser, VoiceCache
from offhook.tasks import Runner
from offhook.usage import Renewals


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
    runner: Runner
    renewals: Renewals = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "renewals", Renewals(self.database))
