"""The task "text to the caller": to the other side alone, once, and failing in words (T2, P5)."""

from collections.abc import AsyncIterator

import pytest

from message_fixtures import ANN, BOB, Shop
from offhook import inbox, messages, tasks
from offhook.messages import Message
from offhook.outgoing import Outgoing
from task_fixtures import Talk, means, new_task

LINK = {"text": "Your table: https://example.com/{{code}}", "answer": "I have texted you the link."}
CODE = [{"name": "code", "type": "text"}]


@pytest.fixture
async def calling(shop: Shop) -> AsyncIterator[Talk]:
    """Ann is on the phone."""
    tasks.register(messages.text_kind(lambda: shop.account.sid))
    async with Outgoing(shop.settings) as outgoing:
        runner = tasks.Runner(means(shop.database, shop.settings, outgoing))
        async with shop.database.team(shop.team) as session:
            row = await inbox.open_conversation(
                session,
                shop.team,
                channel=inbox.Channel.CALL,
                number_id=shop.number,
                sender=ANN,
            )
        scope = tasks.Scope(shop.team, shop.agent, row.id, tasks.CALL, shop.number, caller=ANN)
        talk = Talk(runner, scope)
        talk.caller("Can you text me the link?")
        yield talk
        await runner.close()


async def link(shop: Shop) -> None:
    await new_task(
        shop.database,
        shop.team,
        LINK,
        kind="text",
        title="Text the link",
        inputs=CODE,
        agent_id=shop.agent,
    )


async def test_a_text_goes_to_the_caller_and_to_nobody_else(shop: Shop, calling: Talk) -> None:
    await link(shop)
    done = await calling.do("text_the_link", code="4711", to=BOB, number=BOB)
    assert isinstance(done, tasks.Completed)
    assert done.answer == "I have texted you the link."
    await shop.work()
    assert await shop.sent_to(ANN) == ["Your table: https://example.com/4711"]
    assert await shop.sent_to(BOB) == []


@pytest.mark.parametrize("attestation", ["", "failed-A"])
async def test_who_hides_or_shows_a_false_number_is_not_texted(
    shop: Shop, calling: Talk, attestation: str
) -> None:
    await link(shop)
    hidden = Talk(
        calling.runner,
        tasks.Scope(
            shop.team,
            shop.agent,
            "cnv_hidden",
            tasks.CALL,
            shop.number,
            caller=ANN if attestation else "",
            attestation=attestation,
        ),
    )
    hidden.caller("Text me the link.")
    refused = await hidden.propose("text_the_link", code="4711")
    assert isinstance(refused, tasks.Refused)
    await shop.work()
    assert await shop.sent_to(ANN) == []


async def test_somebody_who_opted_out_gets_nothing_and_the_agent_knows(
    shop: Shop, calling: Talk
) -> None:
    await link(shop)
    await shop.text(ANN, "STOP")
    await shop.work()
    before = await shop.sent_to(ANN)
    failed = await calling.do("text_the_link", code="4711")
    assert isinstance(failed, tasks.Failed)
    assert "opted out" in failed.reason
    await shop.work()
    assert await shop.sent_to(ANN) == before
    async with shop.database.team(shop.team) as session:
        assert not [
            each
            for each in await session.scalars(Message.__table__.select())
            if "4711" in str(each)
        ]
