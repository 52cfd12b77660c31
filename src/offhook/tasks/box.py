"""The toolbox of a real conversation: proposals, read-backs, yeses, results. Implements `Toolbox`.

Whatever a brain asks is decided here again (SEC9): the task is one of this agent's on this channel,
the inputs are of their types, budgets and the caller's standing allow it (T4, SEC10), a side effect
was read back, heard and said yes to in a later turn (T1), and an intent that ran before is named
(T3). Between replies everything is in the database.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from offhook.db import Session, new_id, now, touch
from offhook.failpoints import failpoint
from offhook.masking import masked
from offhook.tasks import consent, kinds, proving, records, rules, service, templating
from offhook.tasks import inputs as typed
from offhook.tasks.models import Task, TaskRun
from offhook.tasks.rules import Effect, RunState, RunStep, Verdict
from offhook.tasks.running import BEGIN_LEASE, Runner
from offhook.tasks.scope import Scope, Turn
from offhook.tasks.toolbox import (
    Completed,
    Failed,
    HandingOver,
    Incomplete,
    News,
    Offer,
    Refused,
    Step,
    Unconfirmed,
)

BUDGET_OF = timedelta(days=1)
NO_SUCH_TASK = Refused("There is no such task.")
NOT_ALLOWED = Refused("I cannot do that for this number.")
NOT_PROVEN = Refused("I cannot do that without making sure who I am speaking to.")
NOTHING_PROPOSED = Refused("There is nothing to confirm.")
NOT_ANSWERED = Refused("They have not answered the read-back yet.")
NOT_HEARD = Refused("The read-back was not heard: say it, and ask for a yes.")
NO_YES = Refused("They did not say yes. Ask again, change what is to be changed, or drop it.")


@dataclass(frozen=True, slots=True)
class Offered:
    """A task that this agent may do here."""

    task: Task
    offer: Offer
    effect: Effect


class RunLog(Protocol):
    """Where the runs of one conversation are kept: the database, or a rehearsal."""

    async def hold(self, session: Session) -> None:
        """One at a time proposes and confirms, until the transaction ends."""
        ...

    async def add(self, session: Session, run: TaskRun) -> None: ...

    async def proposed(self, session: Session) -> TaskRun | None:
        """What is proposed in the conversation."""
        ...

    async def under_way(self, session: Session) -> Sequence[TaskRun]: ...

    async def untold(self, session: Session) -> Sequence[TaskRun]:
        """Runs that are over and whose result the other side has not heard, oldest first."""
        ...

    async def since(self, session: Session, moment: datetime) -> Sequence[TaskRun]:
        """What was proposed since `moment`, for the budgets."""
        ...

    async def earlier(self, session: Session, wanted: str) -> TaskRun | None:
        """The last run of the same intent that was done, is being done, or may have been (T3)."""
        ...

    async def told(self, session: Session, run_ids: Sequence[str]) -> None: ...


async def open_toolbox(runner: Runner, scope: Scope, turns: Sequence[Turn]) -> "ConversationTools":
    """The toolbox for one reply. `turns`: what was heard and delivered so far, in order."""
    offered = await offered_in(runner, scope)
    return ConversationTools(runner, scope, turns, offered, records.KeptRuns(scope))


async def offered_in(runner: Runner, scope: Scope) -> list[Offered]:
    """What the scope's agent may do on its channel (T4)."""
    async with runner.database.team(scope.team_id) as session:
        tasks = await service.of_agent(session, scope.team_id, scope.agent_id, scope.channel)
    known = {kind.name for kind in kinds.registered()}
    return [_offered(task, scope) for task in tasks if task.kind in known]


class ConversationTools:
    """Implements `Toolbox` for one reply of one conversation."""

    def __init__(
        self,
        runner: Runner,
        scope: Scope,
        turns: Sequence[Turn],
        offered: Sequence[Offered],
        runs: RunLog,
    ) -> None:
        self._runner = runner
        self._scope = scope
        self._turns = turns
        self._offered = offered
        self._runs = runs

    @property
    def offers(self) -> Sequence[Offer]:
        return [each.offer for each in self._offered]

    async def current(self) -> Incomplete | Unconfirmed | None:
        async with self._runner.database.team(self._scope.team_id) as session:
            run = await self._runs.proposed(session)
            offered = self._find(run.task_id) if run is not None else None
            if run is None or offered is None:
                return None
            checked = typed.check(offered.offer.inputs, run.inputs, self._scope.country)
            if checked.ask is not None:
                return Incomplete(offered.offer, checked.values, checked.ask, checked.problems)
            if offered.task.by_code and not await self._is_proven(session):
                return Incomplete(offered.offer, checked.values, proving.INPUT)
            return Unconfirmed(offered.offer, run.inputs, run.readback)

    async def running(self) -> Sequence[Offer]:
        async with self._runner.database.team(self._scope.team_id) as session:
            rows = await self._runs.under_way(session)
        return [self._offer_of(run) for run in rows]

    async def news(self) -> Sequence[News]:
        async with self._runner.database.team(self._scope.team_id) as session:
            rows = await self._runs.untold(session)
        return [
            News(step, run.ended_at)
            for run in rows
            if run.ended_at is not None
            and isinstance(step := self._step_of(run), Completed | Failed)
        ]

    async def told(self, run_ids: Sequence[str]) -> None:
        if not run_ids:
            return
        async with self._runner.database.team(self._scope.team_id) as session:
            await self._runs.told(session, run_ids)

    async def propose(self, task: str, inputs: Mapping[str, Any]) -> Step:
        offered = self._find(task)
        if offered is None:
            return NO_SUCH_TASK
        async with self._runner.database.team(self._scope.team_id) as session:
            await self._runs.hold(session)
            run = await self._runs.proposed(session)
            if run is not None and run.task_id != offered.task.id:
                await records.drop(session, run)
                run = None
            step = await self._propose(session, offered, run, inputs)
        return await self._done(step) if isinstance(step, TaskRun) else step

    async def confirm(self) -> Step:
        async with self._runner.database.team(self._scope.team_id) as session:
            await self._runs.hold(session)
            run = await self._runs.proposed(session)
            offered = self._find(run.task_id) if run is not None else None
            if run is None or offered is None or not run.readback:
                return NOTHING_PROPOSED
            if run.revision != offered.task.revision:
                step = await self._propose(session, offered, run, {})
            else:
                step = (
                    self._heard_yes(run)
                    or await self._allowed(session, offered, run.inputs)
                    or await self._unproven(session, offered, run.inputs)
                )
                if step is None:
                    await self._confirmed(session, run, offered)
        failpoint("tasks.confirmed")
        if isinstance(step, TaskRun):
            return await self._done(step)
        return await self._done(run) if step is None else step

    async def drop(self) -> None:
        async with self._runner.database.team(self._scope.team_id) as session:
            await self._runs.hold(session)
            run = await self._runs.proposed(session)
            if run is not None:
                await records.drop(session, run)

    # --- deciding, in the transaction that holds the conversation ---

    async def _propose(
        self, session: Session, offered: Offered, run: TaskRun | None, given: Mapping[str, Any]
    ) -> Step | TaskRun:
        """The next step, or the run that is now confirmed and to be done."""
        told = {name: value for name, value in given.items() if name != proving.INPUT.name}
        before = run.inputs if run is not None else {}
        checked = typed.check(offered.offer.inputs, {**before, **told}, self._scope.country)
        if (no := await self._allowed(session, offered, checked.values)) is not None:
            if run is not None:
                await records.drop(session, run)
            return no
        if checked.ask is not None:
            wanting = Incomplete(offered.offer, checked.values, checked.ask, checked.problems)
        else:
            wanting = await self._unproven(session, offered, checked.values)
        if wanting is not None:
            await self._keep(session, offered, run, checked.values)
            return wanting
        unchanged = (
            run is not None
            and run.readback
            and run.inputs == checked.values
            and run.revision == offered.task.revision
        )
        if run is not None and unchanged:
            return Unconfirmed(offered.offer, run.inputs, run.readback)
        run = await self._keep(session, offered, run, checked.values)
        order = service.order_of(run, service.definition_of(offered.task), self._scope)
        against = await kinds.kind(run.kind).examine(session, order)
        if against:
            return self._against(offered, run, against)
        earlier = await self._runs.earlier(session, run.digest)
        again = earlier is not None and offered.effect is not Effect.READ
        if not offered.offer.confirm and not again:
            await self._confirmed(session, run, offered)
            return run
        run.readback = await self._readback(session, offered, order, earlier if again else None)
        await session.flush()
        return Unconfirmed(offered.offer, run.inputs, run.readback)

    async def _allowed(
        self, session: Session, offered: Offered, values: Mapping[str, Any]
    ) -> Refused | None:
        """What the standing of the number or a budget has against it (SEC10, T4)."""
        task, effect, inputs = offered.task, offered.effect, offered.offer.inputs
        proven = task.by_code or any(each.proof and each.required for each in inputs)
        held = self._scope.trust
        if rules.verdict(held, effect, personal=task.personal, proven=proven) is Verdict.DENY:
            return NOT_PROVEN if task.personal else NOT_ALLOWED
        recent = await self._runs.since(session, await now(session) - BUDGET_OF)
        ran = [run for run in recent if run.confirmed_at is not None]
        reaching = {each.task.id for each in self._offered if each.effect is Effect.REACH_OUT}
        same = [run for run in ran if run.task_id == task.id]
        money = sum(typed.money(inputs, each) for each in (values, *(run.inputs for run in same)))
        sentence = rules.over_budget(
            of_task=len(same),
            of_all=len(ran),
            reaching=sum(run.task_id in reaching for run in ran),
            proposed=len(recent),
            max_runs=task.max_runs,
            effect=effect,
            total=rules.Total(money, task.max_money),
        )
        return Refused(sentence) if sentence else None

    async def _unproven(
        self, session: Session, offered: Offered, values: Mapping[str, Any]
    ) -> Incomplete | Refused | None:
        """None where no code is asked for, or it was told; else it is asked for now (SEC10)."""
        if not offered.task.by_code:
            return None
        standing = await proving.prove(session, self._scope, self._turns)
        if standing.proven:
            return None
        if not standing.can_be:
            return Refused(standing.sentence)
        problems = {proving.INPUT.name: standing.sentence} if standing.sentence else {}
        return Incomplete(offered.offer, values, proving.INPUT, problems)

    async def _is_proven(self, session: Session) -> bool:
        """Whether the code was told that was texted to the other side."""
        return await proving.is_proven(session, self._scope)

    def _heard_yes(self, run: TaskRun) -> Refused | None:
        """None if the read-back was heard and the turns to be answered say yes to it (T1)."""
        since = [turn for turn in self._turns if turn.position > run.proposed_turn]
        spoken = [turn for turn in since if not turn.by_caller]
        # Of a card number both may hold its end alone.
        if not consent.was_said(masked(run.readback), [masked(turn.text) for turn in spoken]):
            return NOT_HEARD
        last = max(turn.position for turn in spoken)
        answer = " ".join(turn.text for turn in since if turn.by_caller and turn.position > last)
        if not answer.strip():
            return NOT_ANSWERED
        return None if consent.affirms(answer, self._scope.language, run.readback) else NO_YES

    async def _confirmed(self, session: Session, run: TaskRun, offered: Offered) -> None:
        instant = await now(session)
        run.state = rules.NEXT[run.state, RunStep.CONFIRM]
        run.confirmed_at = instant
        run.confirmed_turn = self._position
        run.lease_until = instant + BEGIN_LEASE
        run.definition = service.definition_of(offered.task)
        await session.flush()
        await touch(session, run.team_id, records.topic(run.conversation_id))

    async def _keep(
        self,
        session: Session,
        offered: Offered,
        run: TaskRun | None,
        values: Mapping[str, Any],
    ) -> TaskRun:
        """The conversation's one proposal, with these inputs; what was read back counts no more."""
        task, scope = offered.task, self._scope
        if run is None:
            run = TaskRun(
                id=new_id("run"),
                team_id=scope.team_id,
                task_id=task.id,
                task_name=task.name,
                title=task.title,
                kind=task.kind,
                conversation_id=scope.conversation_id,
                channel=scope.channel,
                agent_id=scope.agent_id,
                scope=scope.to_json(),
                state=RunState.PROPOSED,
                proposed_at=await now(session),
            )
            await self._runs.add(session, run)
        run.inputs = dict(values)
        run.digest = records.digest(task.id, values)
        run.revision = task.revision
        run.readback = ""
        run.proposed_turn = self._position
        await session.flush()
        return run

    def _against(self, offered: Offered, run: TaskRun, against: Mapping[str, str]) -> Step:
        """What the kind itself has against the inputs: that input is asked for again."""
        wrong = next((each for each in offered.offer.inputs if each.name in against), None)
        if wrong is None:
            return Refused(next(iter(against.values())))
        run.inputs = {name: value for name, value in run.inputs.items() if name not in against}
        return Incomplete(offered.offer, run.inputs, wrong, dict(against))

    async def _readback(
        self, session: Session, offered: Offered, order: kinds.Order, earlier: TaskRun | None
    ) -> str:
        zone = ZoneInfo(self._scope.timezone)
        instant = (await now(session)).astimezone(zone)
        said = typed.spoken(order.inputs, offered.offer.inputs, instant.date())
        own = kinds.kind(offered.task.kind).readback
        if offered.task.readback:
            sentence = templating.text(offered.task.readback, lambda name: said.get(name, ""))
        elif own is not None:
            sentence = own(order)
        else:
            listed = [
                f"{typed.label(each).capitalize()}: {said[each.name]}."
                for each in offered.offer.inputs
                if each.name in said
            ]
            sentence = " ".join([f"{offered.task.title}.", *listed])
        if not sentence.rstrip().endswith("?"):
            sentence = f"{sentence.rstrip().rstrip('.')}. Is that right?"
        if earlier is None:
            return sentence
        if earlier.confirmed_at is None or earlier.state in rules.UNDER_WAY:
            return f"That is being done already. Once more: {sentence}"
        then = earlier.confirmed_at.astimezone(zone)
        day = "" if then.date() == instant.date() else f" on {then.day} {then:%B}"
        done = "did" if earlier.state is RunState.COMPLETED else "tried"
        return f"I {done} that already{day} at {then:%H:%M}. Once more: {sentence}"

    # --- running ---

    async def _done(self, run: TaskRun) -> Step:
        """Do it. Being cancelled here leaves the run to itself: its result will be news."""
        await asyncio.shield(self._runner.begin(run.team_id, run.id))
        async with self._runner.database.team(run.team_id) as session:
            return self._step_of(await records.get(session, run.team_id, run.id))

    def _step_of(self, run: TaskRun) -> Step:
        offer = self._offer_of(run)
        match run.state:
            case RunState.COMPLETED:
                return Completed(offer, run.id, run.answer, run.data)
            case RunState.RUNNING if run.data:
                return HandingOver(offer, run.id, run.data["target"], run.answer)
            case RunState.FAILED:
                return Failed(offer, run.id, run.answer)
            case _:
                return Refused("That is still being done.")

    def _offer_of(self, run: TaskRun) -> Offer:
        """The task of a run, also when the agent may no longer do it."""
        offered = self._find(run.task_id)
        return offered.offer if offered else Offer(run.task_id, run.task_name, run.title)

    def _find(self, task: str) -> Offered | None:
        return next(
            (each for each in self._offered if task in {each.offer.task_id, each.offer.name}), None
        )

    @property
    def _position(self) -> int:
        return self._turns[-1].position if self._turns else -1


def _offered(task: Task, scope: Scope) -> Offered:
    effect = service.effect_of(task)
    must = rules.MATRIX[scope.trust, effect] is Verdict.CONFIRM
    offer = Offer(
        task_id=task.id,
        name=task.name,
        title=task.title,
        description=task.description,
        phrases=tuple(task.phrases),
        inputs=(
            *(typed.with_question(each) for each in service.inputs_of(task)),
            *([proving.INPUT] if task.by_code else []),
        ),
        confirm=task.confirm or must,
    )
    return Offered(task, offer, effect)
