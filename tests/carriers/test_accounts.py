"""Several accounts at one carrier: each sees what is its own; routing is told and put back."""

from collections.abc import AsyncGenerator

import pytest
from application import Application

from offhook.carriers import (
    AccountStatus,
    Callbacks,
    Carriers,
    Network,
    Refused,
    SmsOut,
)
from offhook.carriers.simulator.account import NotSimulated
from offhook.carriers.simulator.server import Simulator
from offhook.phone import E164
from offhook.settings import Settings

PERSON = E164("+12025550142")


@pytest.fixture
async def carriers(settings: Settings, simulator: Simulator) -> AsyncGenerator[Carriers]:
    carriers = Carriers(settings, simulator_url=simulator.url)
    yield carriers
    await carriers.aclose()


async def test_an_account_describes_itself(carriers: Carriers, simulator: Simulator) -> None:
    account = await carriers.simulated_customer(name="Old office", type="Trial", numbers=0)
    carrier = carriers.at(account)
    described = await carrier.describe()
    assert (described.name, described.trial) == ("Old office", True)
    assert await carrier.list_numbers() == []
    await simulator.accounts.change(account.sid, {"status": "suspended"})
    assert (await carrier.describe()).status is AccountStatus.SUSPENDED
    with pytest.raises(Refused) as refused:
        await carrier.list_numbers()
    assert refused.value.signed_out


async def test_where_a_number_reports_is_told_changed_and_put_back(carriers: Carriers) -> None:
    carrier = carriers.at(await carriers.simulated_customer(numbers=1))
    (held,) = await carrier.list_numbers()
    await carrier.route(held.carrier_id, {"voice_application_sid": "AP1"})
    before = await carrier.routing(held.carrier_id)
    assert (before["voice_method"], before["voice_application_sid"]) == ("GET", "AP1")
    ours = Callbacks(voice_url="https://us.example/voice", sms_url="https://us.example/sms")
    set_now = await carrier.configure(held.carrier_id, ours)
    assert set_now.callbacks == ours
    during = await carrier.routing(held.carrier_id)
    assert (during["voice_method"], during["voice_application_sid"]) == ("POST", "")
    for _ in range(2):  # repeating it is harmless
        await carrier.route(held.carrier_id, before)
        assert await carrier.routing(held.carrier_id) == before


async def test_an_accounts_numbers_messages_and_calls_are_nobody_elses(
    carriers: Carriers, simulator: Simulator
) -> None:
    mine, theirs = [carriers.at(await carriers.simulated_customer()) for _ in range(2)]
    (held, *_) = await mine.list_numbers()
    assert held.e164 not in {each.e164 for each in await theirs.list_numbers()}
    assert await carriers.operator.list_numbers() == []
    for stranger in (theirs, carriers.operator):
        for ask in (
            stranger.configure(held.carrier_id, Callbacks()),
            stranger.routing(held.carrier_id),
            stranger.send(SmsOut(held.e164, PERSON, "Hello")),
        ):
            with pytest.raises(Refused):
                await ask
    await mine.send(SmsOut(held.e164, PERSON, "Hello"))
    assert len(await mine.list_numbers()) == 3


async def test_callbacks_are_signed_with_the_accounts_own_token(
    carriers: Carriers, simulator: Simulator, application: Application
) -> None:
    """The application believes the operator's signatures, until it is told of the account."""
    account = await carriers.simulated_customer(numbers=1)
    carrier = carriers.at(account)
    (held,) = await carrier.list_numbers()
    await carrier.configure(held.carrier_id, Callbacks(sms_url=f"{application.url}/sms"))
    await simulator.messages.receive(sender=PERSON, to=held.e164, body="Hi")
    (first,) = await application.wait_for("/sms", 1)
    application.account = account
    await simulator.messages.receive(sender=PERSON, to=held.e164, body="Hi")
    (_, second) = await application.wait_for("/sms", 2)
    assert (first.verified, second.verified) == (False, True)
    assert second.fields["AccountSid"] == account.sid


async def test_an_account_is_made_by_the_operator_only_and_where_one_is_simulated(
    settings: Settings, carriers: Carriers
) -> None:
    given = {"carrier": "twilio", "twilio_account_sid": "AC1", "twilio_auth_token": "x"}
    with pytest.raises(NotSimulated):
        await Carriers(
            Settings.model_validate({"home": settings.home} | given)
        ).simulated_customer()
    customer = await carriers.simulated_customer()
    assert customer.network is Network.SIMULATOR
    assert customer.token not in repr(customer)
