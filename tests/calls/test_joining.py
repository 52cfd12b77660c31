"""Members on a live call (I5): tickets, listening, taking over; real sockets and processes."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from media_process import Caller, Process, running, until
from office import SECRET
from sounds import speech, tone
from sqlalchemy import func, update
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from offhook import audit, inbox
from offhook.calls.joining import tickets
from offhook.calls.joining.companion import BEHIND_FRAMES
from offhook.calls.joining.tickets import Member, Ticket
from offhook.settings import Settings
from offhook.teams.models import ApiKey
from web_fixtures import Person, Served, new_member, new_owner

NOW_S = 1_700_000_000
OVER, REFUSED = 1000, 1008
BY_HAND = "Hello, this is Anna, what can I do for you?"
MEMBER = Member("usr_1", "anna@example.com")
TICKET = Ticket("team_1", "call_1", MEMBER, talks=True, expires_s=NOW_S + 30)


def test_a_ticket_is_good_for_its_call_its_member_its_purpose_and_its_time() -> None:
    query = TICKET.query(SECRET)
    assert tickets.read(SECRET, "call_1", query, now_s=NOW_S) == TICKET
    assert tickets.read(SECRET, "call_1", query, now_s=NOW_S + 31) is None
    assert tickets.read(SECRET, "call_2", query, now_s=NOW_S) is None
    assert tickets.read(b"t" * 32, "call_1", query, now_s=NOW_S) is None
    listens = replace(TICKET, talks=False).query(SECRET)
    for forged in (
        listens.replace("talks=&", "talks=1&"),
        query.replace("usr_1", "usr_2"),
        query.replace("team_1", "team_2"),
        query.replace(str(NOW_S + 30), str(NOW_S + 300)),
        query.replace("anna", "ann%0A"),
        query.replace("&expires", "&expires=1&expired"),
        query + "%ff",
        "",
    ):
        assert tickets.read(SECRET, "call_1", forged, now_s=NOW_S) is None, forged


@pytest.fixture
def rooms() -> tuple[str, ...]:
    return ("teams", "tasks", "calls")


@pytest.fixture
async def process(served: Served, owner: Person, tmp_path: Path) -> AsyncIterator[Process]:
    """A media process of the owner's team, beside the web server and another media process."""
    served.site.app.state.secret = SECRET
    database = served.site.database
    settings = {"home": str(tmp_path / "other"), "media_port": 0, "media_lines": 1}
    async with running(database, tmp_path, BY_HAND, team_id=owner.team_id) as process:
        other = Process(process.office, Settings.model_validate(settings), words=())
        try:
            await other.node.up.wait()
            yield process
        finally:
            await other.stop()


class Line:
    """A member's WebSocket: what came over it, and how far they say that they have heard."""

    def __init__(self, socket: ClientConnection, *, attentive: bool) -> None:
        self.socket = socket
        self.attentive = attentive
        self.frames: list[bytes] = []
        self.told: list[dict[str, str]] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                if isinstance(message, str):
                    self.told.append(json.loads(message))
                    continue
                self.frames.append(message)
                if self.attentive and len(self.frames) % 25 == 0:
                    await self.heard()
        except ConnectionClosed:
            pass

    async def heard(self) -> None:
        await self.socket.send(json.dumps({"type": "heard", "frames": len(self.frames)}))

    async def says(self, audio: bytes) -> None:
        """In real time."""
        for at in range(0, len(audio), 160):
            await self.socket.send(audio[at : at + 160])
            await asyncio.sleep(0.02)

    async def closed(self) -> int:
        async with asyncio.timeout(30):
            await self.reading
        return self.socket.close_code or 0

    @property
    def holder(self) -> str | None:
        return self.told[-1]["by"] if self.told else None


async def asked(client: httpx.AsyncClient, call_id: str, how: str) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/calls/{call_id}/{how}")
    return {"status": answer.status_code, **answer.json()}


@asynccontextmanager
async def joined(
    served: Served, who: Person | str, call_id: str, how: str, *, attentive: bool = True
) -> AsyncGenerator[Line]:
    """`who`: a member, or an API key."""
    site = served.site
    async with site.program(who) if isinstance(who, str) else site.client(who) as client:
        url = httpx.URL((await asked(client, call_id, how))["url"])
    here = served.url.replace("http", "ws", 1) + url.raw_path.decode()
    async with connect(here, proxy=None, compression=None) as socket:
        line = Line(socket, attentive=attentive)
        try:
            yield line
        finally:
            line.reading.cancel()


async def noted(served: Served, person: Person) -> list[str]:
    async with served.site.database.team(person.team_id) as session:
        found = audit.entries(session, person.team_id, audit.Filter(subject="call"))
        return [entry.action async for entry in found]


async def test_members_listen_one_takes_over_and_hands_back(
    served: Served, owner: Person, process: Process
) -> None:
    """The web process finds the media process that has the call; all of it is in the audit log."""
    other = await new_member(served.site.database, owner.team_id)
    verdict = await process.office.admitted()
    caller = Caller(verdict.node_url, verdict)
    call_id = verdict.call_id
    await caller.hears(5 * 350 - 100)
    async with joined(served, other, call_id, "listen") as listener:
        await until(lambda: len(listener.frames) > 25)
        assert {len(frame) for frame in listener.frames} == {320}
        assert listener.holder == ""
        async with joined(served, owner, call_id, "take-over") as talker:
            await until(lambda: listener.holder == owner.email)
            await until(lambda: _holder(process, call_id, owner.email))
            sound = tone(1000, -20, 500)
            before = len(caller.telephone.frames)
            await talker.says(sound)
            frame = sound[160:320]  # as every other one of it: on a busy machine there are gaps
            await until(lambda: b"".join(caller.telephone.frames[before:]).count(frame) > 20)
            await until(lambda: b"".join(listener.frames)[1::2].count(frame) > 20)
            await talker.says(speech(BY_HAND, "rms"))
            async with served.site.client(other) as client:
                refused = await asked(client, call_id, "take-over")
            assert (refused["status"], refused["code"]) == (409, "call_taken")
            await talker.socket.send(json.dumps({"type": "hand_back"}))
            await until(lambda: listener.holder == talker.holder == "")
        async with joined(served, owner, call_id, "take-over"):
            await until(lambda: listener.holder == owner.email)
        await until(lambda: listener.holder == "")  # gone for five seconds
        await _removed_members_hear_no_more(served, owner, call_id)
        await _a_key_hears_no_longer_than_it_lasts(served, owner, call_id)
        before = len(listener.frames)
        await until(lambda: len(listener.frames) > before + 25)
        await caller.hang_up()
        assert await listener.closed() == OVER
    call = await process.ended(call_id)
    async with served.site.database.team(owner.team_id) as session:
        turns = await inbox.turns_of(session, owner.team_id, call.conversation_id)
    said = [turn.text for turn in turns]
    assert f"{owner.email} handed the call back to the agent." in said
    assert f"The connection of {owner.email} was lost: the agent goes on." in said
    assert ("person", BY_HAND) in [(turn.speaker.value, turn.text) for turn in turns]
    assert sorted(await noted(served, owner)) == ["listened to"] * 4 + ["taken over"] * 3
    async with served.site.client(owner) as client:
        over = await asked(client, call_id, "listen")
        assert (over["status"], over["code"]) == (409, "call_not_live")
        assert (await client.get(f"/api/v1/calls/{call_id}")).json()["taken_by"] is None


async def _removed_members_hear_no_more(served: Served, owner: Person, call_id: str) -> None:
    """Whoever listens, and whoever has the call: it is the agent's at once."""
    for how in ("listen", "take-over"):
        leaver = await new_member(served.site.database, owner.team_id)
        async with joined(served, leaver, call_id, how) as line:
            await until(lambda line=line: len(line.frames) > 5)
            async with served.site.client(owner) as client:
                gone = await client.delete(f"/api/v1/members/{leaver.user_id}")
                assert gone.status_code == 204, gone.text
            assert await line.closed() == REFUSED


async def _a_key_hears_no_longer_than_it_lasts(served: Served, owner: Person, call_id: str) -> None:
    """It ends by its time while it listens, and nothing is told then."""
    key = await served.site.key(owner)
    async with joined(served, key, call_id, "listen") as line:
        await until(lambda: len(line.frames) > 5)
        async with served.site.database.team(owner.team_id) as session:
            soon = func.clock_timestamp() + timedelta(seconds=2)
            await session.execute(update(ApiKey).values(expires_at=soon))
        async with joined(served, owner, call_id, "listen"):  # for whom all are asked for
            assert await line.closed() == REFUSED


async def _holder(process: Process, call_id: str, name: str) -> bool:
    return (await process.office.call(call_id)).taken_name == name


async def test_whoever_does_not_keep_up_misses_audio_and_the_call_goes_on(
    served: Served, owner: Person, process: Process
) -> None:
    verdict = await process.office.admitted()
    caller = Caller(verdict.node_url, verdict)
    await caller.hears(100)
    async with (
        joined(served, owner, verdict.call_id, "listen", attentive=False) as slow,
        joined(served, owner, verdict.call_id, "listen") as quick,
    ):
        await until(lambda: len(quick.frames) > BEHIND_FRAMES + 50)
        assert len(slow.frames) == BEHIND_FRAMES
        await slow.heard()
        await until(lambda: len(slow.frames) > BEHIND_FRAMES)
        await slow.socket.send(b"\x00" * 160)  # nobody who listens is heard
        await slow.socket.send("not JSON")
        await slow.socket.send("[]")
        before = len(quick.frames)
        await until(lambda: len(quick.frames) > before + 25)
        assert not any(b"\x00" * 80 in frame[1::2] for frame in quick.frames)
    await caller.hang_up()
    await process.ended(verdict.call_id)


async def test_without_a_ticket_of_this_call_nobody_is_let_in(
    served: Served, owner: Person, process: Process
) -> None:
    """SEC7: another team does not learn that there is such a call."""
    verdict = await process.office.admitted()
    caller = Caller(verdict.node_url, verdict)
    await caller.hears(100)
    stranger = await new_owner(served.site.database, "Strangers")
    async with served.site.client(stranger) as client:
        assert (await asked(client, verdict.call_id, "listen"))["status"] == 404
    team, member = owner.team_id, Member("usr_x", "x@example.com")
    late = Ticket(team, verdict.call_id, member, talks=True, expires_s=NOW_S)
    theirs = Ticket(stranger.team_id, verdict.call_id, member, talks=True, expires_s=4_000_000_000)
    for query in ("", "signature=1", late.query(SECRET), theirs.query(SECRET)):
        path = f"/calls/{verdict.call_id}/line?{query}"
        with pytest.raises(InvalidStatus):
            async with connect(served.url.replace("http", "ws") + path, proxy=None):
                pass
        direct = f"{verdict.node_url}/line/{verdict.call_id}?{query}"
        async with connect(direct, proxy=None) as socket:
            assert await Line(socket, attentive=False).closed() == REFUSED
    before = caller.telephone.sound_ms
    await caller.hears(before + 200)
    await caller.hang_up()
    await process.ended(verdict.call_id)
