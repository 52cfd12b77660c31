"""The carrier's questions about a second leg: verified, answered alike twice, lost by no death."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from network import STATUS, Network, network_of, status_form
from office import Office, open_office
from sqlalchemy import select
from stage import ToneSynthesiser

from offhook import inbox
from offhook.calls import service
from offhook.calls.models import MediaNode
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End
from offhook.calls.service import Connected
from offhook.calls.tokens import stream_token
from offhook.calls.transfers import legs, targets
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers.models import Transfer
from offhook.calls.transfers.rules import Failure, TransferState
from offhook.db import Database
from offhook.prices import Money
from offhook.settings import Settings, load
from offhook.speech import VoiceCache

LEG = "CA" + "e" * 32


@pytest.fixture
async def network(settings: Settings, database: Database, tmp_path: Path) -> AsyncIterator[Network]:
    voices = VoiceCache(ToneSynthesiser(), tmp_path / "voice")
    async with network_of(settings, database, voices) as network:
        yield network


class Put:
    """A call that has left its media process, which may have died right then."""

    def __init__(self, network: Network, office: Office, call: Connected) -> None:
        self.network = network
        self.office = office
        self.call = call

    async def stream_ended(self) -> str:
        path = f"/carriers/twilio/stream-ended/{self.call.call_id}"
        answer = await self.network.post(path, self.form("in-progress"))
        assert answer.status_code == 200
        return answer.text

    async def asks(self, what: str, *, sid: str = "", **fields: str) -> str:
        transfer = await self.transfer()
        path = f"/carriers/twilio/transfer/{transfer.id}/{what}"
        state = "" if what == "machine" else "in-progress"
        form = [(n, v) for n, v in status_form(sid or LEG, state) if v]
        answer = await self.network.post(path, [*form, *fields.items()])
        assert answer.status_code == 200, answer.text
        return answer.text

    async def leg_over(self, status: str, *, bridged: bool = False, **more: str) -> str:
        return await self.asks(
            "over", sid=self.call.carrier_call_id, DialCallStatus=status, DialCallSid=LEG,
            DialBridged=str(bridged).lower(), **more,
        )  # fmt: skip

    def form(self, state: str) -> list[tuple[str, str]]:
        return status_form(self.call.carrier_call_id, state)

    async def transfer(self) -> Transfer:
        async with self.office.database.team(self.office.team_id) as session:
            (row,) = await transfers.of_call(session, self.office.team_id, self.call.call_id)
            return row


async def put(
    network: Network, database: Database, *, announced: bool = False, rescue: bool = False
) -> Put:
    office = await open_office(database)
    call = await office.live()
    async with database.team(office.team_id) as session:
        target = await targets.add(
            session, office.team_id, name="Anna", number="+12025550177", ring_s=25,
            announced=announced,
        )  # fmt: skip
        run_id = "" if rescue else "run_1"
        wish = transfers.Wish(target.id, run_id, call.granted, rescue)
        await service.leave(session, office.team_id, call.call_id, wish)
        await service.leave(session, office.team_id, call.call_id, wish)  # asked twice: once
    return Put(network, office, call)


async def test_a_process_that_dies_when_the_call_has_left_loses_nothing(
    network: Network, database: Database
) -> None:
    """C6: its stream is lost, the carrier asks, and the leg is dialled all the same."""
    away = await put(network, database)
    document = await away.stream_ended()
    assert '<Number statusCallback="' in document
    assert 'timeout="25"' in document
    assert f'callerId="{away.office.e164}"' in document
    assert "+12025550177</Number>" in document
    assert await away.stream_ended() == document
    assert (await away.transfer()).state is TransferState.RINGING
    assert (await away.office.call(away.call.call_id)).state is CallState.TRANSFERRED


async def test_the_caller_comes_back_once_however_often_it_is_told(
    network: Network, database: Database
) -> None:
    """The next epoch and a token of its own; a stream of the old one is refused (C7)."""
    away = await put(network, database)
    await away.stream_ended()
    document = await away.leg_over("busy")
    assert f'value="{stream_token(b"s" * 32, away.call.call_id, 2)}"' in document
    assert await away.leg_over("busy") == document
    assert await away.leg_over("completed", bridged=True) == document
    transfer = await away.transfer()
    assert (transfer.state, transfer.failure) == (TransferState.FAILED, Failure.BUSY)
    async with database.system() as session:
        with pytest.raises(service.StreamRefused):
            old = stream_token(b"s" * 32, away.call.call_id, 1)
            await service.connect(session, b"s" * 32, away.call.call_id, old)
    async with database.system() as session:
        new = stream_token(b"s" * 32, away.call.call_id, 2)
        back = await service.connect(session, b"s" * 32, away.call.call_id, new)
    assert back.returned is not None
    assert back.returned.sentence == "The line of Anna was busy."
    assert await away.leg_over("busy") != document  # it is connected: there is nothing to answer
    assert (await away.office.call(away.call.call_id)).state is CallState.LIVE


async def test_without_a_free_line_the_caller_is_told_and_let_go(
    network: Network, database: Database
) -> None:
    """C7."""
    away = await put(network, database)
    await away.stream_ended()
    async with database.system() as session:
        for node in await session.scalars(select(MediaNode)):
            node.capacity = 0
    document = await away.leg_over("no-answer")
    assert ENGLISH.trouble.split("'", maxsplit=1)[0] in document
    assert document.endswith("<Hangup/></Response>")
    assert (await away.office.call(away.call.call_id)).state is CallState.ENDED
    assert await away.office.balance() == (1, 0)


async def test_a_machine_is_hung_up_on_and_its_leg_is_no_transfer(
    network: Network, database: Database
) -> None:
    away = await put(network, database)
    await away.stream_ended()
    await away.asks("answered", ParentCallSid=away.call.carrier_call_id)
    assert (await away.transfer()).state is TransferState.ANSWERED
    await away.asks("machine", AnsweredBy="machine_start")
    await away.asks("machine", AnsweredBy="human")  # late, and of no meaning
    assert "<Connect" in await away.leg_over("completed", bridged=True)
    assert (await away.transfer()).failure is Failure.MACHINE
    assert await away.office.told("call.transferred") == 0


async def test_an_announced_call_is_taken_with_the_key_alone(
    network: Network, database: Database
) -> None:
    away = await put(network, database, announced=True)
    await away.stream_ended()
    parent = {"ParentCallSid": away.call.carrier_call_id}
    assert "Press" not in await away.asks("accept", Digits="9", **parent)
    said = await away.asks("announce", **parent)
    assert "(202) 555-0147" in said
    assert "<Hangup/>" in said
    assert "<Hangup/>" in await away.asks("accept", Digits="2", **parent)
    assert "<Hangup/>" not in await away.asks("accept", Digits="1", **parent)
    assert await away.office.told("call.transferred") == 1
    await away.asks("accept", Digits="1", **parent)
    assert await away.office.told("call.transferred") == 1
    assert "<Hangup/>" in await away.leg_over("completed", bridged=True)
    call = await away.office.call(away.call.call_id)
    assert (call.state, call.reason) == (CallState.ENDED, End.TRANSFER_OVER)


async def test_a_forged_question_and_one_of_another_call_change_nothing(
    network: Network, database: Database
) -> None:
    """SEC1."""
    away = await put(network, database)
    await away.stream_ended()
    transfer = await away.transfer()
    path = f"/carriers/twilio/transfer/{transfer.id}"
    human = [*status_form(LEG, "in-progress"), ("AnsweredBy", "human")]
    for what in ("announce", "accept", "answered", "machine", "over"):
        assert (await network.post(f"{path}/{what}", human, "forged")).status_code == 403
    other = [*status_form(LEG, "in-progress"), ("ParentCallSid", "CA" + "0" * 31 + "f")]
    assert (await network.post(f"{path}/answered", other)).status_code == 404
    over = [*status_form("CA" + "0" * 31 + "f", "in-progress"), ("DialCallStatus", "busy")]
    assert (await network.post(f"{path}/over", over)).status_code == 404
    for odd in ("tfr_none", "a%00b"):
        unknown = f"/carriers/twilio/transfer/{odd}/answered"
        assert (await network.post(unknown, human)).status_code in {403, 404}
    assert (await away.transfer()).state is TransferState.RINGING


async def test_a_call_whose_end_was_asked_for_meanwhile_is_not_put_through(
    network: Network, database: Database
) -> None:
    away = await put(network, database)
    async with database.team(away.office.team_id) as session:
        await service.request_end(
            session, away.office.team_id, away.call.call_id, End.ENDED_BY_PERSON
        )
    assert "<Hangup/>" in await away.stream_ended()
    call = await away.office.call(away.call.call_id)
    assert (call.state, call.reason) == (CallState.ENDED, End.ENDED_BY_PERSON)


async def test_a_late_word_of_the_end_charges_no_minute_more(
    network: Network, database: Database
) -> None:
    """UM7: the carrier's own length bounds ours."""
    away = await put(network, database)
    await away.stream_ended()
    form = [*away.form("completed"), ("CallDuration", "1")]
    await network.post(STATUS, form)
    await network.post(STATUS, form)
    call = await away.office.call(away.call.call_id)
    assert (call.state, call.reason) == (CallState.ENDED, End.CALLER_HUNG_UP)
    assert call.ended_at is not None
    assert (call.ended_at - call.answered_at).total_seconds() <= 1
    assert await away.office.balance() == (1, 0)
    assert (await away.transfer()).failure is Failure.CALLER_GONE


async def test_a_caller_whose_agent_cannot_go_on_is_told_and_a_person_is_needed(
    network: Network, database: Database
) -> None:
    """C9: the carrier's own voice apologises; nobody took the call, so somebody has to call."""
    away = await put(network, database, rescue=True)
    assert "</Say><Dial action=" in await away.stream_ended()
    assert ENGLISH.rescue in await away.stream_ended()
    await away.leg_over("no-answer")
    async with database.team(away.office.team_id) as session:
        thread = await inbox.get(session, away.office.team_id, away.call.conversation_id)
    assert thread.person_needed == "Anna did not answer."


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator charges second legs."""
    monkeypatch.setenv("OFFHOOK_TRANSFER_MINUTE_PRICE", "0.025")
    load.cache_clear()
    yield
    load.cache_clear()


@pytest.mark.parametrize(
    ("status", "told_s", "minutes"),
    [("completed", "61", 2), ("completed", "60", 1), ("busy", "0", 0), ("no-answer", "", 0)],
)
@pytest.mark.usefixtures("priced")
async def test_a_second_leg_that_was_answered_is_priced_by_its_started_minutes(
    network: Network, database: Database, status: str, told_s: str, minutes: int
) -> None:
    """UM9, WT4: never a minute of the limit."""
    away = await put(network, database)
    await away.stream_ended()
    await away.leg_over(status, bridged=status == "completed", DialCallDuration=told_s)
    await away.leg_over(status, bridged=status == "completed", DialCallDuration="600")  # a repeat
    transfer = await away.transfer()
    assert transfer.ended_at is not None
    price = Money.of("0.025")
    assert legs.charge(transfer) == (price * minutes if minutes else None)
    later = transfer.ended_at + timedelta(seconds=1)
    async with database.team(away.office.team_id) as session:
        found = await legs.legs_of(session, away.office.team_id, transfer.ended_at, later)
        none = await legs.legs_of(session, away.office.team_id, later, later + timedelta(days=40))
    assert [(leg.minutes, leg.price, leg.number_id) for leg in found] == (
        [(minutes, price, away.office.number_id)] if minutes else []
    )
    assert none == []
    assert sum(await away.office.balance()) == 1


async def test_without_a_price_a_leg_is_the_operators_cost(
    network: Network, database: Database
) -> None:
    away = await put(network, database)
    await away.stream_ended()
    await away.leg_over("completed", bridged=True, DialCallDuration="61")
    transfer = await away.transfer()
    assert (transfer.minutes, legs.charge(transfer)) == (2, None)
