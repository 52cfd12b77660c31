"""The operator's price list: what may be written, what stands, what it would have cost (UP5)."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from offhook import prices, usage
from offhook.db import Database, now
from offhook.prices import Money, NumberType, csv_list, drafts, service
from offhook.usage import Direction
from web_fixtures import Person, Site, new_owner

NOON = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


class Clock(Protocol):
    instant: datetime


KIND = {"carrier": "simulator", "country": "US", "number_type": "local"}
AMOUNTS = {
    "monthly": "2",
    "minute_inbound": "0.0137",
    "minute_outbound": "0.03",
    "message_inbound": "0",
    "message_outbound": "0.01",
}
WRITTEN = {**KIND, **AMOUNTS, "valid_from": "2026-06-01T00:00"}


@pytest.fixture(autouse=True)
def joined() -> None:
    prices.effect_from(usage.effect_of)


# --- What may be written ---


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("monthly", "-1", "negative"),
        ("monthly", "", "Enter an amount"),
        ("minute_inbound", "0.0000001", "six digits"),
        ("minute_inbound", "1,5", "not an amount"),
        ("minute_outbound", "NaN", "not an amount"),
        ("minute_outbound", "1e9", "more than"),
        ("message_inbound", "Infinity", "not an amount"),
        ("country", "XX", "no country"),
        ("country", "", "no country"),
        ("carrier", "acme", "no kind of carrier"),
        ("number_type", "shared", "no type of number"),
        ("valid_from", "soon", "no time"),
        ("valid_from", "0001-01-01T00:00", "year"),
    ],
)
def test_a_fault_is_named_with_its_field(field: str, value: str, said: str) -> None:
    with pytest.raises(prices.PriceInvalid, match=said) as refused:
        drafts.read({**WRITTEN, field: value}, zone="UTC", present=NOON)
    assert [fault["field"] for fault in refused.value.details["errors"]] == [field]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(prices.PriceInvalid) as refused:
        drafts.read({**WRITTEN, "monthly": "-1", "country": "XX"}, zone="UTC", present=NOON)
    assert [fault["field"] for fault in refused.value.details["errors"]] == ["country", "monthly"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-06-01T00:00", "2026-05-31T22:00"),
        ("2026-06-01T00:00Z", "2026-06-01T00:00"),
        ("2026-12-01", "2026-11-30T23:00"),
        ("2026-06-01T00:00-05:00", "2026-06-01T05:00"),
    ],
)
def test_a_time_without_an_offset_is_meant_in_the_operators_zone(written: str, meant: str) -> None:
    draft = drafts.read({**WRITTEN, "valid_from": written}, zone="Europe/Paris", present=NOON)
    assert draft.valid_from == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize("ahead_s", [-3600, 0, 59])
def test_a_version_must_be_known_a_minute_before_it_is_in_force(ahead_s: int) -> None:
    start = (NOON + timedelta(seconds=ahead_s)).isoformat()
    with pytest.raises(prices.PriceInPast):
        drafts.read({**WRITTEN, "valid_from": start}, zone="UTC", present=NOON)


# --- What stands ---


async def at_simulator(database: Database, at: datetime) -> str:
    async with database.system() as session:
        price = await prices.price_at(
            session, carrier="simulator", country="US", number_type="local", at=at
        )
    return price.per_minute().amount


async def test_a_scheduled_version_can_be_withdrawn_and_followed_but_not_one_in_force(
    clocked: Database, clock: Clock
) -> None:
    later = NOON + timedelta(days=1)
    draft = drafts.read({**WRITTEN, "valid_from": later}, zone="UTC", present=NOON)
    async with clocked.system() as session:
        first = await service.add(session, draft, by="usr_ada")
        with pytest.raises(service.PriceTaken):
            await service.add(session, draft, by="usr_ada")
    assert await at_simulator(clocked, later) == "0.0137"
    async with clocked.system() as session:
        await service.withdraw(session, first.id, by="usr_bo")
        await service.withdraw(session, first.id, by="usr_cy")
        with pytest.raises(service.PriceUnknown):
            await service.withdraw(session, "price_none", by="usr_bo")
    assert await at_simulator(clocked, later) == "0.02"
    async with clocked.system() as session:
        again = await service.add(session, draft, by="usr_ada")
        known = await service.history(session, draft.kind)
        assert [(v.created_by, v.withdrawn_by) for v in known[:2] if v.withdrawn_at] == [
            ("usr_ada", "usr_bo")
        ]
    clock.instant = later - timedelta(seconds=59)
    async with clocked.system() as session:
        with pytest.raises(service.PriceStands):
            await service.withdraw(session, again.id, by="usr_bo")


# --- CSV ---


async def test_an_exported_list_comes_back_unchanged_and_its_new_lines_are_found(
    clocked: Database,
) -> None:
    async with clocked.system() as session:
        listed = await service.price_list(session, NOON)
    text = csv_list.written(listed)
    known = [row.in_force for row in listed if row.in_force]
    line = ",".join([*KIND.values(), *AMOUNTS.values(), "2026-06-01T00:00Z"])
    found, unchanged = csv_list.read(f"\ufeff{text}{line}\n", zone="UTC", present=NOON, known=known)
    assert (len(found), unchanged) == (1, len(known))
    assert found[0].minute_inbound == Money.of("0.0137")


def test_every_fault_of_a_file_names_its_line() -> None:
    header = ",".join(drafts.FIELDS)
    line = ",".join([*KIND.values(), *AMOUNTS.values(), "2026-06-01T00:00Z"])
    old = line.replace("2026-06", "2026-04")
    bad = line.replace("0.0137", "'=1+1")
    with pytest.raises(prices.PriceInvalid) as refused:
        csv_list.read(f"{header}\n{line}\n{line}\n{old}\n{bad}\n", zone="UTC", present=NOON)
    assert [fault["line"] for fault in refused.value.details["errors"]] == [3, 4, 5]
    with pytest.raises(prices.PriceInvalid, match="columns monthly"):
        csv_list.read(header.replace("monthly,", ""), zone="UTC", present=NOON)


DAY = "2026-06-01T00:00Z"


def test_a_files_lines_may_end_in_any_way_and_what_is_no_csv_is_refused() -> None:
    text = "\r".join([",".join(drafts.FIELDS), ",".join([*KIND.values(), *AMOUNTS.values(), DAY])])
    found, _ = csv_list.read(text, zone="UTC", present=NOON)
    assert len(found) == 1
    with pytest.raises(prices.PriceInvalid, match="cannot be read as CSV"):
        csv_list.read(f"{text}\r{'1' * 2_000_000}", zone="UTC", present=NOON)


# --- The editor ---


async def test_the_editor_is_for_operators_only(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        for path in ("/operator/prices", "/operator/prices/export", "/api/v1/operator/prices"):
            assert (await client.get(path)).status_code == 403
        told = await client.post("/api/v1/operator/prices", json=WRITTEN)
        assert (told.status_code, told.json()["code"]) == (403, "operator_only")


async def test_a_version_is_previewed_added_and_withdrawn_over_rest(
    site: Site, operator: Person
) -> None:
    async with site.database.system() as session:
        start = (await now(session) + timedelta(days=1)).isoformat()
    written = {**WRITTEN, "valid_from": start}
    key = await site.key(operator, ("read", "write", "operator"))
    async with site.program(key) as program:
        path = "/api/v1/operator/prices"
        assert (await program.post(f"{path}/preview", json=written)).status_code == 200
        headers = {"Idempotency-Key": "k1"}
        made = await program.post(path, json=written, headers=headers)
        again = await program.post(path, json=written, headers=headers)
        assert (made.status_code, made.json()) == (201, again.json())
        taken = await program.post(path, json=written)
        assert (taken.status_code, taken.json()["code"]) == (409, "price_taken")
        bad = await program.post(path, json={**written, "monthly": "-1"})
        assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "monthly")
        gone = await program.post(f"{path}/{made.json()['id']}/withdraw")
        assert gone.status_code == 200
        known = (await program.get(f"{path}/versions", params=KIND)).json()["items"]
        assert known[0]["created_by"].startswith("key_")
        assert known[0]["withdrawn_at"] is not None
        text = (await program.get(f"{path}/export")).text
        line = ",".join([*KIND.values(), *AMOUNTS.values(), start])
        told = await program.post(f"{path}/import?dry_run=true", content=f"{text}{line}\n")
        assert (told.json()["added"], told.json()["unchanged"]) == ([], text.count("\n") - 1)
        told = await program.post(f"{path}/import", content=f"{text}{line}\n")
        assert len(told.json()["added"]) == 1


async def test_the_pages_show_the_list_the_history_and_who(site: Site, operator: Person) -> None:
    async with site.database.system() as session:
        start = await now(session) + timedelta(days=1)
    kind = "/operator/prices/kinds/simulator/US/local"
    async with site.client(operator) as client:
        assert "United States, local" in (await client.get("/operator/prices")).text
        fields = {**WRITTEN, "valid_from": f"{start:%Y-%m-%dT%H:%M}"}
        told = await client.post("/operator/prices", data=fields)
        assert (told.status_code, told.headers["location"]) == (303, kind)
        page = (await client.get(kind)).text
        assert operator.email in page
        assert "Scheduled" in page
        assert "Withdraw this version?" in page
        assert "In force" in page
        effect = await client.post("/operator/prices/preview", data=fields)
        assert effect.status_code == 200
        assert (await client.get("/operator/prices/kinds/acme/US/local")).status_code == 404


# --- What it would have cost ---


async def spend_april(database: Database, person: Person, minutes: int) -> None:
    """One call of a US number in April, when the test's clock shows the 14th of May."""
    async with database.team(person.team_id) as session:
        number = f"num_{person.team_id}"
        await usage.open_meter(session, person.team_id, number_id=number, **KIND)
        for index in range(minutes):
            await usage.reserve_minute(
                session,
                person.team_id,
                number_id=number,
                call_id=f"call_{person.team_id}",
                index=index,
                starts_at=datetime(2026, 4, 10, 9, 0, tzinfo=UTC) + timedelta(minutes=index),
                direction=Direction.INBOUND,
            )
        await usage.settle_call(
            session, person.team_id, call_id=f"call_{person.team_id}", seconds=minutes * 60.0
        )


async def test_the_effect_is_last_months_usage_rated_again_by_team(clocked: Database) -> None:
    """70 minutes: 60 free by time, 10 charged at 0.02, and at 0.0137 with the new version."""
    busy, idle = await new_owner(clocked, "Busy"), await new_owner(clocked, "Idle")
    await spend_april(clocked, busy, 70)
    await spend_april(clocked, idle, 3)
    draft = drafts.read(WRITTEN, zone="UTC", present=NOON)
    async with clocked.system() as session:
        told = await usage.effect_of(session, [draft])
        other = await usage.effect_of(
            session, [drafts.read({**WRITTEN, "number_type": NumberType.MOBILE}, zone="UTC")]
        )
    assert [(t.team_name, t.units, t.before.amount, t.after.amount) for t in told.teams] == [
        ("Busy", 70, "0.20", "0.14"),
        ("Idle", 3, "0.00", "0.00"),
    ]
    assert f"{told.teams[0].month:%Y-%m}" == "2026-04"
    assert (other.touched, other.difference.micros) == ((), 0)
