"""A call's way out of its media process: put through, or over.

Settled first, then hung up, so that whoever asks about the call finds it ended. Knows the carrier
and the logbook; when and why a call leaves is the conversation's.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from offhook import costs
from offhook.calls.away import AWAY, PATIENCE_S
from offhook.calls.credit import Credit
from offhook.calls.logbook import Logbook
from offhook.calls.phrases import phrases
from offhook.calls.rules import End, end_sentence
from offhook.calls.service import Connected
from offhook.calls.setting import Stream
from offhook.calls.transcript import Transcript
from offhook.carriers import Carrier, CarrierProblem, Carriers, twiml
from offhook.settings import Settings

log = logging.getLogger(__name__)
WRITE_GRACE_S = 30.0
LAST_WORDS_MS = 8_000  # that the carrier may say in our place, within the last granted minute
HANG_UP_AFTER_S = 1.0  # at the latest, of the 2 s that the meter leaves (U4)


def of_speech(settings: Settings, listened_ms: int, spoken: int) -> list[costs.Used]:
    """What a call used of the vendors of speech; `spoken` counts characters."""
    listens = (settings.recogniser, settings.recogniser_model or "recogniser")
    speaks = (settings.synthesiser, settings.synthesiser_model or "voice")
    return [
        costs.Used(costs.Kind.LISTENED_MS, *listens, listened_ms),
        costs.Used(costs.Kind.SPOKEN_CHARACTERS, *speaks, spoken),
    ]


class Leaving:
    """One call's."""

    def __init__(
        self,
        call: Connected,
        logbook: Logbook,
        transcript: Transcript,
        stream: Stream,
        carriers: Carriers,
        credit: Credit,
    ) -> None:
        self._call = call
        self._logbook = logbook
        self._transcript = transcript
        self._stream = stream
        self._carriers = carriers
        self._credit = credit
        self.carrier: Carrier | None = None
        self.unsaid = ""
        """Last words that there was no voice for: the carrier says them (C9)."""

    async def know_carrier(self) -> None:
        """While the database is there to say whose account it is (UL13)."""
        with suppress(CarrierProblem, *AWAY):
            self.carrier = await self._carriers.of(self._call.account_id)

    async def put_through(self, used: Sequence[costs.Used], writer: asyncio.Task[None]) -> None:
        """All is written before the stream closes: the call may be back in a moment."""
        self._transcript.close()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await writer
            await self._logbook.departed(used)
        except AWAY as error:
            log.warning("call %s left, and not all of it is written: %s", self._call.call_id, error)
        self._stream.close()

    async def end(
        self, reason: End, seconds: float, used: Sequence[costs.Used], writer: asyncio.Task[None]
    ) -> None:
        """Settle first, then hang up: whoever asks about the call finds it ended."""
        if reason is not End.CALLER_HUNG_UP:
            self._transcript.notice(end_sentence(reason, self._call.direction))
        settling = asyncio.create_task(self._logbook.ended(reason, seconds, used))
        # A ledger that does not answer must not keep the caller, and the carrier's clock, waiting.
        await asyncio.wait({settling}, timeout=HANG_UP_AFTER_S)
        if reason is not End.CALLER_HUNG_UP:
            await self._hang_up()
        await settling
        self._stream.close()
        self._transcript.close()
        try:
            async with asyncio.timeout(WRITE_GRACE_S):
                await writer
        except TimeoutError:
            log.error("turns of %s could not be written", self._call.call_id)  # noqa: TRY400 - no traceback helps

    async def _hang_up(self) -> None:
        call = self._call
        try:
            carrier = self.carrier or await self._carriers.of(call.account_id)
            if self.unsaid and self._credit.left_ms > LAST_WORDS_MS:
                language = phrases(call.snapshot.language).carrier_language
                words = twiml.say_and_hang_up(self.unsaid, language=language)
                await carrier.redirect(call.carrier_call_id, document=words)
            else:
                await carrier.hang_up(call.carrier_call_id)
        except (CarrierProblem, *AWAY) as problem:
            log.warning("could not hang up %s: %s", call.call_id, problem)
