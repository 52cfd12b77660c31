"""Plays a written day against a whole installation, and brings its history home.

    stage = furnish(owner, receiver)               # three numbers, an agent with two tasks, Anna
    history = await play(stage, script, folder)    # hours are compressed: they begin when they can

Every person is one line of steps; each waits for what must follow it before the next. What comes of
it is judged afterwards, by checking.py and sheet.py.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import httpx
from installation import until
from owner import Bought, Owner
from receiver import Receiver

from offhook.supervisor import EmbeddedPostgres
from oneday import books, history
from oneday.checking import disagreements
from oneday.findings import by
from oneday.history import SECOND_US, History, Posted, Row, Taken
from oneday.members import Members
from oneday.script import Before, Desk, Do, Moment, Script, Step, Visit
from oneday.telephones import Telephones
from oneday.witness import Witness, watching

ANNA = "+12025559177"
SETTLE_MS = 1_500
PEOPLE_AT_ONCE = 10
SETTLED_WITHIN_S = 90.0
LOOK_EVERY_S = 1.0
REPEATED = 30
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALLS = frozenset(do for do in Do if do.name.startswith("CALL_"))
CALLED = frozenset({Do.CALLED, Do.CALLED_BUSY, Do.CALLED_AWAY})
ANSWERED = frozenset({Do.ASK, Do.PICTURE, Do.ASK_UNREACHED, Do.ASK_UNDELIVERED})
CONFIRMED = frozenset({Do.STOP, Do.START, Do.HELP})


@dataclass(frozen=True, slots=True)
class Stage:
    """An installation that is ready for its day."""

    owner: Owner
    receiver: Receiver
    desks: dict[Desk, Bought]
    anna: str
    """The id of the person who stands in for agents."""

    @property
    def database(self) -> str:
        """Its address."""
        return str(EmbeddedPostgres(self.owner.installation.home / "pg").running_url())

    @property
    def names(self) -> dict[str, Desk]:
        return {number.id: desk for desk, number in self.desks.items()}


def furnish(owner: Owner, receiver: Receiver) -> Stage:
    """Three numbers with the sample agent, which books tables and orders cakes."""
    desks = {desk: owner.ready_number(f"Desk {desk}") for desk in Desk}
    for number in desks.values():
        owner.configure(number, recording_notice=False)
        owner.put(f"/numbers/{number.id}/texting", {"settle_ms": SETTLE_MS})
        outbound = owner.get(f"/numbers/{number.id}/outbound")
        del outbound["number_id"]
        owner.put(f"/numbers/{number.id}/outbound", {**outbound, "quiet_hours": False})
    hours = {day: [{"opens": "08:00", "closes": "23:00"}] for day in DAYS}
    tables = {"name": "Tables", "hours": hours, "slot_minutes": 120, "places": 1_000}
    calendar = owner.post("/calendars", {**tables, "counts_people": True})
    config = {"calendar_id": calendar["id"], "action": "book", "party": True}
    _task(owner, kind="booking", title="Book a table", config=config, phrases=["book a table"])
    _task(
        owner,
        kind="http",
        title="Order a birthday cake",
        phrases=["order a birthday cake"],
        inputs=[{"name": "flavour", "type": "choice", "choices": ["chocolate", "lemon", "carrot"]}],
        config={
            "method": "POST",
            "url": f"{receiver.url}/cakes",
            "body": {"flavour": "{{flavour}}"},
            "answer": "Your cake is ordered.",
        },
    )
    target = {"name": "Anna", "number": ANNA, "announced": False, "stands_in": True}
    anna = owner.post("/transfer-targets", {**target, "ring_s": 5})
    return Stage(owner, receiver, desks, anna["id"])


def _task(owner: Owner, **task: object) -> None:
    made = owner.post("/tasks", task)
    channels = {"channels": ["sms", "call"]}
    owner.put(f"/tasks/{made['id']}/agents/{owner.sample_agent()}", channels)


async def play(stage: Stage, script: Script, folder: Path) -> History:
    """The whole day, and what is left of it when everything has come to rest."""
    async with _open(stage, script.seed, folder) as day:
        for moment in script.moments:
            await day.moment(moment)
        return await day.history()


@asynccontextmanager
async def _open(stage: Stage, seed: int, folder: Path) -> AsyncGenerator["_Day"]:
    settings = stage.owner.settings
    rest = stage.owner.rest
    async with (
        watching(settings) as carrier,
        httpx.AsyncClient(
            base_url=rest.base_url, headers=rest.headers, trust_env=False, timeout=60
        ) as client,
    ):
        telephones = Telephones(settings, folder)
        members = Members(client, {desk: n.id for desk, n in stage.desks.items()}, carrier)
        try:
            yield _Day(stage, carrier, telephones, members, Random(seed))
        finally:
            await telephones.aclose()


class _Day:
    def __init__(
        self,
        stage: Stage,
        carrier: Witness,
        telephones: Telephones,
        members: Members,
        dice: Random,
    ) -> None:
        self._stage = stage
        self._carrier = carrier
        self._telephones = telephones
        self._members = members
        self._dice = dice
        self._room = asyncio.Semaphore(PEOPLE_AT_ONCE)
        self._taken: list[Taken] = []

    async def moment(self, moment: Moment) -> None:
        """What the team changes first, then everybody's visits; over when all are."""
        for change in moment.before:
            await self._change(change)
        people = by(lambda visit: visit.person, moment.visits)
        async with asyncio.TaskGroup() as group:
            for visits in people.values():
                group.create_task(self._person(visits))

    async def history(self) -> History:
        """When the books have come to rest: what still disagrees then is a disagreement."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while True:
            found = await self._read()
            if not disagreements(found) or time.monotonic() > deadline:
                return found
            await asyncio.sleep(LOOK_EVERY_S)

    async def _read(self) -> History:
        owner = self._stage.owner
        ours = await books.read(self._stage.database)
        usage = await asyncio.to_thread(owner.usage)
        await self._carrier.look()
        log, numbers = self._carrier.log, {each.e164 for each in self._stage.desks.values()}
        deliveries = self._stage.receiver.deliveries
        return History(
            history.texts(log, numbers),
            history.calls(log, numbers),
            history.joins(log),
            {**ours, "usage": usage},
            tuple(self._taken),
            tuple(Posted(headers["idempotency-key"]) for headers, _ in deliveries),
        )

    # --- people ---

    async def _person(self, visits: list[Visit]) -> None:
        async with self._room:
            for visit in visits:
                for step in visit.steps:
                    await self._step(visit, step)

    async def _step(self, visit: Visit, step: Step) -> None:
        ours, do = self._stage.desks[visit.desk].e164, step.do
        pair = (ours, visit.person)
        sent = self._carrier.sent[pair]
        follows = 0
        if do in CALLS:
            await self._telephones.call(visit.person, ours, do)
        elif do in CALLED:
            await self._members.call(visit.person, visit.desk, do)
        elif do is Do.BLOCK:
            await self._members.block(visit.person)
        elif do in {Do.TAKE, Do.GIVE, Do.GIVE_DONE}:
            await self._thread(visit, do)
            follows = int(do is Do.GIVE)
        elif do in {Do.WRITE, Do.WRITE_STOPPED}:
            follows = await self._write(visit, step)
        else:
            await self._text(visit.person, ours, step)
            follows = int(do in ANSWERED | CONFIRMED or do is Do.BURST)
        what = f"what follows when {visit.person} {do.value}"
        await self._carrier.until(lambda: self._carrier.sent[pair] >= sent + follows, what)

    async def _text(self, person: str, ours: str, step: Step) -> None:
        """Each piece is heard before the next is sent: they are taken in their order."""
        reaction = f"Loved “{self._carrier.said.get((ours, person), '')}”"
        for body in (reaction,) if step.do is Do.REACT else step.words:
            picture = step.do is Do.PICTURE
            sid = await self._telephones.text(person, ours, body, picture=picture)
            await self._carrier.until(lambda sid=sid: sid in self._carrier.told, f"{sid} told")

    async def _write(self, visit: Visit, step: Step) -> int:
        answer = await self._members.write(visit.person, visit.desk, step.words[0])
        if step.do is Do.WRITE:
            assert answer.status_code == 201, answer.text
            return 1
        assert answer.json()["code"] == "recipient_opted_out", answer.text
        return 0

    async def _thread(self, visit: Visit, do: Do) -> None:
        thread = await self._members.thread(visit.person, visit.desk)
        ours = self._stage.desks[visit.desk].e164
        if do is Do.TAKE:
            await self._members.take(thread)
            self._taken.append(Taken(ours, visit.person, _now_us(), 2**62))
            return
        mine = next(t for t in reversed(self._taken) if (t.ours, t.remote) == (ours, visit.person))
        self._taken[self._taken.index(mine)] = replace(mine, until_us=_now_us())
        await self._members.give(thread)

    # --- the team ---

    async def _change(self, change: Before) -> None:
        owner, desks = self._stage.owner, self._stage.desks
        match change:
            case Before.LIMIT_SMS | Before.LIMIT_CALLS:
                sms = change is Before.LIMIT_SMS
                service, left = ("sms", 3) if sms else ("calls", 1)
                used = await asyncio.to_thread(_used, owner, desks[Desk.LINE], service)
                owner.limit(desks[Desk.LINE], service, used + left)
            case Before.NO_LIMITS:
                for service in ("sms", "calls"):
                    owner.limit(desks[Desk.LINE], service, None)
            case Before.DISABLE:
                owner.disable(desks[Desk.SHOP])
            case Before.ENABLE:
                owner.enable(desks[Desk.SHOP])
            case Before.REPEAT:
                copies = self._dice.choices((1, 2, 3), (3, 2, 1), k=REPEATED)
                asked = [{"on": "callback", "copies": each} for each in copies]
                await self._carrier.ask("faults", asked)
            case _:
                await self._anna(change)

    async def _anna(self, change: Before) -> None:
        person: Row = {"number": ANNA, "manner": "answers", "talks_s": 6.0}
        announced = change is Before.ANNA_ACCEPTS
        if announced:
            person |= {"keys": "1"}
        elif change is not Before.ANNA_ANSWERS:
            person |= {"manner": "busy" if change is Before.ANNA_BUSY else "rings"}
        await self._carrier.ask("people", [person])
        target = {"name": "Anna", "number": ANNA, "stands_in": True, "ring_s": 5}
        self._stage.owner.put(
            f"/transfer-targets/{self._stage.anna}", {**target, "announced": announced}
        )


def _used(owner: Owner, number: Bought, service: str) -> int:
    """Units of the month, once none is held any more."""
    used, _ = until(lambda: _none_held(owner.used(number, service)), "the held units", 60)
    return used


def _none_held(units: tuple[int, int]) -> tuple[int, int] | None:
    return units if units[1] == 0 else None


def _now_us() -> int:
    return round(time.time() * SECOND_US)
