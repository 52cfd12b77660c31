"""What was said on a call: the agent's memory, and the turns in the inbox; the same by design.

The memory is what the brain reads: the caller's turns as understood, the agent's words only as far
as they were heard (C4, CM1). The inbox is written in order by one task, so that talking never
waits for the database; while that is away, the call goes on from memory and the turns are written
when it is back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import DataError, IntegrityError

from offhook import inbox, media
from offhook.agents import Cited, Learned, Said, Speaker
from offhook.calls.away import AWAY
from offhook.db import Database, Session

log = logging.getLogger(__name__)
RETRY_S = 0.5
KEYS = "keys"
Write = Callable[[Session], Awaitable[Callable[[], None] | None]]
"""Writes one turn; what it returns is called once that is committed."""
WriteBeside = Callable[[Session, str], Awaitable[None]]
"""Writes something about the turn with this id."""


class Transcript:
    """The turns of one call. `opened_at` is the instant of the line's millisecond 0, `said` what
    was said before it.
    """

    def __init__(
        self,
        database: Database,
        team_id: str,
        conversation_id: str,
        opened_at: datetime,
        said: Sequence[Said] = (),
    ) -> None:
        self._database = database
        self._team_id = team_id
        self._conversation_id = conversation_id
        self._opened_at = opened_at
        self._writes: asyncio.Queue[Write | None] = asyncio.Queue()
        self._agent_turn: _AgentTurn | None = None
        self._to_cite: list[dict[str, str]] = []
        self._beside: WriteBeside | None = None
        self.said: list[Said] = list(said)

    async def run(self) -> None:
        """Write turns until `close`; every one that can be kept is tried until it is written."""
        while (write := await self._writes.get()) is not None:
            while True:
                try:
                    async with self._database.team(self._team_id) as session:
                        committed = await write(session)
                    if committed is not None:
                        committed()
                    break
                except (DataError, IntegrityError):  # no later try would fare better
                    log.exception("a turn of %s cannot be kept", self._conversation_id)
                    break
                except AWAY as error:
                    log.warning(
                        "a turn of %s waits for the database: %s", self._conversation_id, error
                    )
                    await asyncio.sleep(RETRY_S)

    def close(self) -> None:
        """No more turns; `run` returns when all are written."""
        self._writes.put_nowait(None)

    def caller(self, text: str, start_ms: int, end_ms: int, *, status: str = "") -> None:
        """The caller finished a turn; `status` is KEYS where it was pressed, not spoken."""
        said = Said(Speaker.CALLER, text)
        self._spoken(inbox.Speaker.CALLER, said, start_ms, end_ms, status=status)

    def person(self, text: str, start_ms: int, end_ms: int, *, name: str) -> None:
        """A member of the team, called `name`, who has taken the call over, finished a turn."""
        said = Said(Speaker.PERSON, text)
        self._spoken(inbox.Speaker.PERSON, said, start_ms, end_ms, author=name)

    def _spoken(
        self,
        speaker: inbox.Speaker,
        said: Said,
        start_ms: int,
        end_ms: int,
        *,
        status: str = "",
        author: str = "",
    ) -> None:
        self._finish_agent_turn()
        self._to_cite = []
        self.said.append(said)

        async def write(session: Session) -> None:
            await inbox.add_turn(
                session,
                self._team_id,
                self._conversation_id,
                speaker=speaker,
                author=author,
                text=said.text,
                started_at=self._at(start_ms),
                ended_at=self._at(end_ms),
                status=status,
            )

        self._writes.put_nowait(write)

    def agent(self, text: str, start_ms: int, end_ms: int, *, interrupted: bool = False) -> None:
        """The caller heard `text` of the agent; pieces that follow each other are one turn."""
        if not text:
            return
        turn = self._agent_turn
        if turn is None:
            turn = self._agent_turn = _AgentTurn(start_ms, index=len(self.said))
            turn.citations, self._to_cite = self._to_cite, []
            self.said.append(Said(Speaker.AGENT, text))
        turn.pieces.append(text)
        turn.end_ms = max(turn.end_ms, end_ms)
        turn.interrupted |= interrupted
        self.said[turn.index] = Said(Speaker.AGENT, turn.text)
        self._write_agent_turn(turn)

    def beside_agent(self, write: WriteBeside) -> None:
        """Write something with the agent's next words, about their turn."""
        self._beside = write

    def heard(self, piece: media.Heard, *, interrupted: bool = False) -> None:
        """As much of a piece of the agent's speech as was heard."""
        if piece.start_ms is not None:
            end_ms = piece.start_ms + piece.heard_ms
            self.agent(piece.heard_text, piece.start_ms, end_ms, interrupted=interrupted)

    def cite(self, citations: Sequence[Cited]) -> None:
        """The passages that the agent's present turn rests on (K2), or, where a short answer was
        made before any of it is heard, its next one.
        """
        told = [{"passage_id": each.passage_id, "title": each.title} for each in citations]
        if not told:
            return
        if self._agent_turn is None:
            self._to_cite = told
            return
        self._agent_turn.citations = told
        self._write_agent_turn(self._agent_turn)

    def learn(self, contact_id: str | None, found: Sequence[Learned]) -> None:
        """What the caller said about themselves in the turn that was answered (P3)."""

        async def write(session: Session) -> None:
            await inbox.learn(session, self._team_id, self._conversation_id, contact_id, found)

        if contact_id is not None and found:
            self._writes.put_nowait(write)

    def notice(self, text: str, *, status: str = "") -> None:
        """A line of the product's own between the bubbles; `status` says of what kind."""

        async def write(session: Session) -> None:
            await inbox.add_turn(
                session,
                self._team_id,
                self._conversation_id,
                speaker=inbox.Speaker.NOTICE,
                text=text,
                status=status,
            )

        self._writes.put_nowait(write)

    def _finish_agent_turn(self) -> None:
        self._agent_turn = None

    def _write_agent_turn(self, turn: "_AgentTurn") -> None:
        text, ended = turn.text, self._at(turn.end_ms)
        status = "interrupted" if turn.interrupted else ""
        citations = turn.citations
        beside, self._beside = self._beside, None

        async def write(session: Session) -> Callable[[], None] | None:
            if turn.id is None:
                row = await inbox.add_turn(
                    session,
                    self._team_id,
                    self._conversation_id,
                    speaker=inbox.Speaker.AGENT,
                    text=text,
                    started_at=self._at(turn.start_ms),
                    ended_at=ended,
                    status=status,
                    citations=citations,
                )
                if beside is not None:
                    await beside(session, row.id)
                return partial(turn.written_as, row.id)
            await inbox.update_turn(
                session,
                self._team_id,
                turn.id,
                text=text,
                ended_at=ended,
                status=status,
                citations=citations,
            )
            if beside is not None:
                await beside(session, turn.id)
            return None

        self._writes.put_nowait(write)

    def _at(self, ms: int) -> datetime:
        return self._opened_at + timedelta(milliseconds=ms)


class _AgentTurn:
    """The agent's turn that is being spoken."""

    def __init__(self, start_ms: int, *, index: int) -> None:
        self.start_ms = start_ms
        self.end_ms = start_ms
        self.index = index
        self.pieces: list[str] = []
        self.interrupted = False
        self.citations: list[dict[str, str]] = []
        self.id: str | None = None

    def written_as(self, turn_id: str) -> None:
        self.id = turn_id

    @property
    def text(self) -> str:
        return " ".join(self.pieces)
