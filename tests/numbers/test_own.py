"""A7: numbers of a team's own carrier account, killed at every step, with the simulated carrier."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

import programs
from number_fixtures import BY, CALLBACKS, make_team
from offhook import numbers
from offhook.billing.models import Charge
from offhook.carriers import Account, AccountGone, CarrierProblem, Carriers, Network, Refused
from offhook.carriers.simulator.faults import Fault
from offhook.carriers.simulator.server import Simulator
from offhook.db import Database, EventRow, Jobs, Session
from offhook.failpoints import ENVIRONMENT, EXIT_STATUS
from offhook.numbers import NumberStatus, problems
from offhook.numbers.models import CarrierAccount, Number, NumberImport
from offhook.numbers.own import accounts, bringing, imports, jobs, rules
from offhook.numbers.own.bringing import Importer
from offhook.numbers.own.rules import Command, Health, ImportState
from offhook.usage import Service, balance
from offhook.vault import Vault

KILLS = int(os.environ.get("OFFHOOK_KILLS", "1"))
POINTS = [f"import.{c}.{p}" for c in list(Command)[:3] for p in ("done", "stored")]
CONFIGURE = "POST IncomingPhoneNumbers"
PROGRAM = Path(__file__).with_name("import_and_die.py")


class Killed(BaseException):
    """As kill -9: nothing that follows is run."""


def dying_at(point: str) -> Callable[[str], None]:
    def passage(name: str) -> None:
        if name == point:
            raise Killed(name)

    return passage


# --- with a carrier ---


async def connected(
    database: Database, vault: Vault, carriers: Carriers, team: str, account: Account | None = None
) -> CarrierAccount:
    account = account or await carriers.simulated_customer()
    async with database.team(team) as session:
        return await accounts.connect(session, vault, carriers, team, BY, account)


@pytest.fixture
async def account(database: Database, importer: Importer, team: str) -> CarrierAccount:
    """The team's own account, with three numbers that report to an old office."""
    return await connected(database, importer.vault, importer.carriers, team)


async def listed(importer: Importer, account: CarrierAccount) -> list[str]:
    carrier = await importer.carriers.of(account.id)
    return sorted(held.e164 for held in await carrier.list_numbers())


async def order(importer: Importer, account: CarrierAccount, wanted: list[str]) -> NumberImport:
    carrier = await importer.carriers.of(account.id)
    async with importer.database.team(account.team_id) as session:
        made = await imports.order(session, carrier, account.id, account.team_id, BY, wanted)
        return made[0]


async def ordered(importer: Importer, account: CarrierAccount) -> NumberImport:
    return await order(importer, account, (await listed(importer, account))[:1])


async def carry_out(importer: Importer, made: NumberImport) -> ImportState | None:
    return await bringing.carry_out(importer, made.team_id, made.id)


async def routing(importer: Importer, made: NumberImport) -> dict[str, str]:
    carrier = await importer.carriers.of(made.account_id)
    return dict(await carrier.routing(made.carrier_id))


async def number_of(importer: Importer, made: NumberImport) -> Number | None:
    async with importer.database.team(made.team_id) as session:
        return await session.get(Number, made.number_id)


async def delete(importer: Importer, made: NumberImport) -> None:
    async with importer.database.team(made.team_id) as session:
        await numbers.delete(session, made.team_id, made.number_id, BY, confirmation=made.e164)


async def count(session: Session, what: type[Charge]) -> int:
    return await session.scalar(select(func.count()).select_from(what)) or 0


async def test_an_imported_number_is_held_without_money_and_reports_to_us_a7(
    importer: Importer, account: CarrierAccount
) -> None:
    """No card, no charge, no rent; disabled, and ready to be set up."""
    made = await ordered(importer, account)
    before = await routing(importer, made)
    assert before["voice_url"].startswith("https://old-office.example")
    assert await carry_out(importer, made) is ImportState.IMPORTED
    number = await number_of(importer, made)
    assert number is not None
    assert (number.status, number.rent_micros, number.price_kind) == ("disabled", 0, "own")
    assert number.held_since is not None
    after = await routing(importer, made)
    assert after["voice_url"].startswith(CALLBACKS.voice_url)
    assert after["sms_url"].startswith(CALLBACKS.sms_url)
    assert after["status_callback"].startswith(CALLBACKS.status_url)
    async with importer.database.team(made.team_id) as session:
        use = await balance(session, made.team_id, number_id=made.number_id, service=Service.CALLS)
        told = await session.scalar(select(func.count()).where(EventRow.name == "number.imported"))
        assert (use.posted, use.limit, await count(session, Charge), told) == (0, None, 0, 1)


async def test_where_it_reported_before_is_kept_sealed(
    importer: Importer, account: CarrierAccount, carriers: Carriers
) -> None:
    """SEC22: addresses may carry passwords."""
    wish = {"numbers": 1, "callbacks": {"sms_url": "https://bot:pa55w0rd@old.example/in"}}
    row = await connected(
        importer.database, importer.vault, carriers, account.team_id,
        await carriers.simulated_customer(**wish),
    )  # fmt: skip
    made = await ordered(importer, row)
    await carry_out(importer, made)
    async with importer.database.team(made.team_id) as session:
        kept = await imports.get(session, made.team_id, made.id)
    assert "pa55w0rd" not in str(vars(kept))
    old = bringing.before_of(importer.vault, kept)
    assert old["sms_url"] == "https://bot:pa55w0rd@old.example/in"
    assert "old.example" in rules.hosts(old)
    assert row.token is not None
    assert row.token.startswith("v1.")


@pytest.mark.kills
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_step_and_resumed_it_is_wholly_imported(
    importer: Importer, account: CarrierAccount, point: str
) -> None:
    for _ in range(KILLS):
        made = await ordered(importer, account)
        before = await routing(importer, made)
        with pytest.raises(Killed):
            await bringing.carry_out(importer, made.team_id, made.id, passage=dying_at(point))
        assert await carry_out(importer, made) is ImportState.IMPORTED
        assert (await number_of(importer, made)) is not None
        await delete(importer, made)  # what was there before was not overwritten by what we set
        await jobs.give_back(importer, made.team_id, made.number_id)
        assert await routing(importer, made) == before


@pytest.mark.kills
@pytest.mark.parametrize("point", ["import.restore.done", "import.restore.stored"])
async def test_refused_half_way_it_is_as_it_was_however_often_killed(
    importer: Importer, account: CarrierAccount, simulator: Simulator, point: str
) -> None:
    """The carrier changed the number and then refused: back, and free for another import."""
    made = await ordered(importer, account)
    for again in range(KILLS):
        made = await order(importer, account, [made.e164]) if again else made
        before = await routing(importer, made)
        path = f"{CONFIGURE}/{made.carrier_id}.json"
        simulator.faults.ask(Fault("request", path=path, lose_answer=True))
        with pytest.raises(CarrierProblem):  # done there, not known here
            await carry_out(importer, made)
        assert await routing(importer, made) != before
        simulator.faults.ask(Fault("request", path=path, status=400, code=21502))
        with pytest.raises(Killed):
            await bringing.carry_out(importer, made.team_id, made.id, passage=dying_at(point))
        assert await carry_out(importer, made) is ImportState.FAILED
        assert await routing(importer, made) == before
        assert await number_of(importer, made) is None
    async with importer.database.team(made.team_id) as session:
        assert (
            "A fault was asked for" in (await imports.get(session, made.team_id, made.id)).failure
        )
    last = await order(importer, account, [made.e164])
    assert await carry_out(importer, last) is ImportState.IMPORTED


@pytest.mark.kills
async def test_a_process_killed_at_any_step_leaves_what_another_one_finishes(
    importer: Importer, carriers: Carriers, simulator: Simulator, team: str, tmp_path: Path
) -> None:
    """Real processes, kill -9: three numbers per point at most, an account has no more."""
    customer = await carriers.simulated_customer(numbers=20)
    row = await connected(importer.database, importer.vault, carriers, team, customer)
    free = iter(await listed(importer, row))
    killed = [(await order(importer, row, [next(free)]), p) for p in POINTS * min(KILLS, 3)]
    url, home = importer.database.url, str(tmp_path)
    tasks = [[team, made.id, made.number_id, point] for made, point in killed]
    await killed_and_resumed(url, home, simulator.url, tasks)
    for made, _ in killed:
        number = await number_of(importer, made)
        assert number is not None
        assert number.held_since is not None
        assert (await routing(importer, made))["sms_url"].startswith(CALLBACKS.sms_url)
        await delete(importer, made)
    back = [[*task[:3], "import.put_back"] for task in tasks]
    await killed_and_resumed(url, home, simulator.url, back)
    for made, _ in killed:
        number = await number_of(importer, made)
        assert number is not None
        assert number.status == NumberStatus.RELEASED
        assert (await routing(importer, made))["sms_url"] == "https://old-office.example/sms"


async def killed_and_resumed(
    url: str, home: str, simulator_url: str, tasks: list[list[str]]
) -> None:
    """Each is killed at its point, in a process of its own; then one goes on with all of them."""
    for task in tasks:
        given = (url, home, simulator_url, json.dumps([task]))
        died = await programs.start(PROGRAM, *given, **{ENVIRONMENT: task[3]})
        assert await died.wait() == EXIT_STATUS, task
    resumed = await programs.start(PROGRAM, url, home, simulator_url, json.dumps(tasks))
    assert await resumed.wait() == 0


async def test_without_an_answer_for_three_minutes_it_turns_back(
    importer: Importer, account: CarrierAccount, simulator: Simulator
) -> None:
    made = await ordered(importer, account)
    async with importer.database.team(made.team_id) as session:
        row = await imports.get(session, made.team_id, made.id)
        row.created_at -= timedelta(minutes=4)
    simulator.faults.ask(Fault("request", path=f"{CONFIGURE}/{made.carrier_id}.json", status=503))
    assert await carry_out(importer, made) is ImportState.FAILED
    assert await number_of(importer, made) is None


async def test_of_two_teams_that_import_one_number_one_gets_it(
    importer: Importer, database: Database, carriers: Carriers, team: str, other_team: str
) -> None:
    """Both know the account; who is second is told that somebody holds it, and not who."""
    shared = await carriers.simulated_customer()
    rows = [
        await connected(database, importer.vault, carriers, t, shared) for t in (team, other_team)
    ]
    wanted = (await listed(importer, rows[0]))[:1]
    answers = await asyncio.gather(
        *(order(importer, row, wanted) for row in rows * 3), return_exceptions=True
    )
    won = [each for each in answers if isinstance(each, NumberImport)]
    lost = [each for each in answers if isinstance(each, problems.NumberTaken)]
    assert (len(won), len(lost)) == (1, 5)
    assert await carry_out(importer, won[0]) is ImportState.IMPORTED
    loser = next(row for row in rows if row.team_id != won[0].team_id)
    with pytest.raises(problems.NumberTaken) as refused:
        await order(importer, loser, wanted)
    assert "held here already" in refused.value.sentence
    assert team not in str(vars(refused.value))


async def test_only_what_the_account_lists_is_imported_and_all_or_nothing(
    importer: Importer, account: CarrierAccount
) -> None:
    mine = await listed(importer, account)
    with pytest.raises(problems.NotInAccount) as refused:
        await order(importer, account, [mine[0], "+14155550199"])
    assert refused.value.details["numbers"] == ["+14155550199"]
    with pytest.raises(problems.NothingChosen):
        await order(importer, account, [])
    async with importer.database.team(account.team_id) as session:
        assert (await session.scalars(select(NumberImport))).all() == []


async def test_another_teams_account_and_import_are_not_there_sec7(
    importer: Importer, account: CarrierAccount, other_team: str
) -> None:
    made = await ordered(importer, account)
    async with importer.database.team(other_team) as session:
        with pytest.raises(problems.AccountNotFound):
            await accounts.get(session, other_team, account.id)
        with pytest.raises(problems.ImportNotFound):
            await imports.get(session, other_team, made.id)
        assert await session.get(CarrierAccount, account.id) is None  # the second wall


# --- the way back ---


@pytest.fixture
async def imported(importer: Importer, account: CarrierAccount) -> NumberImport:
    made = await ordered(importer, account)
    assert await carry_out(importer, made) is ImportState.IMPORTED
    return made


async def test_deleting_puts_the_old_addresses_back_and_keeps_the_number_there(
    importer: Importer, imported: NumberImport, account: CarrierAccount
) -> None:
    await delete(importer, imported)
    worker = Jobs(importer.database)
    jobs.register(worker, importer)
    await worker.run_due()
    number = await number_of(importer, imported)
    assert number is not None
    assert number.status == NumberStatus.RELEASED
    assert imported.e164 in await listed(importer, account)
    back = await routing(importer, imported)
    assert (back["voice_method"], back["sms_url"]) == ("GET", "https://old-office.example/sms")


async def test_what_somebody_else_has_changed_meanwhile_is_left_and_told(
    importer: Importer, imported: NumberImport
) -> None:
    carrier = await importer.carriers.of(imported.account_id)
    await carrier.route(imported.carrier_id, {"sms_url": "https://new.example/sms"})
    await delete(importer, imported)
    await jobs.give_back(importer, imported.team_id, imported.number_id)
    back = await routing(importer, imported)
    assert back["sms_url"] == "https://new.example/sms"
    assert back["voice_url"] == "https://old-office.example/voice"
    async with importer.database.team(imported.team_id) as session:
        assert (await imports.get(session, imported.team_id, imported.id)).left == ["sms_url"]


@pytest.mark.parametrize("kind", ["application", "trunk"])
async def test_an_application_or_trunk_is_taken_off_and_put_back(
    importer: Importer, account: CarrierAccount, kind: str
) -> None:
    """Twilio ignores a number's addresses while one is set."""
    field, sid = {"application": ("voice_application_sid", "AP1"), "trunk": ("trunk_sid", "TK1")}[
        kind
    ]
    made = await ordered(importer, account)
    carrier = await importer.carriers.of(account.id)
    await carrier.route(made.carrier_id, {field: sid})
    await carry_out(importer, made)
    assert (await routing(importer, made))[field] == ""
    await delete(importer, made)
    await jobs.give_back(importer, made.team_id, made.number_id)
    assert (await routing(importer, made))[field] == sid


async def test_until_the_carrier_confirms_it_is_releasing_and_says_why(
    importer: Importer, imported: NumberImport, simulator: Simulator, account: CarrierAccount
) -> None:
    await delete(importer, imported)
    await simulator.accounts.change(account.sid, {"status": "suspended"})
    with pytest.raises(Refused):
        await jobs.give_back(importer, imported.team_id, imported.number_id)
    number = await number_of(importer, imported)
    assert number is not None
    assert number.status == NumberStatus.RELEASING
    async with importer.database.team(imported.team_id) as session:
        row = await imports.get(session, imported.team_id, imported.id)
        assert "not active" in row.failure
    await simulator.accounts.change(account.sid, {"status": "active"})
    await jobs.give_back(importer, imported.team_id, imported.number_id)
    assert (await routing(importer, imported))["sms_url"] == "https://old-office.example/sms"


async def test_a_dead_account_can_be_given_up_so_that_the_number_is_free(
    importer: Importer, imported: NumberImport, simulator: Simulator, account: CarrierAccount
) -> None:
    async with importer.database.team(imported.team_id) as session:
        with pytest.raises(problems.NothingToGiveUp):
            await bringing.give_up(session, imported.team_id, imported.id, BY)
    await delete(importer, imported)
    await simulator.accounts.change(account.sid, {"status": "closed"})
    async with importer.database.team(imported.team_id) as session:
        await bringing.give_up(session, imported.team_id, imported.id, BY)
        await accounts.remove(session, imported.team_id, account.id)
    number = await number_of(importer, imported)
    assert number is not None
    assert number.status == NumberStatus.RELEASED
    await jobs.give_back(importer, imported.team_id, imported.number_id)  # a late job does nothing


# --- accounts ---


async def test_the_connection_test_explains_what_is_wrong(
    importer: Importer, carriers: Carriers, simulator: Simulator
) -> None:
    good = await carriers.simulated_customer(type="Trial", name="Our old account")
    works = await accounts.try_out(carriers, good)
    assert (works.finding.health, works.trial, works.name) == (
        Health.WORKS,
        True,
        "Our old account",
    )
    wrong = Account(good.sid, "0" * 32, good.network)
    assert (await accounts.try_out(carriers, wrong)).finding.health is Health.WRONG
    for status, health in (("suspended", Health.SUSPENDED), ("closed", Health.CLOSED)):
        await simulator.accounts.change(good.sid, {"status": status})
        found = (await accounts.try_out(carriers, good)).finding
        assert (found.health, bool(found.remedy)) == (health, True)
    await simulator.accounts.change(good.sid, {"status": "active"})
    path = f"GET {good.sid}.json"
    for status, code, health in (
        (403, 20008, Health.TEST_PAIR),
        (403, 20005, Health.SUSPENDED),
        (500, 20500, Health.UNREACHABLE),
    ):
        simulator.faults.ask(Fault("request", path=path, status=status, code=code))
        assert (await accounts.try_out(carriers, good)).finding.health is health


@pytest.mark.parametrize(
    ("sid", "token", "fields"),
    [
        ("SK" + "0" * 32, "0" * 32, ["sid"]),
        ("AC123", "0" * 32, ["sid"]),
        ("AC" + "0" * 32, "secret", ["token"]),
        ("", "", ["sid", "token"]),
    ],
)
async def test_what_cannot_be_an_account_is_refused_before_anybody_is_asked(
    importer: Importer, team: str, sid: str, token: str, fields: list[str]
) -> None:
    account = Account(sid, token, Network.TWILIO)
    with pytest.raises(problems.AccountInvalid) as refused:
        await connected(importer.database, importer.vault, importer.carriers, team, account)
    assert [each["field"] for each in refused.value.details["errors"]] == fields


async def test_an_account_that_does_not_work_is_not_kept_and_one_is_kept_once(
    importer: Importer, carriers: Carriers, team: str
) -> None:
    good = await carriers.simulated_customer()
    wrong = Account(good.sid, "0" * 32, good.network)
    with pytest.raises(problems.AccountNotUsable) as refused:
        await connected(importer.database, importer.vault, carriers, team, wrong)
    assert "API key" in refused.value.remedy
    await connected(importer.database, importer.vault, carriers, team, good)
    with pytest.raises(problems.AccountExists):
        await connected(importer.database, importer.vault, carriers, team, good)


async def test_a_replaced_token_is_used_from_the_next_request_on(
    importer: Importer, carriers: Carriers, simulator: Simulator, account: CarrierAccount
) -> None:
    assert await listed(importer, account)
    token = await simulator.accounts.change(account.sid, {"new_token": True})
    assert token is not None
    with pytest.raises(Refused):
        await listed(importer, account)
    async with importer.database.team(account.team_id) as session:
        row, finding = await accounts.retest(
            session, importer.vault, carriers, account.team_id, account.id
        )
        assert (finding.health, row.health) == (Health.WRONG, Health.WRONG)
    async with importer.database.team(account.team_id) as session:
        await accounts.replace_token(
            session, importer.vault, carriers, account.team_id, account.id, token
        )
    assert (await carriers.account(account.id)).token == token
    assert len(await listed(importer, account)) == 3


async def test_a_test_that_began_before_the_token_was_replaced_tests_the_new_one(
    importer: Importer, carriers: Carriers, simulator: Simulator, account: CarrierAccount
) -> None:
    """It would else find the account broken, and keep that of one that works."""
    token = await simulator.accounts.change(account.sid, {"new_token": True})
    assert token is not None
    async with importer.database.team(account.team_id) as session:
        seen = await accounts.get(session, account.team_id, account.id)
        async with importer.database.team(account.team_id) as other:
            await accounts.replace_token(
                other, importer.vault, carriers, account.team_id, account.id, token
            )
        row, _ = await accounts.retest(
            session, importer.vault, carriers, account.team_id, account.id
        )
        assert row is seen
        assert row.health is Health.WORKS


async def test_an_account_with_numbers_is_not_removed_and_a_removed_one_is_forgotten(
    importer: Importer, imported: NumberImport, account: CarrierAccount
) -> None:
    async with importer.database.team(account.team_id) as session:
        with pytest.raises(problems.AccountInUse) as refused:
            await accounts.remove(session, account.team_id, account.id)
        assert refused.value.details["numbers"] == [imported.e164]
    await delete(importer, imported)
    await jobs.give_back(importer, imported.team_id, imported.number_id)
    async with importer.database.team(account.team_id) as session:
        await accounts.remove(session, account.team_id, account.id)
        row = await session.get_one(CarrierAccount, account.id)
        assert (row.token, row.token_last4) == (None, "")
    with pytest.raises(AccountGone):
        await importer.carriers.of(account.id)


async def test_the_sweep_resumes_imports_and_returns_that_nobody_works_on(
    importer: Importer, account: CarrierAccount
) -> None:
    made = await ordered(importer, account)
    async with importer.database.team(made.team_id) as session:
        row = await imports.get(session, made.team_id, made.id)
        row.updated_at -= timedelta(minutes=1)
    await jobs.sweep(importer.database)
    worker = Jobs(importer.database)
    jobs.register(worker, importer)
    await worker.run_due()
    number = await number_of(importer, made)
    assert number is not None
    assert number.held_since is not None
    await delete(importer, made)
    await jobs.sweep(importer.database)
    await worker.run_due()
    number = await number_of(importer, made)
    assert number is not None
    assert number.status == NumberStatus.RELEASED


async def test_a_teams_own_account_belongs_to_the_number_and_bought_ones_to_nobody(
    importer: Importer, imported: NumberImport, database: Database
) -> None:
    other = await make_team(database, "Garage 2")
    async with database.system() as session:
        assert await numbers.account_of(session, imported.number_id) == imported.account_id
        assert list(await numbers.accounts_in_use(session)) == [imported.account_id]
        assert await numbers.account_of(session, other) is None
