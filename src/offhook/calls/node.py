"""The media process: takes calls' streams, runs their conversations on one engine, and says that
it is there.

    carrier --ws--> MediaStream --token--> service.connect --> Conversation <--> engine's Line

The engine's tick thread hands over one batch a tick; everything else happens in this loop.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from offhook import contacts, knowledge, media, numbers, teams
from offhook.calls import journal, recordings, replay, service, stream
from offhook.calls.away import AWAY, within
from offhook.calls.checking.echo import OPTIONS, Echo
from offhook.calls.conversation import Conversation
from offhook.calls.joining import tickets
from offhook.calls.joining.companion import Companion
from offhook.calls.joining.company import Company
from offhook.calls.joining.taking_over import OPTIONS as OWN
from offhook.calls.joining.taking_over import VOICE
from offhook.calls.manners import service as manners_of
from offhook.calls.manners.rules import Answers
from offhook.calls.memory import memory, whispers
from offhook.calls.models import MediaNode
from offhook.calls.parts import Parts
from offhook.calls.phrases import phrases
from offhook.calls.rehearsing.room import Rehearsals
from offhook.calls.rehearsing.tickets import is_one as is_rehearsal
from offhook.calls.rules import NODE_SILENT_AFTER, End
from offhook.calls.service import Connected, StreamRefused
from offhook.calls.setting import Setting, line_options
from offhook.calls.stream import MediaStream, Talk, Watcher
from offhook.calls.tokens import is_check_token, is_watch_token
from offhook.calls.words import LiveWords
from offhook.carriers import CarrierProblem, streams
from offhook.db import Listener, Session, new_id, now
from offhook.errors import Problem
from offhook.speech import SpeechUnavailable
from offhook.web import ACCESS

log = logging.getLogger(__name__)
BEAT_S = 2.0
BEAT_PATIENCE_S = 10.0
GOODBYE_S = 8.0
VOICES = 8  # lines beyond those of calls, for members who have taken one over


class EngineStopped(Exception):  # noqa: N818 - it ends the process, which is started again
    """The engine's tick has failed: this process hears and says nothing any more."""


class LiveCall:
    """A call on this node: its conversation, whoever watches its words, and who has joined it."""

    def __init__(
        self,
        conversation: Conversation,
        media_stream: MediaStream,
        words: LiveWords,
        company: Company,
    ) -> None:
        self.conversation = conversation
        self.stream = media_stream
        self.words = words
        self.company = company
        self.is_over = False
        self.watchers: set[Watcher] = set()
        self._looks_again: asyncio.TimerHandle | None = None

    def look_again(self, after: timedelta | None, look: Callable[[], None]) -> None:
        """Have `look` called after that time, in the place of what was to be called before."""
        self._forget_look()
        if after is not None and not self.is_over:
            loop = asyncio.get_running_loop()
            self._looks_again = loop.call_later(after.total_seconds(), look)

    def _forget_look(self) -> None:
        if self._looks_again is not None:
            self._looks_again.cancel()
            self._looks_again = None

    def close(self) -> None:
        """The call is over: nobody has anything to follow any more."""
        self.is_over = True
        self._forget_look()
        self.words.close()
        self.company.close()
        for watcher in tuple(self.watchers):
            watcher.close()


class Node:
    """One media process."""

    def __init__(self, parts: Parts) -> None:
        self.id = new_id("node")
        self._parts = parts
        self._settings = parts.settings
        self._calls: dict[str, LiveCall] = {}
        self._echoes: dict[str, Echo] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._defect: str | None = None
        self._over = asyncio.Event()
        self._journal = journal.Journal(journal.folder_of(self._settings.home_path), self.id)
        self.up = asyncio.Event()
        """Set when streams are taken at `url`."""
        self.url = ""
        loop = asyncio.get_running_loop()
        self.engine = media.Engine(
            lambda batch: _post(loop, self._on_batch, batch),
            max_lines=self._settings.media_lines + VOICES,
        )
        self._rehearsals = Rehearsals(parts, self.engine)

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set, then say goodbye to every caller and return. Raises
        EngineStopped where there is no voice any more to say it with.
        """
        settings = self._settings
        recordings.recover(settings.home_path)
        self.engine.start()
        server, port = await stream.listen(self, settings.host, settings.media_port)
        ours = f"ws://{settings.host}:{port}"
        self.url = settings.media_socket_url if settings.media_port else ours
        self.up.set()
        listener = Listener(self._parts.database.psycopg_url, self._heard, self._poke_all)
        beside = [
            asyncio.create_task(self._beat()),
            asyncio.create_task(listener.run()),
            asyncio.create_task(self._warm_up()),
            asyncio.create_task(self._told(stopping)),
        ]
        try:
            await self._over.wait()
        finally:
            await self._drain()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._sign_off()
            self._journal.close()
            server.close()
            await asyncio.to_thread(self.engine.stop)
        if self._defect is not None:
            raise EngineStopped(self._defect)

    async def _told(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._over.set()

    def capacity(self) -> int:
        """Calls that this process can hear, speak to and carry at once (C1)."""
        parts = self._parts
        lines = self._settings.media_lines
        return min(lines, parts.recogniser.capacity(), parts.synthesiser.capacity())

    # --- streams (stream.Taker) ---

    def take(self, media_stream: MediaStream, start: streams.Start) -> None:
        if is_rehearsal(start.parameters):
            self._spawn(self._rehearsals.take(media_stream, start))
        else:
            self._spawn(self._live(media_stream, start))

    def watch(self, watcher: Watcher, call_id: str, token: str) -> bool:
        live = self._calls.get(call_id)
        if live is None or not is_watch_token(self._parts.secret, call_id, token):
            return False
        live.words.add(watcher.tell)
        live.watchers.add(watcher)
        return True

    def unwatch(self, watcher: Watcher, call_id: str) -> None:
        if (live := self._calls.get(call_id)) is not None:
            live.words.remove(watcher.tell)
            live.watchers.discard(watcher)

    def join(self, companion: Companion, call_id: str, query: str) -> bool:
        ticket = tickets.read(self._parts.secret, call_id, query, now_s=int(time.time()))
        live = self._calls.get(call_id)
        if live is None or ticket is None or ticket.team_id != live.conversation.call.team_id:
            return False
        self._spawn(self._see_out(live))
        return live.company.join(companion, ticket)

    def leave(self, companion: Companion) -> None:
        if (live := self._calls.get(companion.call_id)) is not None:
            live.company.leave(companion)

    async def _see_out(self, live: LiveCall) -> None:
        """Who has left the team is not on its call either; whose key ends by its time is asked for
        again then. With the database away they are asked for when it is back.
        """
        team_id, present = live.conversation.call.team_id, live.company.present
        with suppress(*AWAY):
            async with self._parts.database.team(team_id) as session:
                stay = await teams.still_here(session, team_id, present)
            live.company.dismiss(present - stay.keys())
            soonest = min((each for each in stay.values() if each is not None), default=None)
            live.look_again(soonest, lambda: self._spawn(self._see_out(live)))

    # --- one call ---

    async def _live(self, media_stream: MediaStream, start: streams.Start) -> None:
        """From the token to the last turn written."""
        if "check" in start.parameters:
            await self._check(media_stream, start)
            return
        call_id = start.parameters.get("call", "")
        try:
            setting = await self._admit(call_id, start.parameters.get("token", ""))
        except StreamRefused as refusal:
            media_stream.refuse(refusal.sentence)
            return
        except (Problem, *AWAY) as error:
            # The carrier asks how to go on when the stream closes; the caller is told, not left.
            media_stream.refuse(f"the call could not be taken: {error}")
            return
        # Who is called says "hello" into the first words, and does not want to stop them.
        notice_first = (setting.records and setting.notice) or setting.call.is_outbound
        try:
            line = self.engine.open(call_id, _listens(setting, notice_first=notice_first))
        except media.LinesFull as full:
            media_stream.refuse(str(full))
            return
        words = LiveWords(masks=setting.masks)
        conversation = Conversation(setting, line, media_stream, words, self._parts, self._journal)
        company = Company(
            conversation.taking, line, partial(self.engine.open, call_id + VOICE, OWN)
        )
        self._calls[call_id] = live = LiveCall(conversation, media_stream, words, company)
        media_stream.accept(
            Talk(conversation.feed, line.marked, conversation.hung_up, conversation.pressed)
        )
        self._spawn(self._limit_at_carrier(setting.call))
        try:
            reason = await conversation.run()
            log.info("call %s ended: %s", call_id, reason.value if reason else "put through")
        finally:
            self._calls.pop(call_id, None)
            live.close()

    async def _check(self, media_stream: MediaStream, start: streams.Start) -> None:
        """No call: the installation tries itself out (checking/)."""
        nonce, until = start.parameters["check"], start.parameters.get("until", "")
        token = start.parameters.get("token", "")
        secret = self._parts.secret
        if not is_check_token(secret, nonce, until, token, now_s=int(time.time())):
            media_stream.refuse("the token of a check is wrong or too old")
            return
        try:
            line = self.engine.open(f"check {nonce}", OPTIONS)
        except media.LinesFull as full:
            media_stream.refuse(str(full))
            return
        self._echoes[line.id] = echo = Echo(line, media_stream, self._parts, start)
        try:
            await echo.run()
        finally:
            del self._echoes[line.id]

    async def _admit(self, call_id: str, token: str) -> Setting:
        if self._draining:
            raise StreamRefused("This media process is stopping.")
        async with self._parts.database.system() as session:
            call = await service.connect(session, self._parts.secret, call_id, token)
        async with self._parts.database.team(call.team_id) as session:
            number = await numbers.get(session, call.team_id, call.number_id)
            hints = await knowledge.hints(session, call.team_id, call.snapshot.agent_id)
            zone = await teams.zone(session, call.team_id)
            masks = await teams.masks_numbers(session, call.team_id)
            contact = None
            if call.contact_id is not None:
                contact = await contacts.get(session, call.team_id, call.contact_id)
            conversation_id = call.conversation_id
            said = await memory(session, call.team_id, conversation_id) if call.epoch > 1 else ()
            told = await whispers(session, call.team_id, conversation_id)
            forward_to = await _forwarded_to(session, call)
        path = self._recording_path(call.team_id, call.call_id)
        if call.epoch > 1:
            await asyncio.to_thread(recordings.resume, path, call.away_ms)
        return Setting(
            call=call,
            timezone=zone,
            contact_name=contact.name if contact else "",
            hints=tuple(hints),
            records=number.record_calls and not call.unrecorded,
            notice=number.recording_notice and call.epoch == 1,
            recording_path=path,
            masks=masks,
            said=said,
            forward_to=forward_to,
            whispers=told,
        )

    async def _limit_at_carrier(self, call: Connected) -> None:
        """A second wall: the carrier itself ends the call at its longest duration (U4)."""
        seconds = call.snapshot.options.max_call_minutes * 60
        with suppress(CarrierProblem):  # our own meter is the first wall
            carrier = await self._parts.carriers.of(call.account_id)
            await carrier.limit_call(call.carrier_call_id, seconds=seconds)

    # --- the engine ---

    def _on_batch(self, batch: media.Batch) -> None:
        for line_id, outgoing in batch.out:
            if (live := self._calls.get(line_id) or self._echoes.get(line_id)) is not None:
                live.stream.send(outgoing)
            else:
                self._rehearsals.send(line_id, outgoing)
        for event in batch.events:
            live = self._calls.get(event.line.removesuffix(VOICE))
            try:
                self._on_event(event, live)
            except Exception as defect:  # of one call: the others get what is theirs
                if live is not None:
                    live.conversation.failed(defect)
                else:
                    log.exception("an event of %s failed", event.line)
        for line_id, both in batch.heard:
            if (live := self._calls.get(line_id)) is not None:
                live.company.hear(both)

    def _on_event(self, event: media.Event, live: LiveCall | None) -> None:
        if isinstance(event, media.EngineFailed):
            self._engine_failed(event)
        elif isinstance(event, media.RecordingSaved):
            self._spawn(self._recording_saved(event.line, event.path))
        elif live is not None and event.line.endswith(VOICE):
            if isinstance(event, media.LineFailed):
                live.company.hand_back(lost=True)
            live.conversation.taking.on_event(event)
        elif live is not None:
            live.conversation.on_event(event)
        elif (echo := self._echoes.get(event.line)) is not None:
            echo.on_event(event)
        else:
            self._rehearsals.on_event(event)

    def _engine_failed(self, event: media.EngineFailed) -> None:
        """Every line has failed; the supervisor starts a process that hears again."""
        self._draining, self._defect = True, event.reason
        for line_id, live in self._calls.items():
            live.conversation.on_event(media.LineFailed(line_id, event.at_ms, event.reason))
        for line_id, echo in self._echoes.items():
            echo.on_event(media.LineFailed(line_id, event.at_ms, event.reason))
        self._over.set()

    async def _recording_saved(self, call_id: str, path: Path) -> None:
        length = recordings.length_ms(path)
        async with self._parts.database.system() as session:
            team_id = await service.team_of(session, call_id)
        if team_id is not None:
            async with self._parts.database.team(team_id) as session:
                await service.recording_saved(session, team_id, call_id, str(path), length)

    def _recording_path(self, team_id: str, call_id: str) -> Path:
        return recordings.path_of(self._settings.home_path, team_id, call_id)

    # --- the database ---

    async def _beat(self) -> None:
        while True:
            try:
                await within(BEAT_PATIENCE_S, self._say_here())
                await self._replay()
            except AWAY as error:
                log.warning("the media process could not say that it is there: %s", error)
            except Exception:  # whoever falls silent gets no more calls; logged, and said again
                log.exception("the media process said that it is there, and no more")
            await asyncio.sleep(BEAT_S)

    async def _say_here(self) -> None:
        async with self._parts.database.system() as session:
            instant = await now(session)
            node = await session.get(MediaNode, self.id, with_for_update={"key_share": True})
            if node is None:
                node = MediaNode(
                    id=self.id,
                    url=self.url,
                    capacity=0,
                    heartbeat_at=instant,
                )
                session.add(node)
            node.capacity = 0 if self._draining else self.capacity()
            node.live = len(self._calls)
            node.heartbeat_at = instant
            await session.execute(
                delete(MediaNode).where(MediaNode.heartbeat_at < instant - 10 * NODE_SILENT_AFTER)
            )

    async def _replay(self) -> None:
        """The ledger answers: tell it what it missed, of our calls and of dead processes'."""
        parts = self._parts
        await replay.own(parts.database, self._journal)
        await replay.of_the_dead(parts.database, parts.carriers, self._settings.home_path)

    async def _sign_off(self) -> None:
        with suppress(*AWAY):
            await replay.own(self._parts.database, self._journal)
            async with self._parts.database.system() as session:
                await session.execute(delete(MediaNode).where(MediaNode.id == self.id))

    def _heard(self, team_id: str, topic: str) -> None:
        """News of a call, of the limit of the number that it is on, or of who left its team."""
        kind, _, name = topic.partition(":")
        for live in self._calls.values():
            call = live.conversation.call
            if kind == ACCESS and team_id == call.team_id and live.company.present:
                self._spawn(self._see_out(live))
            if kind == "tasks" and name == call.conversation_id:
                live.conversation.task_ended()
            if (kind == "call" and name == call.call_id) or (
                kind == "limit" and name == call.number_id and team_id == call.team_id
            ):
                live.conversation.poke()

    def _poke_all(self) -> None:
        for live in self._calls.values():
            live.conversation.poke()
            if live.company.present:
                self._spawn(self._see_out(live))

    # --- start and stop ---

    async def _warm_up(self) -> None:
        """Make the audio of the fixed sentences before the first caller needs it."""
        for language in ("en",):
            for sentence in phrases(language).all():
                with suppress(SpeechUnavailable):
                    await self._parts.voices.audio(sentence, language=language)

    async def _drain(self) -> None:
        """No new calls; every caller hears why, if there is a voice, and the calls end in order."""
        self._draining = True
        self._rehearsals.end()
        ending = [
            asyncio.create_task(
                live.conversation.farewell(
                    phrases(live.conversation.call.snapshot.language).stopping,
                    End.STOPPING,
                    at_once=True,
                )
            )
            for live in self._calls.values()
            if self._defect is None
        ]
        await asyncio.gather(*ending, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_S)
        for live in self._calls.values():
            live.conversation.end(End.STOPPING)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_S)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a call's task failed", exc_info=error)


def _listens(setting: Setting, *, notice_first: bool) -> media.LineOptions:
    call = setting.call
    return line_options(call.snapshot, notice_first=notice_first, answers=call.answers)


async def _forwarded_to(session: Session, call: Connected) -> str:
    """The transfer target of a call outside the hours."""
    if call.answers is not Answers.FORWARD:
        return ""
    manners = await manners_of.of(session, call.team_id, call.number_id)
    return manners.fallback_target_id or ""


def _post(
    loop: asyncio.AbstractEventLoop,
    handle: Callable[[media.Batch], None],
    batch: media.Batch,
) -> None:
    """From the tick thread into the loop; a loop that is closed has no use for it."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(handle, batch)
