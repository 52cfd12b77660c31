"""From a published event to a receiver: what a receiver can rely on (W1 to W10, WT1, WT2)."""

import asyncio
import re
from contextlib import suppress
from datetime import timedelta

import pytest
from hook_receiver import Request, answer, receiver, verified
from sqlalchemy import func, select, update
from webhook_desk import Baked, Clock, Desk

from offhook import teams, webhooks
from offhook.db import EventRow, Session, publish, seal
from offhook.vault import Key, Vault
from offhook.webhooks import endpoints, replaying, rules
from offhook.webhooks.claiming import claim
from offhook.webhooks.dispatcher import UNSIGNED, send
from offhook.webhooks.models import Body, Delivery, Secret
from offhook.webhooks.recording import record
from offhook.webhooks.rules import DeliveryState, EndpointState


async def test_an_event_reaches_its_endpoint_signed_w2_w4_w5(desk: Desk) -> None:
    async with receiver() as there:
        _, secret = await desk.endpoint(there.url)
        (event,) = await desk.bake()
        await desk.dispatcher.run_due()
    (request,) = there.received(secret)
    assert re.fullmatch(r"msg_[0-9a-hjkmnp-tv-z]{26}", request.id)
    assert request.id == event.id
    assert request.path == "/hooks"
    assert request.json["type"] == "bread.baked"
    assert request.json["data"] == {
        "team_id": desk.team,
        "conversation_id": None,
        "loaves": 0,
        "name": "",
    }
    (delivery,) = await desk.deliveries()
    assert delivery.state is DeliveryState.DELIVERED
    (attempt,) = await desk.attempts()
    assert (attempt.number, attempt.status, attempt.answer) == (1, 204, "")


async def test_a_transaction_that_is_rolled_back_tells_nothing_w1(desk: Desk) -> None:
    async with receiver() as there:
        await desk.endpoint(there.url)
        with suppress(ZeroDivisionError):
            async with desk.database.team(desk.team) as session:
                await publish(session, Baked(team_id=desk.team))
                raise ZeroDivisionError
        await desk.dispatcher.run_due()
        assert there.requests == []
    async with desk.database.team(desk.team) as session:
        assert await session.scalar(select(func.count()).select_from(EventRow)) == 0


async def test_without_an_endpoint_nothing_is_kept(desk: Desk) -> None:
    await desk.bake(3)
    async with desk.database.system() as session:
        assert await session.scalar(select(func.count()).select_from(Body)) == 0
    assert await desk.deliveries() == []


async def test_an_endpoint_gets_the_events_that_it_chose(desk: Desk) -> None:
    async with receiver() as all_of_them, receiver() as others:
        _, secret = await desk.endpoint(all_of_them.url)
        await desk.endpoint(others.url, events=["message.received", "number.enabled"])
        await desk.bake()
        await desk.dispatcher.run_due()
        assert len(all_of_them.received(secret)) == 1
        assert others.requests == []


async def test_a_secret_that_cannot_be_read_stops_its_endpoint_alone(desk: Desk) -> None:
    """As after a restore without its keys: no unsigned delivery, and the attempt says why."""
    async with receiver() as good, receiver() as lost:
        _, secret = await desk.endpoint(good.url)
        endpoint, _ = await desk.endpoint(lost.url)
        async with desk.database.system() as session:
            row = await session.scalar(select(Secret).where(Secret.endpoint_id == endpoint.id))
            assert row is not None
            row.secret = seal(Vault([Key("elsewhere", bytes(32))]), row, "secret", b"whsec_other")
        await desk.bake()
        await desk.dispatcher.run_due()
        assert len(good.received(secret)) == 1
        assert lost.requests == []
        [failed] = [each for each in await desk.attempts() if each.error]
    assert failed.error == UNSIGNED


async def test_each_endpoint_gets_the_same_id_and_its_own_signature_w2(desk: Desk) -> None:
    async with receiver() as one, receiver() as two:
        _, first = await desk.endpoint(one.url)
        _, second = await desk.endpoint(two.url)
        await desk.bake()
        await desk.dispatcher.run_due()
        (a,), (b,) = one.received(first), two.received(second)
    assert (a.id, a.body) == (b.id, b.body)
    assert a.headers["webhook-signature"] != b.headers["webhook-signature"]


async def test_another_teams_events_stay_there_sec7(desk: Desk) -> None:
    async with receiver() as there:
        await desk.endpoint(there.url)
        async with desk.database.system() as session:
            other, _ = await teams.create_team(
                session, name="Rye", email="rye@example.com", password="correct horse battery"
            )
            await publish(session, Baked(team_id=other.id))
        await desk.dispatcher.run_due()
        assert there.requests == []


async def test_the_sequence_of_a_conversation_has_no_gap_w3(desk: Desk) -> None:
    async with receiver() as there:
        _, secret = await desk.endpoint(there.url)
        for _ in range(5):
            await desk.publish(
                Baked(team_id=desk.team, conversation_id="cnv_1"),
                Baked(team_id=desk.team, conversation_id="cnv_2"),
            )
        await desk.dispatcher.run_due()
        told = [request.json for request in there.received(secret)]
    for conversation in ("cnv_1", "cnv_2"):
        numbers = [
            each["sequence"] for each in told if each["data"]["conversation_id"] == conversation
        ]
        assert sorted(numbers) == [1, 2, 3, 4, 5]
    assert all(each["timestamp"].endswith("Z") for each in told)


NAME = 'Zoë "O\'Néill" 🥐 \u2028</script>'


async def test_bytes_are_identical_on_retry_and_replay_wt1(
    clocked_desk: Desk, clock: Clock
) -> None:
    desk = clocked_desk
    async with receiver(answer(500), answer(500), answer(500), answer(204)) as there:
        _, secret = await desk.endpoint(there.url)
        await desk.bake(name=NAME)
        for _ in range(4):
            await desk.dispatcher.run_due()
            clock.advance(hours=3)
        (delivery,) = await desk.deliveries()
        assert delivery.state is DeliveryState.DELIVERED
        async with desk.database.team(desk.team) as session:
            await session.execute(
                update(EventRow).where(EventRow.id == delivery.event_id).values(payload={})
            )
            await replaying.delivery(session, desk.team, delivery.id)
        await desk.dispatcher.run_due()
        requests = there.received(secret)
    assert len(requests) == 5
    assert len({request.body for request in requests}) == 1
    assert len({request.id for request in requests}) == 1
    assert requests[0].json["data"]["name"] == NAME
    assert NAME.encode() not in requests[0].body  # the quotes are escaped,
    assert "🥐 \u2028</script>".encode() in requests[0].body  # the rest is plain UTF-8


async def test_ten_attempts_then_it_has_failed_w7(clocked_desk: Desk, clock: Clock) -> None:
    desk = clocked_desk
    async with receiver(answer(503)) as there:
        await desk.endpoint(there.url)
        await desk.bake()
        for _ in range(22):
            await desk.dispatcher.run_due()
            clock.advance(hours=6)
        assert len(there.requests) == rules.ATTEMPTS
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.tries) == (DeliveryState.FAILED, 10)
    assert [each.number for each in await desk.attempts()] == list(range(1, 11))


ASKED = [
    (["Retry-After: 9999999999"], timedelta(hours=24)),
    (["Retry-After: 1" + "0" * 400], timedelta(hours=24)),
    (["Retry-After: -1"], None),
    (["Retry-After: 0"], None),
    (["Retry-After: 1e9"], None),
    (["Retry-After: NaN"], None),
    (["Retry-After: soon"], None),
    (["Retry-After: "], None),
    (["Retry-After: 60", "Retry-After: 300"], timedelta(seconds=300)),
    (["Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"], None),
    (["Retry-After: Wed, 21 Oct 2099 07:28:00 GMT"], timedelta(hours=24)),
    (["Retry-After: 300"], timedelta(seconds=300)),
]


@pytest.mark.parametrize(("headers", "asked"), ASKED)
async def test_retry_after_is_honoured_up_to_a_day_wt2(
    clocked_desk: Desk, clock: Clock, headers: list[str], asked: timedelta | None
) -> None:
    desk = clocked_desk
    async with receiver(answer(429, b"", *headers)) as there:
        await desk.endpoint(there.url)
        await desk.bake()
        await desk.dispatcher.run_due()
        assert len(there.requests) == 1
    (delivery,) = await desk.deliveries()
    assert delivery.next_at is not None
    wait = delivery.next_at - clock()
    own = timedelta(seconds=5)
    if asked is None:
        assert own * 0.8 <= wait <= own * 1.2
    else:
        assert asked <= wait <= asked * 1.2


async def test_410_switches_off_at_once_whatever_it_asks_w10_w14_wt2(desk: Desk) -> None:
    told: list[str] = []

    async def switched_off(_: Session, endpoint: webhooks.Endpoint) -> None:
        told.append(endpoint.id)

    webhooks.when_switched_off(switched_off)
    async with receiver(answer(410, b"", "Retry-After: 5")) as gone, receiver() as other:
        endpoint, _ = await desk.endpoint(gone.url)
        _, secret = await desk.endpoint(other.url)
        await desk.bake()
        await desk.dispatcher.run_due()
        await desk.bake()
        await desk.dispatcher.run_due()
        assert len(gone.requests) == 1
        assert len(other.received(secret)) == 2
    assert told == [endpoint.id]
    assert (await desk.get(endpoint.id)).state is EndpointState.GONE
    states = {row.state for row in await desk.deliveries() if row.endpoint_id == endpoint.id}
    assert states == {DeliveryState.STOPPED}


async def test_five_days_of_failures_switch_off_and_one_success_clears_w10(
    clocked_desk: Desk, clock: Clock
) -> None:
    desk, status = clocked_desk, 500

    async def as_told(request: Request, writer: asyncio.StreamWriter) -> None:
        await answer(status)(request, writer)

    async def day() -> EndpointState:
        await desk.bake()
        await desk.dispatcher.run_due()
        clock.advance(hours=24)
        return (await desk.get(endpoint.id)).state

    async with receiver(as_told) as there:
        endpoint, _ = await desk.endpoint(there.url)
        assert [await day() for _ in range(5)] == [EndpointState.ON] * 5
        status = 204
        assert await day() is EndpointState.ON
        assert (await desk.get(endpoint.id)).failing_since is None
        status = 500
        assert [await day() for _ in range(5)] == [EndpointState.ON] * 5
        assert await day() is EndpointState.FAILING
        count = len(there.requests)
        await day()
        assert len(there.requests) == count
    assert DeliveryState.PENDING not in {row.state for row in await desk.deliveries()}


async def test_at_most_four_at_once_to_one_endpoint_w9(desk: Desk) -> None:
    four = asyncio.Event()

    async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
        if there.at_once == rules.AT_ONCE:
            four.set()
        await four.wait()
        await asyncio.sleep(0.05)  # a fifth would be here by then
        await answer(204)(request, writer)

    async with receiver(slow) as there:
        _, secret = await desk.endpoint(there.url)
        await desk.bake(30)
        await desk.dispatcher.run_due()
        assert len(there.received(secret)) == 30
    assert there.most_at_once == rules.AT_ONCE


async def test_rotation_both_secrets_sign_for_a_day_w6(clocked_desk: Desk, clock: Clock) -> None:
    desk = clocked_desk
    async with receiver() as there:
        endpoint, first = await desk.endpoint(there.url)
        async with desk.database.team(desk.team) as session:
            second = await endpoints.rotate(session, desk.vault, desk.team, endpoint.id)
        await desk.bake()
        await desk.dispatcher.run_due()
        verified(there.requests[0], first)
        verified(there.requests[0], second)
        clock.advance(hours=24, seconds=1)
        await desk.bake()
        await desk.dispatcher.run_due()
        verified(there.requests[1], second)
        with pytest.raises(Exception, match="No matching signature"):
            verified(there.requests[1], first)


async def test_an_old_secret_is_revoked_at_once_w6(desk: Desk) -> None:
    async with receiver() as there:
        endpoint, first = await desk.endpoint(there.url)
        async with desk.database.team(desk.team) as session:
            second = await endpoints.rotate(session, desk.vault, desk.team, endpoint.id)
            old = (await endpoints.secrets(session, desk.team, endpoint.id))[-1]
            await endpoints.revoke(session, desk.team, endpoint.id, old.id)
        await desk.bake()
        await desk.dispatcher.run_due()
        verified(there.requests[0], second)
        with pytest.raises(Exception, match="No matching signature"):
            verified(there.requests[0], first)


async def test_switching_off_stops_what_waits_w14(clocked_desk: Desk, clock: Clock) -> None:
    desk = clocked_desk
    async with receiver(answer(500), answer(204)) as there:
        endpoint, _ = await desk.endpoint(there.url)
        await desk.bake()
        await desk.dispatcher.run_due()
        async with desk.database.team(desk.team) as session:
            await endpoints.switch_off_by_hand(session, desk.team, endpoint.id)
        clock.advance(hours=1)
        await desk.dispatcher.run_due()
        assert len(there.requests) == 1
    (delivery,) = await desk.deliveries()
    assert delivery.state is DeliveryState.STOPPED


async def test_removing_an_endpoint_stops_what_waits_and_forgets_its_secret_w14(
    clocked_desk: Desk, clock: Clock
) -> None:
    desk = clocked_desk
    async with receiver(answer(500), answer(204)) as there:
        endpoint, _ = await desk.endpoint(there.url)
        await desk.bake()
        await desk.dispatcher.run_due()
        async with desk.database.team(desk.team) as session:
            await endpoints.remove(session, desk.team, endpoint.id)
            assert await endpoints.listed(session, desk.team) == []
            assert await endpoints.secrets(session, desk.team, endpoint.id) == []
        clock.advance(hours=1)
        await desk.bake()
        await desk.dispatcher.run_due()
        assert len(there.requests) == 1


async def test_a_test_reaches_its_endpoint_alone(desk: Desk) -> None:
    async with receiver() as one, receiver() as other:
        endpoint, secret = await desk.endpoint(one.url, events=["message.received"])
        await desk.endpoint(other.url)
        async with desk.database.team(desk.team) as session:
            event_id = await endpoints.send_test(session, desk.team, endpoint.id)
        await desk.dispatcher.run_due()
        (request,) = one.received(secret)
        assert other.requests == []
    assert (request.id, request.json["type"]) == (event_id, "webhook.test")
    assert request.json["data"]["endpoint_id"] == endpoint.id


async def test_a_lease_that_ran_out_is_taken_up_and_its_sleeper_does_no_harm_wt5(
    clocked_desk: Desk, clock: Clock
) -> None:
    desk = clocked_desk
    async with receiver(answer(204), answer(500)) as there:
        await desk.endpoint(there.url)
        await desk.bake()
        async with desk.database.system() as session:
            (asleep,) = await claim(session, desk.vault, failing=False, busy=(), room=9)
        await desk.dispatcher.run_due()
        assert there.requests == []  # another's for a minute
        clock.advance(seconds=61)
        await desk.dispatcher.run_due()
        assert len(there.requests) == 1
        late = await send(desk.outgoing, asleep, asleep.body or b"")
        assert late.status == 500
        async with desk.database.system() as session:
            await record(session, [late])
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)
    async with desk.database.system() as session:
        assert await session.scalar(select(func.max(Delivery.tries))) == 0
