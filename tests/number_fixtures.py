"""Teams, live agents and numbers as they are after a purchase."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from offhook import agents, billing, numbers, usage
from offhook.billing import CardInput, TestGateway, cards
from offhook.billing.gateway import Setup
from offhook.carriers import Account, Callbacks, Carrier, Carriers
from offhook.carriers.simulator.server import Simulator, running
from offhook.db import Database, Session, new_id, now, seal
from offhook.numbers import stopping
from offhook.numbers.models import CarrierAccount, Number
from offhook.numbers.own.bringing import Importer
from offhook.numbers.own.rules import Health
from offhook.numbers.purchasing import Shop
from offhook.settings import Settings
from offhook.teams import Team
from offhook.usage import Service
from offhook.vault import Vault, open_vault

BY = numbers.By("usr_1", "ana@bakery.example")
_e164 = count(14155550100)


@pytest.fixture
async def gateway(database_url: str) -> AsyncIterator[TestGateway]:
    gateway = TestGateway(database_url)
    yield gateway
    await gateway.aclose()


async def make_team(database: Database, name: str) -> str:
    async with database.system() as session:
        team = Team(name=name, created_at=await now(session))
        session.add(team)
        await session.flush()
        await billing.on_team_created(session, team.id)
        return team.id


async def add_card(
    database: Database, gateway: TestGateway, team: str, number: str = "4242424242424242"
) -> None:
    async with database.team(team) as session:
        await billing.add_card(session, gateway, team, CardInput(number, 12, 2099, "123"))


async def add_asking_card(database: Database, gateway: TestGateway, team: str) -> None:
    """A card whose bank asks its owner at each payment (3-D Secure)."""
    given = CardInput("4000000000003220", 12, 2099, "123")
    async with database.team(team) as session:
        setup = await billing.type_card(session, gateway, team, given)
    assert isinstance(setup, Setup)
    await answer(gateway, setup, approve=True)
    async with database.team(team) as session:
        await cards.finish(session, gateway, team, setup.id)


async def answer(gateway: TestGateway, asked: Setup | billing.Hold, *, approve: bool) -> None:
    """The card's owner says yes or no to the bank."""
    assert asked.action is not None
    await gateway.answer(asked.action.url.rpartition("/")[2], approve=approve)


async def make_agent(database: Database, team: str, *, live: bool = True) -> str:
    async with database.team(team) as session:
        agent = await agents.create(
            session, team, "Ada", instructions="Answer questions.", greeting="Hello!"
        )
        if live:
            await agents.make_live(session, team, agent.id)
        return agent.id


async def make_number(
    database: Database, team: str, *, e164: str = "", voice: bool = True, sms: bool = True
) -> str:
    """A number as it is right after its purchase."""
    async with database.team(team) as session:
        number = Number(
            team_id=team,
            e164=e164 or f"+{next(_e164)}",
            country="US",
            type="local",
            carrier="simulator",
            carrier_id="PN1",
            has_voice=voice,
            has_sms=sms,
            rent_micros=2_000_000,
            currency="USD",
            held_since=await now(session),
            created_at=await now(session),
        )
        session.add(number)
        await session.flush()
        await usage.open_meter(
            session,
            team,
            number_id=number.id,
            carrier="simulator",
            country="US",
            number_type="local",
        )
        return number.id


async def bring(
    database: Database, vault: Vault, team: str, number_id: str | None, account: Account
) -> str:
    """An account of the team's own, and a number of it; the account's id."""
    async with database.team(team) as session:
        row = CarrierAccount(
            id=new_id("acc"),
            team_id=team,
            network=account.network,
            sid=account.sid,
            name="My Twilio account",
            token_last4=account.token[-4:],
            health=Health.WORKS,
            checked_at=await now(session),
            created_by=BY.label,
            created_at=await now(session),
        )
        row.token = seal(vault, row, "token", account.token.encode())
        session.add(row)
        await session.flush()
        if number_id is not None:
            (await session.get_one(Number, number_id)).account_id = row.id
        return row.id


async def make_ready(database: Database, team: str, agent_id: str, *, e164: str = "") -> str:
    """A number that only waits to be enabled."""
    number_id = await make_number(database, team, e164=e164)
    async with database.team(team) as session:
        await numbers.configure(
            session,
            team,
            number_id,
            BY,
            name="Front desk",
            agent_id=agent_id,
            calls_enabled=True,
            sms_enabled=True,
        )
    return number_id


async def make_enabled(database: Database, team: str, agent_id: str, *, e164: str = "") -> str:
    number_id = await make_ready(database, team, agent_id, e164=e164)
    async with database.team(team) as session:
        await numbers.enable(session, team, number_id, BY)
    return number_id


@pytest.fixture
async def team(database: Database) -> str:
    return await make_team(database, "Bakery")


@pytest.fixture
async def other_team(database: Database) -> str:
    return await make_team(database, "Garage")


@pytest.fixture
async def agent(database: Database, team: str) -> str:
    return await make_agent(database, team)


@dataclass
class Stops:
    """What was told to stop: the rooms above hear it in the same transaction."""

    heard: list[tuple[str, Service | None]] = field(
        default_factory=list[tuple[str, Service | None]]
    )

    async def __call__(self, session: Session, number: Number, service: Service | None) -> None:
        self.heard.append((number.id, service))


@pytest.fixture
def stops() -> Iterator[Stops]:
    stops = Stops()
    stopping.when_stopped(stops)
    yield stops
    stopping.forget(stops)


@pytest.fixture
def agents_ask() -> Iterator[None]:
    """Agents ask numbers before one is taken away, as app.py wires it (N7)."""
    users = numbers.NumbersOfAgents()
    agents.register(users)
    yield
    agents.unregister(users)


CALLBACKS = Callbacks(
    voice_url="http://127.0.0.1:9/voice",
    sms_url="http://127.0.0.1:9/sms",
    status_url="http://127.0.0.1:9/status",
)


@pytest.fixture
async def simulator(settings: Settings) -> AsyncIterator[Simulator]:
    """The simulated carrier, with its own storage in the test's home."""
    free_port = settings.model_copy(update={"simulator_port": 0})
    async with running(free_port) as simulator:
        yield simulator


@pytest.fixture
async def carriers(
    settings: Settings, simulator: Simulator, database: Database
) -> AsyncIterator[Carriers]:
    """Every carrier account, at the simulated carrier."""
    lookup = numbers.account_lookup(database, open_vault(settings))
    carriers = Carriers(settings, lookup, simulator_url=simulator.url)
    yield carriers
    await carriers.aclose()


@pytest.fixture
def carrier(carriers: Carriers) -> Carrier:
    """The operator's account."""
    return carriers.operator


@pytest.fixture
def importer(database: Database, carriers: Carriers, settings: Settings) -> Importer:
    return Importer(database, carriers, open_vault(settings), CALLBACKS)


@pytest.fixture
def shop(database: Database, carrier: Carrier, gateway: TestGateway) -> Shop:
    return Shop(database, carrier, gateway, CALLBACKS)
