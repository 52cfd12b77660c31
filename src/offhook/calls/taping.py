"""A call's recording while the call lives: begun, given up because the caller wants none (SEC17).

Knows the line and the database; when audio may be kept is the conversation's.
"""

from offhook import media
from offhook.calls.logbook import Logbook
from offhook.calls.setting import Setting
from offhook.calls.transcript import Transcript


class Taping:
    """Of one call."""

    def __init__(
        self, setting: Setting, line: media.Line, logbook: Logbook, transcript: Transcript
    ) -> None:
        self._path = setting.recording_path
        self._line = line
        self._logbook = logbook
        self._transcript = transcript
        self.is_on = False

    async def begin(self) -> None:
        """Audio is kept from here on (C3)."""
        self.is_on = True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._line.record(self._path)
        await self._logbook.recording(self._path)

    async def forget(self) -> None:
        """The caller wants no recording: it ends, and what there is of it is deleted."""
        self.is_on = False
        self._line.stop_recording()
        await self._logbook.recording_refused()
        self._transcript.notice("The caller did not want a recording: it was stopped and deleted.")

    def failed(self, event: media.RecordingFailed) -> None:
        self._transcript.notice(f"The recording stopped: {event.reason}")
