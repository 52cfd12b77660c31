"""The use cases of a number that a team has: configure, enable, disable, delete (N1 to N11).

One transaction each, the caller's. Locks are taken in one order, agent before number, as agents'
own steps do (N7). Buying is in purchase.py; what callers and texters meet is in answer.py.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select

from offhook import agents
from offhook.db import Session, enqueue, for_change, now, publish
from offhook.numbers import activity, problems, rules
from offhook.numbers.activity import By
from offhook.numbers.events import NumberDisabled, NumberEnabled, NumberReleased
from offhook.numbers.models import Number
from offhook.numbers.rules import Configuration, Missing, NumberStatus, Step
from offhook.numbers.stopping import stop
from offhook.phone import E164, international
from offhook.usage import Service

RELEASE_JOB = "numbers.release"
RESTORE_JOB = "numbers.restore"  # of a team's own account: it goes back to whom it was with
FIELDS = tuple(Configuration.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a page shows beside the enable switch (N5)."""

    missing: Sequence[Missing]
    agent: agents.Agent | None

    @property
    def agent_is_live(self) -> bool:
        return self.agent is not None and self.agent.status == agents.AgentStatus.LIVE


async def get(session: Session, team_id: str, number_id: str) -> Number:
    """Any number the team has or had. Raises NumberNotFound."""
    number = await session.scalar(
        select(Number).where(
            Number.team_id == team_id, Number.id == number_id, Number.held_since.is_not(None)
        )
    )
    if number is None:
        raise problems.NumberNotFound(
            f"There is no number {number_id[:40]}.", remedy="See the list under Telephony."
        )
    return number


async def readiness(session: Session, number: Number) -> Readiness:
    agent = await _agent(session, number.team_id, number.agent_id)
    live = agent is not None and agent.status == agents.AgentStatus.LIVE
    return Readiness(rules.missing_to_enable(number.configuration, agent_is_live=live), agent)


async def missing(session: Session, number: Number) -> list[str]:
    """What keeps a number from being enabled, in sentences; empty for one that is."""
    found = (await readiness(session, number)).missing
    if not found and number.status != NumberStatus.ENABLED:
        return ["It is not enabled."]
    return [rules.MISSING_SENTENCES[each] for each in found]


async def configure(
    session: Session, team_id: str, number_id: str, by: By, **changes: Any
) -> Number:
    """Change name, agent, services or recording; takes effect at once, also while enabled.

    Raises a ChangeRefused whose `errors` list every reason (N1, N3, N4, N6, N7), AgentNotFound.
    """
    if "name" in changes:
        changes["name"] = rules.clean_name(changes["name"])
    number = await _lock(session, team_id, number_id, also_agent=changes.get("agent_id"))
    _refuse_gone(number)
    before = number.configuration
    after = replace(before, **changes)
    agent = await _agent(session, team_id, after.agent_id)
    if after.agent_id and after.agent_id != before.agent_id and agent is None:
        raise agents.AgentNotFound(f"There is no agent {after.agent_id[:40]}.")
    _refuse(
        rules.refusals(
            before,
            after,
            status=NumberStatus(number.status),
            supports=number.supports,
            agent_is_live=agent is not None and agent.status == agents.AgentStatus.LIVE,
        )
    )
    if after == before:
        return number
    for name in FIELDS:
        setattr(number, name, getattr(after, name))
    await session.flush()
    await activity.record(
        session, number, by, "configured", before=asdict(before), after=asdict(after)
    )
    for service in Service:
        if before.offers(service) and not after.offers(service):
            await stop(session, number, service)
    return number


async def enable(session: Session, team_id: str, number_id: str, by: By) -> Number:
    """Enable a number (N5, N8). Raises NumberNotReady with every missing thing."""
    number = await _lock(session, team_id, number_id)
    _refuse_gone(number)
    if number.status == NumberStatus.ENABLED:
        return number
    if missing := (await readiness(session, number)).missing:
        raise problems.NumberNotReady(
            f"{_shown(number)} cannot be enabled yet: "
            + " ".join(rules.MISSING_SENTENCES[each] for each in missing),
            remedy="Set what is missing, then enable it.",
            missing=[{"code": each, "sentence": rules.MISSING_SENTENCES[each]} for each in missing],
        )
    _step(number, Step.ENABLE)
    number.enabled_at = await now(session)
    await session.flush()
    await activity.record(session, number, by, "enabled")
    await publish(session, NumberEnabled(team_id=team_id, number_id=number.id, e164=number.e164))
    return number


async def disable(session: Session, team_id: str, number_id: str, by: By) -> Number:
    """Disable at once: live calls end, queued replies are void, configuration stays (N9)."""
    number = await _lock(session, team_id, number_id)
    _refuse_gone(number)
    if number.status == NumberStatus.DISABLED:
        return number
    _step(number, Step.DISABLE)
    await session.flush()
    await activity.record(session, number, by, "disabled")
    await publish(session, NumberDisabled(team_id=team_id, number_id=number.id, e164=number.e164))
    await stop(session, number)
    return number


async def delete(
    session: Session, team_id: str, number_id: str, by: By, *, confirmation: str
) -> Number:
    """Give a disabled number back to the carrier; for good (N10).

    Raises NumberStillEnabled, ConfirmationWrong. It is `releasing` until the carrier confirms.
    """
    number = await _lock(session, team_id, number_id)
    if number.status in {NumberStatus.RELEASING, NumberStatus.RELEASED}:
        return number
    if (NumberStatus(number.status), Step.DELETE) not in rules.NEXT:
        raise problems.NumberStillEnabled(
            f"{_shown(number)} is enabled.", remedy="Disable it first, then delete it."
        )
    if not rules.confirms(confirmation, number.e164):
        raise problems.ConfirmationWrong(
            f"“{confirmation[:40]}” is not {number.e164}.",
            remedy="Type the number exactly, with its country code.",
            errors=[{"field": "confirmation", "sentence": "This is not the number."}],
        )
    _step(number, Step.DELETE)
    await session.flush()
    await activity.record(session, number, by, "deleted")
    job = RESTORE_JOB if number.account_id else RELEASE_JOB
    await enqueue(session, job, lock=number.id, team_id=team_id, number_id=number.id)
    return number


async def confirm_release(
    session: Session,
    team_id: str,
    number_id: str,
    *,
    by: By = activity.SYSTEM,
    left: Sequence[str] = (),
) -> None:
    """The carrier has the number back: it is no longer ours, its history stays.

    `left`: callbacks of a number from a team's own account that were not put back (A7).
    """
    number = await _lock(session, team_id, number_id)
    if number.status != NumberStatus.RELEASING:
        return
    _step(number, Step.CONFIRMED)
    number.released_at = await now(session)
    await session.flush()
    after = {"left": list(left)} if left else None
    await activity.record(session, number, by, "released", after=after)
    await publish(session, NumberReleased(team_id=team_id, number_id=number.id, e164=number.e164))


async def locked(session: Session, team_id: str, number_id: str) -> Number:
    """The number to be changed, locked. Raises NumberNotFound, NumberGone."""
    number = await _lock(session, team_id, number_id)
    _refuse_gone(number)
    return number


async def _lock(
    session: Session, team_id: str, number_id: str, *, also_agent: str | None = None
) -> Number:
    """The number, locked, and before it the agents that the step is about."""
    while True:
        seen = (await get(session, team_id, number_id)).agent_id
        for agent_id in sorted({each for each in (seen, also_agent) if each}):
            await _agent(session, team_id, agent_id, lock=True)
        number = await session.scalar(
            for_change(select(Number).where(Number.team_id == team_id, Number.id == number_id))
        )
        if number is not None and number.agent_id == seen:
            return number


async def _agent(
    session: Session, team_id: str, agent_id: str | None, *, lock: bool = False
) -> agents.Agent | None:
    """The agent as it is now, or None where there is none (any more)."""
    if agent_id is None:
        return None
    try:
        return await agents.get(session, team_id, agent_id, lock=lock)
    except agents.AgentNotFound:
        return None


def _step(number: Number, step: Step) -> None:
    number.status = rules.NEXT[NumberStatus(number.status), step]


def _refuse(found: Sequence[rules.Refusal]) -> None:
    if not found:
        return
    first = found[0]
    raise problems.REFUSED_WITH[first.code](
        first.sentence,
        remedy=first.remedy,
        errors=[
            {"field": each.field, "code": each.code, "sentence": each.sentence} for each in found
        ],
    )


def _refuse_gone(number: Number) -> None:
    if NumberStatus(number.status) not in rules.CONFIGURABLE:
        raise problems.NumberGone(
            f"{_shown(number)} is {number.status}; nothing can be set on it any more.",
            remedy="Its conversations stay in the inbox.",
        )


def _shown(number: Number) -> str:
    return number.name or international(E164(number.e164))
