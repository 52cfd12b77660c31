"""Configure, enable, disable, delete and answer on a real database (N1 to N11, C1, S1, SEC7)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from number_fixtures import BY, Stops, make_agent, make_enabled, make_number, make_ready
from offhook import agents, billing, numbers
from offhook.db import Database, EventRow
from offhook.numbers import Answerer, NumberStatus, Reason, Refusal, Service, problems
from offhook.numbers.models import Activity, Number


async def configure(database: Database, team: str, number_id: str, **changes: Any) -> Number:
    async with database.team(team) as session:
        return await numbers.configure(session, team, number_id, BY, **changes)


async def enable(database: Database, team: str, number_id: str) -> Number:
    async with database.team(team) as session:
        return await numbers.enable(session, team, number_id, BY)


async def disable(database: Database, team: str, number_id: str) -> Number:
    async with database.team(team) as session:
        return await numbers.disable(session, team, number_id, BY)


async def answering(
    database: Database, team: str, number_id: str, service: Service = Service.SMS
) -> Reason | str | None:
    """The reason against it, or the name of the agent that answers."""
    async with database.team(team) as session:
        match await numbers.answering(session, team, number_id, service):
            case Answerer(agent=agent):
                return agent.name
            case Refusal(reason=reason):
                return reason
            case None:
                return None


async def events(database: Database, team: str) -> list[str]:
    async with database.team(team) as session:
        names = await session.scalars(select(EventRow.name).order_by(EventRow.position))
        return [name for name in names if name.startswith("number")]


async def actions(database: Database, team: str, number_id: str) -> list[str]:
    async with database.team(team) as session:
        rows = await session.scalars(
            select(Activity.action)
            .where(Activity.number_id == number_id)
            .order_by(Activity.position)
        )
        return list(rows)


async def test_a_new_number_is_disabled_and_names_all_that_is_missing_a6_n5(
    database: Database, team: str
) -> None:
    number_id = await make_number(database, team)
    with pytest.raises(problems.NumberNotReady) as refused:
        await enable(database, team, number_id)
    assert [each["code"] for each in refused.value.details["missing"]] == [
        "name",
        "agent",
        "service",
    ]
    assert "Give the number a name." in refused.value.sentence
    assert await answering(database, team, number_id) is Reason.DISABLED


async def test_enabling_takes_effect_at_once_and_is_told_once_n8(
    database: Database, team: str, agent: str
) -> None:
    number_id = await make_ready(database, team, agent)
    assert await answering(database, team, number_id) is Reason.DISABLED
    for _ in range(2):
        assert (await enable(database, team, number_id)).status == NumberStatus.ENABLED
    assert await answering(database, team, number_id) == "Ada"
    assert await events(database, team) == ["number.enabled"]
    assert await actions(database, team, number_id) == ["configured", "enabled"]


async def test_disabling_stops_at_once_keeps_the_configuration_and_tells_who_has_calls_n9(
    database: Database, team: str, agent: str, stops: Stops
) -> None:
    number_id = await make_enabled(database, team, agent)
    before = (await configure(database, team, number_id)).configuration
    await disable(database, team, number_id)
    number = await disable(database, team, number_id)
    assert number.configuration == before
    assert stops.heard == [(number_id, None)]
    assert await answering(database, team, number_id) is Reason.DISABLED
    assert await events(database, team) == ["number.enabled", "number.disabled"]


async def test_switching_one_service_off_stops_that_one_only(
    database: Database, team: str, agent: str, stops: Stops
) -> None:
    number_id = await make_enabled(database, team, agent)
    await configure(database, team, number_id, calls_enabled=False)
    assert stops.heard == [(number_id, Service.CALLS)]
    assert await answering(database, team, number_id, Service.CALLS) is Reason.SERVICE_OFF
    assert await answering(database, team, number_id) == "Ada"


async def test_the_last_service_of_an_enabled_number_stays_on_n6(
    database: Database, team: str, agent: str
) -> None:
    number_id = await make_enabled(database, team, agent)
    await configure(database, team, number_id, calls_enabled=False)
    with pytest.raises(problems.LastService) as refused:
        await configure(database, team, number_id, sms_enabled=False)
    assert "disable the number first" in refused.value.remedy.lower()
    with pytest.raises(problems.LastService):
        await configure(database, team, number_id, sms_enabled=False, calls_enabled=False)
    assert await answering(database, team, number_id) == "Ada"


async def test_all_refusals_come_together_with_their_fields(database: Database, team: str) -> None:
    number_id = await make_number(database, team, sms=False)
    with pytest.raises(problems.ChangeRefused) as refused:
        await configure(database, team, number_id, name=" ", calls_enabled=True, sms_enabled=True)
    fields = [(each["field"], each["code"]) for each in refused.value.details["errors"]]
    # An empty name is what a new number has: nothing is changed, so nothing is refused.
    assert fields == [("calls_enabled", "agent_first"), ("sms_enabled", "service_not_available")]


async def test_an_agent_of_another_team_is_not_there_n2_sec7(
    database: Database, team: str, other_team: str
) -> None:
    theirs = await make_agent(database, other_team)
    number_id = await make_number(database, team)
    with pytest.raises(agents.AgentNotFound):
        await configure(database, team, number_id, agent_id=theirs)


async def test_an_enabled_number_goes_to_a_live_agent_only_n2(
    database: Database, team: str, agent: str
) -> None:
    number_id = await make_enabled(database, team, agent)
    draft = await make_agent(database, team, live=False)
    with pytest.raises(problems.AgentNotLive):
        await configure(database, team, number_id, agent_id=draft)
    with pytest.raises(problems.AgentNeeded):
        await configure(database, team, number_id, agent_id=None)
    other = await make_agent(database, team)
    assert (await configure(database, team, number_id, agent_id=other)).agent_id == other


async def test_an_agent_is_paused_only_together_with_its_enabled_numbers_n7(
    database: Database, team: str, agent: str, agents_ask: None, stops: Stops
) -> None:
    number_id = await make_enabled(database, team, agent)
    with pytest.raises(agents.AgentInUse) as refused:
        async with database.team(team) as session:
            await agents.pause(session, team, agent)
    assert refused.value.details["numbers"][0]["number_id"] == number_id
    async with database.team(team) as session:
        await agents.pause(session, team, agent, disable_numbers=True)
    assert stops.heard == [(number_id, None)]
    assert await answering(database, team, number_id) is Reason.DISABLED
    assert (await actions(database, team, number_id))[-1] == "disabled"


async def test_enabling_and_pausing_at_once_never_leave_an_enabled_number_without_agent_n7(
    database: Database, team: str, agent: str, agents_ask: None
) -> None:
    number_id = await make_ready(database, team, agent)

    async def pause() -> None:
        async with database.team(team) as session:
            await agents.pause(session, team, agent)

    async def go_live() -> None:
        async with database.team(team) as session:
            await agents.make_live(session, team, agent)

    for _ in range(5):
        await asyncio.gather(enable(database, team, number_id), pause(), return_exceptions=True)
        async with database.team(team) as session:
            number = await numbers.get(session, team, number_id)
            live = await agents.published(session, team, agent) is not None
        assert not (number.status == NumberStatus.ENABLED and not live)
        await disable(database, team, number_id)
        await go_live()


async def test_an_enabled_number_found_without_a_live_agent_says_so_un12(
    database: Database, team: str, agent: str
) -> None:
    number_id = await make_enabled(database, team, agent)
    async with database.team(team) as session:  # nobody asks numbers: the guard is missing
        await agents.pause(session, team, agent)
    assert await answering(database, team, number_id) is Reason.AGENT_NOT_LIVE
    async with database.team(team) as session:
        await agents.delete(session, team, agent)
    assert await answering(database, team, number_id) is Reason.AGENT_NOT_LIVE


async def test_a_deleted_agent_leaves_its_disabled_numbers_and_they_say_what_is_missing(
    database: Database, team: str, agent: str, agents_ask: None
) -> None:
    number_id = await make_ready(database, team, agent)
    async with database.team(team) as session:
        await agents.delete(session, team, agent)
    with pytest.raises(problems.NumberNotReady) as refused:
        await enable(database, team, number_id)
    assert [each["code"] for each in refused.value.details["missing"]] == ["agent"]


async def test_a_suspended_teams_number_does_not_answer_and_comes_back_by_itself_n11(
    database: Database, team: str, agent: str, stops: Stops
) -> None:
    on, off = [await make_enabled(database, team, agent) for _ in range(2)]
    await disable(database, team, off)
    stops.heard.clear()
    billing.when_suspended(numbers.stop_suspended)
    for step in (billing.Step.CHARGE_FAILED, billing.Step.UNPAID):
        async with database.team(team) as session:
            await billing.change_subscription(session, team, step)
    assert stops.heard == [(on, None)]
    assert await answering(database, team, on) is Reason.SUSPENDED
    assert await answering(database, team, off) is Reason.DISABLED
    async with database.team(team) as session:
        await billing.change_subscription(session, team, billing.Step.PAID)
    assert await answering(database, team, on) == "Ada"
    assert await answering(database, team, off) is Reason.DISABLED


async def test_a_deletion_needs_a_disabled_number_and_the_number_typed_again_n10(
    database: Database, team: str, agent: str
) -> None:
    number_id = await make_enabled(database, team, agent)

    async def delete(confirmation: str) -> Number:
        async with database.team(team) as session:
            return await numbers.delete(session, team, number_id, BY, confirmation=confirmation)

    e164 = (await configure(database, team, number_id)).e164
    with pytest.raises(problems.NumberStillEnabled):
        await delete(e164)
    await disable(database, team, number_id)
    for wrong in ("", "yes", e164[:-1], e164[1:]):
        with pytest.raises(problems.ConfirmationWrong):
            await delete(wrong)
    for _ in range(2):
        assert (await delete(e164)).status == NumberStatus.RELEASING
    for refused in (enable, disable, configure):
        with pytest.raises(problems.NumberGone):
            await refused(database, team, number_id)
    assert await answering(database, team, number_id) is Reason.DISABLED
    assert (await actions(database, team, number_id)).count("deleted") == 1


async def test_only_the_present_holder_is_found_by_number_un6(
    database: Database, team: str, other_team: str
) -> None:
    e164 = "+14155559999"
    first = await make_number(database, team, e164=e164)
    async with database.system() as session:
        (await session.get_one(Number, first)).status = NumberStatus.RELEASED
    second = await make_number(database, other_team, e164=e164)
    async with database.system() as session:
        found = await numbers.held(session, e164)
        nobody = await numbers.held(session, "+14155550000")
    assert found is not None
    assert (found.id, found.team_id) == (second, other_team)
    assert nobody is None


async def test_another_teams_number_is_not_there_whatever_is_asked_sec7(
    database: Database, team: str, other_team: str, agent: str
) -> None:
    number_id = await make_enabled(database, team, agent)
    for use in (enable, disable, configure):
        with pytest.raises(problems.NumberNotFound):
            await use(database, other_team, number_id)
    with pytest.raises(problems.NumberNotFound):
        async with database.team(other_team) as session:
            await numbers.delete(session, other_team, number_id, BY, confirmation="x")
    assert await answering(database, other_team, number_id) is None


async def test_parallel_enables_and_disables_alternate_in_what_they_tell_sec23(
    database: Database, team: str, agent: str
) -> None:
    number_id = await make_ready(database, team, agent)
    steps = [enable, disable] * 15
    await asyncio.gather(*(step(database, team, number_id) for step in steps))
    told = await events(database, team)
    assert told == (["number.enabled", "number.disabled"] * len(told))[: len(told)]
    assert told


async def test_activity_keeps_who_and_only_what_changed_sec21(
    database: Database, team: str, agent: str
) -> None:
    number_id = await make_ready(database, team, agent)
    await configure(database, team, number_id, name="Counter", agent_id=agent)
    await configure(database, team, number_id, name="Counter")
    async with database.team(team) as session:
        rows = await session.scalars(
            select(Activity).where(Activity.number_id == number_id).order_by(Activity.position)
        )
        last = rows.all()[-1]
    assert (last.actor_id, last.actor) == (BY.id, BY.label)
    assert (last.before, last.after) == ({"name": "Front desk"}, {"name": "Counter"})
    assert await actions(database, team, number_id) == ["configured", "configured"]
