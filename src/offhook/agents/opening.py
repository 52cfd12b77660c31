"""Which brain this installation has."""

from collections.abc import AsyncIterator

from offhook.agents.brain import Brain, Briefing, Part
from offhook.agents.offline import OfflineBrain
from offhook.settings import Settings


def read_ahead(settings: Settings) -> None:
    """Import what the model that is set needs, before anybody waits for its answer."""
    if settings.model:
        from offhook.agents.model import client

        client(settings.model.partition(":")[0])


def open_brain(settings: Settings) -> Brain:
    """The language model of the settings, or the offline answerer where none is named."""
    return LateModelBrain(settings) if settings.model else OfflineBrain()


class LateModelBrain:
    """Implements `Brain`; the model's library is imported with the first reply."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: Brain | None = None

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        async for part in self._open().reply(briefing):
            yield part

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    def _open(self) -> Brain:
        if self._opened is None:
            from offhook.agents.model import ModelBrain

            self._opened = ModelBrain(self._settings, OfflineBrain())
        return self._opened
