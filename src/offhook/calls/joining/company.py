"""The members on one live call of this media process: any number listen, at most one talks.

A member whose connection broke has a few seconds to be back; then the agent goes on. Their tickets
have been checked; what a voice means for the call is `TakingOver`'s.
"""

import asyncio
import logging
from collections.abc import Callable

from offhook import media
from offhook.calls.joining.companion import Companion
from offhook.calls.joining.taking_over import TakingOver
from offhook.calls.joining.tickets import Member, Ticket

log = logging.getLogger(__name__)
RETURN_WITHIN_S = 5.0


class Company:
    """Who of the team is on the call."""

    def __init__(
        self,
        taking: TakingOver,
        line: media.Line,
        open_voice: Callable[[], media.Line],
        *,
        return_within_s: float = RETURN_WITHIN_S,
    ) -> None:
        """`open_voice` opens the line of who talks; it may raise LinesFull."""
        self._taking = taking
        self._line = line
        self._open_voice = open_voice
        self._return_within_s = return_within_s
        self._companions: dict[Companion, Member] = {}
        self._member: Member | None = None
        self._talker: Companion | None = None
        self._goes: asyncio.TimerHandle | None = None

    def join(self, companion: Companion, ticket: Ticket) -> bool:
        """False where another member talks already, or no line is free for one more voice."""
        if ticket.talks and not self._talk(companion, ticket.member):
            return False
        if not self._companions:
            self._line.listen(on=True)
        self._companions[companion] = ticket.member
        self._tell()
        return True

    def leave(self, companion: Companion) -> None:
        self._companions.pop(companion, None)
        if not self._companions:
            self._line.listen(on=False)
        if companion is self._talker:
            self._talker = None
            loop = asyncio.get_running_loop()
            self._goes = loop.call_later(self._return_within_s, lambda: self.hand_back(lost=True))

    def hear(self, both: bytes) -> None:
        """20 ms of both sides, from the engine."""
        for companion in self._companions:
            companion.hear(both)

    def hand_back(self, *, lost: bool = False) -> None:
        """The agent goes on; who talked may go on listening."""
        self._stop_waiting()
        if self._talker is not None:
            self._talker.on_voice = self._talker.on_hand_back = None
        self._talker = self._member = None
        self._taking.hand_back(lost=lost)
        self._tell()

    @property
    def present(self) -> set[str]:
        """Who is on the call, by their ids: members and keys."""
        talks = {self._member.who} if self._member is not None else set[str]()
        return talks | {member.who for member in self._companions.values()}

    def dismiss(self, gone: set[str]) -> None:
        """Those who are of the team no more hear and say nothing from now on."""
        if self._member is not None and self._member.who in gone:
            self.hand_back(lost=True)
        for companion, member in tuple(self._companions.items()):
            if member.who in gone:
                companion.refuse()

    def close(self) -> None:
        """The call is over."""
        self._stop_waiting()
        for companion in tuple(self._companions):
            companion.close()
        self._companions.clear()

    def _talk(self, companion: Companion, member: Member) -> bool:
        if self._member is None:
            try:
                own = self._open_voice()
            except media.LinesFull:
                log.warning("no line is free for a member who takes a call over")
                return False
            self._member = member
            self._taking.take(member, own)
        elif self._member.who != member.who:
            return False
        self._stop_waiting()
        if self._talker is not None:  # the same member from another window
            self._talker.on_voice = self._talker.on_hand_back = None
        self._talker = companion
        companion.on_voice = self._taking.feed
        companion.on_hand_back = self.hand_back
        return True

    def _stop_waiting(self) -> None:
        if self._goes is not None:
            self._goes.cancel()
            self._goes = None

    def _tell(self) -> None:
        by = self._member.name if self._member is not None else ""
        for companion in self._companions:
            companion.tell({"type": "taken", "by": by})
