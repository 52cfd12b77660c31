"""The kind of task "transfer": the caller is put through to one person of the owner's list.

The conversation does it, once the agent's sentence was heard to its end; the run is finished when
it is known whether somebody took the call (C6, T3). Nobody but who is on the list can be a target,
whatever a brain says (SEC13).
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from offhook import tasks
from offhook.calls.transfers import targets
from offhook.calls.transfers.models import TransferTarget
from offhook.db import Session
from offhook.errors import NotFound, Problem
from offhook.phone import E164

SORRY = "I am sorry, I can't put you through to that person."


class TransferConfig(BaseModel):
    """Whom callers are put through to."""

    model_config = ConfigDict(extra="forbid")
    target_id: str = Field(min_length=1, max_length=40, description="One of `/transfer-targets`.")


async def put_through(session: Session, order: tasks.Order) -> tasks.Outcome:
    try:
        target = await _target(session, order)
    except Problem as problem:
        return tasks.NotDone(SORRY, code=problem.code, sent=False, response=problem.sentence)
    return tasks.PutThrough(target.id, f"One moment, I'll put you through to {target.name}.")


async def show(means: tasks.Means, order: tasks.Order) -> Mapping[str, str]:
    """Whom the caller would be put through to. Raises NotFound."""
    async with means.database.team(order.scope.team_id) as session:
        target = await targets.get(session, order.scope.team_id, order.config.target_id)
    return {"to": target.name, "number": target.e164}


async def examine(session: Session, order: tasks.Order) -> Mapping[str, str]:
    """Nobody is asked to confirm what cannot be."""
    try:
        await _target(session, order)
    except Problem:
        return {"": SORRY}
    return {}


async def _target(session: Session, order: tasks.Order) -> TransferTarget:
    config: TransferConfig = order.config
    target = await targets.get(session, order.scope.team_id, config.target_id)
    await targets.check_number(session, order.scope.team_id, E164(target.e164))
    return target


async def finished(
    session: Session, team_id: str, run_id: str, sentence: str, /, *, done: bool
) -> None:
    """What became of a transfer is what became of its run; its conversation has told so itself."""
    try:
        await tasks.finish(
            session,
            team_id,
            run_id,
            completed=done,
            answer=sentence,
            error="" if done else "not_put_through",
            told=True,
        )
    except NotFound:
        return  # a transfer that no task asked for


KIND = tasks.Kind(
    name="transfer",
    title="Transfer",
    description="Puts the caller through to a person of your list.",
    icon="phone-forwarded",
    config=TransferConfig,
    effect=lambda _: tasks.Effect.ACT,
    inside=put_through,
    show=show,
    inputs=lambda _: (),
    examine=examine,
    readback=lambda order: f"{order.title}. Shall I put you through?",
    channels=(tasks.CALL,),
    live=True,
    form="calls/task_transfer.html",
)
