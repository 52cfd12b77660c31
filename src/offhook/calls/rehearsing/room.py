"""Where the rehearsals of a media process take place: on the engine that carries its calls.

A stream that shows a ticket instead of a call's token is taken here (node.py). A real call needs
the line more: what admission counts are calls alone, so rehearsals leave some lines free.
"""

import time

from offhook import agents, knowledge, media
from offhook.calls.away import AWAY
from offhook.calls.parts import Parts
from offhook.calls.rehearsing import tickets
from offhook.calls.rehearsing.talk import Rehearsal, Scene
from offhook.calls.rehearsing.tickets import Ticket
from offhook.calls.setting import line_options
from offhook.calls.stream import MediaStream, Talk
from offhook.carriers import streams
from offhook.errors import Problem

KEPT_FREE = 2
"""Lines, and hearings of the recogniser, that no rehearsal takes while calls are on."""


class Rehearsals:
    """Those of one process."""

    def __init__(self, parts: Parts, engine: media.Engine) -> None:
        self._parts = parts
        self._engine = engine
        self._running: dict[str, Rehearsal] = {}
        self._streams: dict[str, MediaStream] = {}

    async def take(self, stream: MediaStream, start: streams.Start) -> None:
        """One rehearsal, from its ticket to its end."""
        now_s = int(time.time())
        ticket = tickets.read(self._parts.secret, start.parameters, now_s=now_s)
        if ticket is None or ticket.id in self._running:
            stream.refuse("no ticket for a rehearsal")
            return
        if not self._has_room():
            stream.refuse("the lines are needed for calls")
            return
        try:
            scene = await self._scene(ticket)
            line = self._engine.open(ticket.id, line_options(scene.snapshot))
        except (Problem, media.LinesFull, *AWAY) as error:
            stream.refuse(f"no rehearsal: {error}")
            return
        self._streams[ticket.id] = stream
        self._running[ticket.id] = rehearsal = Rehearsal(scene, line, stream, self._parts)
        # A page has no keys to press.
        stream.accept(Talk(rehearsal.feed, line.marked, rehearsal.end, lambda _: None))
        try:
            await rehearsal.run()
        finally:
            self._running.pop(ticket.id, None)
            self._streams.pop(ticket.id, None)

    def _has_room(self) -> bool:
        hearing, lines = self._parts.recogniser, self._parts.settings.media_lines
        heard = hearing.load() + KEPT_FREE < hearing.capacity() or hearing.load() == 0
        return heard and self._engine.lines + KEPT_FREE < lines

    def send(self, line_id: str, outgoing: list[media.Outgoing]) -> None:
        """One tick's frames, if they are a rehearsal's."""
        if line_id in self._running:
            self._streams[line_id].send(outgoing)

    def on_event(self, event: media.Event) -> None:
        if (rehearsal := self._running.get(event.line)) is not None:
            rehearsal.on_event(event)

    def end(self) -> None:
        """The process stops; nobody rehearses for long."""
        for rehearsal in self._running.values():
            rehearsal.end()

    async def _scene(self, ticket: Ticket) -> Scene:
        async with self._parts.database.team(ticket.team_id) as session:
            snapshot = await agents.draft(session, ticket.team_id, ticket.agent_id)
            hints = await knowledge.hints(session, ticket.team_id, ticket.agent_id)
        return Scene(ticket, snapshot, tuple(hints))
