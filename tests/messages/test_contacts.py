"""Texts and their contacts: spellings, blocks, merges, erasure of all that is kept (CI4, P7)."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from contact_fixtures import join
from message_fixtures import ANN, BOB, Shop
from number_fixtures import make_team
from offhook import contacts, costs, inbox, messages, usage
from offhook.contacts import caller_id, importing
from offhook.contacts.erasing import ErasureNotConfirmed, erase, receipt
from offhook.contacts.exporting import whole
from offhook.contacts.merging import MergeWithItself, merge
from offhook.contacts.models import Contact, ContactNumber
from offhook.costs.models import CostLine
from offhook.db import EventRow
from offhook.messages.sending import RecipientOptedOut
from offhook.phone import E164
from offhook.webhooks import bodies

MEXICAN, SPELLED = "+525587654321", "+5215587654321"


@pytest.fixture(autouse=True)
def rooms() -> None:
    join()


async def contact_of(shop: Shop, number: str) -> str:
    async with shop.database.team(shop.team) as session:
        return (await contacts.on_contact(session, shop.team, E164(number))).id


async def by_hand(shop: Shop, to: str, number: str = "") -> None:
    async with shop.database.team(shop.team) as session:
        await messages.send_by_hand(
            session,
            shop.team,
            number_id=number or shop.number,
            to=to,
            body="Hello",
            country="US",
            account_id=shop.account.sid,
            author="ana@example.com",
        )


async def threads(shop: Shop, contact_id: str) -> list[inbox.Conversation]:
    async with shop.database.team(shop.team) as session:
        query = inbox.listed(shop.team, inbox.Filter(contact_id=contact_id))
        return list(await session.scalars(query))


async def merged(shop: Shop, kept: str, other: str) -> str:
    async with shop.database.team(shop.team) as session:
        return (await merge(session, shop.team, kept, other)).id


async def test_a_stop_in_one_spelling_holds_for_the_other(shop: Shop) -> None:
    """CI4: known as +52 55, texts as +52 1 55; one contact, one thread, one opt-out."""
    await shop.manners(countries=("MX",))
    known = await contact_of(shop, MEXICAN)
    await shop.text(SPELLED, "hola")
    await shop.work()
    assert await shop.sent_to(SPELLED) == ["Re: hola"]  # to where the carrier says it came from
    await shop.text(MEXICAN, "STOP")
    (thread,) = await threads(shop, known)
    assert thread.sender == MEXICAN
    for spelling in (MEXICAN, SPELLED, "+52 1 55 8765 4321"):
        with pytest.raises(RecipientOptedOut):
            await by_hand(shop, spelling)


async def test_a_blocked_sender_is_kept_and_neither_answered_nor_counted(shop: Shop) -> None:
    """P7"""
    async with shop.database.team(shop.team) as session:
        await contacts.block(session, shop.team, E164(ANN), by="usr_1")
    await shop.text(ANN, "hello")
    await shop.text(BOB, "hello")
    await shop.work()
    assert await shop.sent_to(ANN) == []
    assert await shop.said(ANN) == [("caller", "hello", "Not answered: this number is blocked")]
    assert await shop.sent_to(BOB) == ["Re: hello"]
    assert await shop.used() == (2, 0)
    await by_hand(shop, ANN)  # a block silences the agent, not the team


async def test_who_is_blocked_while_the_reply_is_thought_of_gets_none(shop: Shop) -> None:
    shop.model.gate.clear()
    await shop.text(ANN, "hello")
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    async with shop.database.team(shop.team) as session:
        await contacts.block(session, shop.team, E164(ANN), by="usr_1")
    shop.model.gate.set()
    await working
    assert await shop.sent_to(ANN) == []


async def test_a_contact_is_not_merged_with_itself_or_another_teams(shop: Shop) -> None:
    """CI4, SEC7"""
    ann, other = await contact_of(shop, ANN), await make_team(shop.database, "Others")
    async with shop.database.team(other) as session:
        theirs = (await contacts.on_contact(session, other, E164(BOB))).id
    with pytest.raises(MergeWithItself):
        await merged(shop, ann, ann)
    for pair in ((ann, theirs), (theirs, ann)):
        with pytest.raises(contacts.ContactNotFound):
            await merged(shop, *pair)


async def test_merges_at_once_end_in_one_contact_with_all_threads(shop: Shop) -> None:
    """CI4: (x, y) and (y, x), while both text."""
    for remote in (ANN, BOB):
        await shop.text(remote, "hello")
    ann, bob = await contact_of(shop, ANN), await contact_of(shop, BOB)
    left = await asyncio.gather(
        merged(shop, ann, bob),
        merged(shop, bob, ann),
        *(shop.text(remote, f"again {each}") for each in range(3) for remote in (ANN, BOB)),
    )
    assert left[0] == left[1]
    kept = left[0]
    assert {each.sender for each in await threads(shop, kept)} == {ANN, BOB}
    assert {message.contact_id for message in await shop.messages()} == {kept}
    async with shop.database.team(shop.team) as session:
        for old in (ann, bob):  # whoever holds the other's id finds this one
            assert (await contacts.get(session, shop.team, old)).id == kept
        found = await contacts.of(session, shop.team, [ann, bob])
        assert {each.id for each in found.values()} == {kept}
        numbers = await contacts.numbers_of(session, shop.team, kept)
        assert {each.e164 for each in numbers} == {ANN, BOB}
        assert len((await session.scalars(contacts.listed(shop.team))).all()) == 1
    assert await contact_of(shop, BOB) == kept


async def test_an_opt_out_stays_with_its_pair_and_a_block_with_its_number(shop: Shop) -> None:
    """CI4, P7, S4: an opted-out and a blocked contact become parts of a clean one."""
    clean = "+14155550197"
    other_number, _ = await shop.second_number()
    await shop.text(ANN, "STOP")
    async with shop.database.team(shop.team) as session:
        await contacts.block(session, shop.team, E164(BOB), by="usr_1")
    kept = await contact_of(shop, clean)
    for each in (ANN, BOB):
        await merged(shop, kept, await contact_of(shop, each))
    with pytest.raises(RecipientOptedOut):
        await by_hand(shop, ANN)
    await by_hand(shop, ANN, other_number)  # the pair only
    await by_hand(shop, clean)
    async with shop.database.team(shop.team) as session:
        screened = [await contacts.screened(session, shop.team, E164(e)) for e in (ANN, BOB, clean)]
    assert screened == [None, contacts.Screened.BLOCKED, None]


async def test_of_two_values_the_stronger_sources_stays(shop: Shop) -> None:
    ann, bob = await contact_of(shop, ANN), await contact_of(shop, BOB)
    said = {"conversation_id": "cnv_1", "turn_id": "trn_1"}
    async with shop.database.team(shop.team) as session:
        team = shop.team
        await contacts.learn(session, team, ann, "company", "Acme", **said)
        await contacts.learn(session, team, ann, "location", "Paris", **said)
        await contacts.learn(session, team, bob, "job_title", "Baker", **said)
        by_hand = {"company": "ACME Inc.", "location": ""}
        await contacts.set_by_hand(session, team, bob, by_hand, set_by="usr_1")
    await merged(shop, ann, bob)
    async with shop.database.team(shop.team) as session:
        known = await contacts.known(session, shop.team, ann)
    assert {each.key: each.text for each in known.values} == {
        "company": "ACME Inc.",
        "location": "Paris",
        "job_title": "Baker",
    }


CANARIES = ("Zuckerrübe", "Baker-Canary", "rye@canary.example", "likes-canaries")


async def canaries(shop: Shop) -> list[str]:
    """Tables whose rows hold a word or number of the person."""
    async with shop.database.system() as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        found: list[str] = []
        for table in tables.all():
            rows = f"SELECT * FROM {table}"  # noqa: S608 - a name from the catalogue
            if table == "webhook_bodies":
                rows = "SELECT event_id, convert_from(body, 'UTF8') FROM webhook_bodies"
            for word in (*CANARIES, SPELLED, MEXICAN):
                held = await session.scalar(
                    text(f"SELECT count(*) FROM ({rows}) t WHERE t::text LIKE '%{word}%'")  # noqa: S608 - words of this test
                )
                if held:
                    found.append(table)
                    break
        return sorted(found)


async def test_an_erased_contact_leaves_no_word_and_a_receipt(shop: Shop) -> None:
    """P7: nothing of the person is in any table; the ledger's sums stay as they were."""
    await shop.manners(countries=("MX", "US"))
    await shop.text(SPELLED, "Zuckerrübe?")
    await shop.work()
    await shop.text(BOB, "hello")
    ann = await contact_of(shop, MEXICAN)
    async with shop.database.team(shop.team) as session:
        values = {"name": "Ann Baker-Canary", "email": "rye@canary.example"}
        await contacts.set_by_hand(session, shop.team, ann, values, set_by="usr_1")
        await contacts.note(session, shop.team, ann, "likes-canaries")
    used = await shop.used()
    async with shop.database.team(shop.team) as session:
        events = (await session.scalars(select(EventRow.id))).all()
    for event in events:
        await bodies.keep(shop.database, shop.team, event, with_text=True)
    seen = {"contacts", "turns", "messages", "events", "webhook_bodies"}
    assert set(await canaries(shop)) >= seen
    async with shop.database.team(shop.team) as session:
        export = await whole(session, shop.team, ann)
    wanted = {"country": "US", "by": "usr_1"}
    async with shop.database.team(shop.team) as session:
        with pytest.raises(ErasureNotConfirmed):
            await erase(session, shop.team, ann, confirm=BOB, **wanted)
    async with shop.database.team(shop.team) as session:
        made = await erase(session, shop.team, ann, confirm="+52 55 8765 4321", **wanted)
    assert await canaries(shop) == []
    assert made.digest == hashlib.sha256(export).hexdigest()
    assert made.counts["messages"] == 2
    assert (made.counts["conversations"], made.counts["turns"]) == (1, 2)
    assert (made.counts["values"], made.counts["notes"], made.counts["contacts"]) == (2, 1, 1)
    assert await shop.used() == used
    async with shop.database.team(shop.team) as session:
        assert (await receipt(session, shop.team, made.id)).digest == made.digest
        with pytest.raises(contacts.ContactNotFound):
            await contacts.get(session, shop.team, ann)
        shown = (await session.scalars(inbox.listed(shop.team, inbox.Filter()))).all()
        assert [each.sender for each in shown] == [BOB]
        assert await usage.audit(session) == []
    told = json.loads(export)
    assert told["conversations"][0]["turns"][0]["text"] == "Zuckerrübe?"
    assert told["contact"]["name"] == "Ann Baker-Canary"
    await shop.text(SPELLED, "me again")  # a stranger from now on
    assert await contact_of(shop, SPELLED) != ann


async def test_a_promise_about_the_number_outlives_the_contact(shop: Shop) -> None:
    """S4, P7: opt-out and block are kept, and the receipt says so."""
    await shop.text(ANN, "STOP")
    ann = await contact_of(shop, ANN)
    async with shop.database.team(shop.team) as session:
        await contacts.block(session, shop.team, E164(ANN), by="usr_1")
        made = await erase(session, shop.team, ann, confirm=ANN, country="US", by="usr_1")
        assert any("Blocks" in each for each in made.kept)
        assert await contacts.screened(session, shop.team, E164(ANN)) is not None
    with pytest.raises(RecipientOptedOut):
        await by_hand(shop, ANN)


async def test_a_contact_whose_call_goes_on_is_not_erased(shop: Shop) -> None:
    ann = await contact_of(shop, ANN)
    async with shop.database.team(shop.team) as session:
        await inbox.open_conversation(
            session,
            shop.team,
            channel=inbox.Channel.CALL,
            number_id=shop.number,
            sender=ANN,
            contact_id=ann,
            at=datetime.now(UTC),
        )
    async with shop.database.team(shop.team) as session:
        with pytest.raises(contacts.ContactBusy):
            await erase(session, shop.team, ann, confirm=ANN, country="US", by="usr_1")
    async with shop.database.team(shop.team) as session:
        left = (
            select(func.count())
            .select_from(Contact)
            .join(ContactNumber, ContactNumber.contact_id == Contact.id)
        )
        assert await session.scalar(left) == 1


async def test_a_new_contacts_name_is_looked_up_once_and_gives_way(shop: Shop) -> None:
    """P2: source and time with the value; what a person set is not touched."""
    known = "+12025550143"
    jobs = shop.jobs()
    contacts.register_jobs(jobs, shop.settings, shop.database, shop.carriers)
    named = await contact_of(shop, BOB)
    async with shop.database.team(shop.team) as session:
        await contacts.set_by_hand(session, shop.team, named, {"name": "Bobby"}, set_by="usr_1")
    entries = {remote: await shop.carrier.caller_name(E164(remote)) for remote in (known, ANN, BOB)}
    asked = len([each for each in await shop.simulator.log() if each.event == "looked_up"])
    for remote in (known, ANN, known, BOB):
        await shop.text(remote, "hello")
    await jobs.run_due()
    log = [each for each in await shop.simulator.log() if each.event == "looked_up"]
    assert len(log) - asked == 3
    async with shop.database.team(shop.team) as session:
        assert (await contacts.get(session, shop.team, named)).name == "Bobby"
        for remote in (known, ANN):
            found = await contacts.find(session, shop.team, E164(remote))
            assert found is not None
            assert found.name == caller_id.read(entries[remote]).get("name", "")
        months = await session.scalars(
            select(CostLine.amount).where(CostLine.kind == costs.Kind.LOOK_UPS)
        )
        assert months.all() == [3]


async def test_opt_outs_are_imported_for_one_number_or_all(shop: Shop) -> None:
    """P7, S4: honoured at once, in every spelling; again, nothing is news."""
    other, other_e164 = await shop.second_number()
    jobs = shop.jobs()
    contacts.register_jobs(jobs, shop.settings, shop.database, shop.carriers)

    async def take(data: str, **options: str) -> tuple[int, int, int]:
        async with shop.database.team(shop.team) as session:
            file = importing.Upload("opt_outs", "stops.csv", data.encode(), "US", "usr_1")
            row = await importing.upload(session, shop.team, file)
            await importing.start(session, shop.team, row.id, options=options)
        await jobs.run_due()
        async with shop.database.team(shop.team) as session:
            done = await importing.get(session, shop.team, row.id)
            return done.created, done.unchanged, done.refused

    assert await take(f"Phone\n{ANN}\nnobody\n", number_id=other) == (1, 0, 1)
    with pytest.raises(RecipientOptedOut):
        await by_hand(shop, ANN, other)
    await by_hand(shop, ANN)
    assert await take(f"Phone\n{ANN}\n{SPELLED}\n") == (2, 0, 0)
    assert await take(f"Phone\n{ANN}\n{SPELLED}\n") == (0, 2, 0)
    async with shop.database.team(shop.team) as session:
        for ours in (shop.e164, other_e164):
            assert await messages.is_opted_out(session, shop.team, ours=ours, remote=MEXICAN)
