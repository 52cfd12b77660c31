"""Carries an import out, one command per transaction, and puts back what was there before (A7).

As in purchasing.py, a worker that dies leaves the state before, and whoever resumes repeats the
command: what was there before is written down and committed before anything is changed, changing
it is harmless to repeat, and putting it back asks first what is there now.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import delete, select

from offhook import db, usage
from offhook.carriers import (
    Callbacks,
    Carrier,
    CarrierProblem,
    Carriers,
    Refused,
    Routing,
    Unreachable,
)
from offhook.db import Database, Session, now, publish, touch
from offhook.failpoints import failpoint
from offhook.numbers import activity, problems, service
from offhook.numbers.events import NumberImported
from offhook.numbers.models import CarrierAccount, Number, NumberImport
from offhook.numbers.own import accounts, imports, rules
from offhook.numbers.own.rules import Command, Happened, ImportState
from offhook.numbers.rules import NumberStatus
from offhook.vault import Vault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Importer:
    """What importing needs: our database, the accounts, the vault, where carriers report."""

    database: Database
    carriers: Carriers
    vault: Vault
    callbacks: Callbacks

    @property
    def base(self) -> str:
        """What every callback address of this installation begins with."""
        return self.callbacks.voice_url.rpartition("/")[0] + "/"


async def carry_out(
    importer: Importer,
    team_id: str,
    import_id: str,
    *,
    passage: Callable[[str], None] = failpoint,
) -> ImportState | None:
    """Take an import as far as it goes; None when somebody else is at it.

    Raises the carrier's problems where a later repetition is to go on.
    """
    while True:
        state = await step(importer, team_id, import_id, passage=passage)
        if state is None or state.final:
            return state


async def step(
    importer: Importer,
    team_id: str,
    import_id: str,
    *,
    passage: Callable[[str], None] = failpoint,
) -> ImportState | None:
    """Run the next command and store what came of it; the new state."""
    async with importer.database.team(team_id) as session:
        row = await session.scalar(
            select(NumberImport)
            .where(NumberImport.team_id == team_id, NumberImport.id == import_id)
            .with_for_update(skip_locked=True, key_share=True)
        )
        if row is None:
            return None
        command = rules.next_command(row.state)
        if command is None:
            return row.state
        happened = await _run(importer, session, row, command)
        passage(f"import.{command}.done")
        row.state, row.updated_at = rules.advance(row.state, happened), await now(session)
        if row.state is ImportState.FAILED:
            await _let_go(session, row)
        await touch(session, team_id, f"import:{row.batch_id}", "numbers")
        state = row.state
    passage(f"import.{command}.stored")
    return state


async def restore(importer: Importer, number: Number) -> tuple[str, ...]:
    """Let the number report to whom it did before; the fields that others changed meanwhile.

    Raises the carrier's problems: it is to be tried again. A number that has left its account, or
    came here otherwise, has nothing to put back.
    """
    async with importer.database.team(number.team_id) as session:
        row = await imports.of_number(session, number)
    if row is None or number.account_id is None:
        return ()
    try:
        left = await _put_back(importer, await importer.carriers.of(row.account_id), row)
    except CarrierProblem as problem:
        await _note(importer, row, failure=problem.sentence)
        raise
    await _note(importer, row, left=list(left), failure="")
    return left


async def _note(importer: Importer, row: NumberImport, **values: object) -> None:
    """What came of putting back, for the page of whoever waits for it."""
    async with importer.database.team(row.team_id) as session:
        again = await imports.get(session, row.team_id, row.id)
        for name, value in values.items():
            setattr(again, name, value)
        await touch(session, row.team_id, f"import:{row.batch_id}", f"number:{row.number_id}")


async def _run(
    importer: Importer, session: Session, row: NumberImport, command: Command
) -> Happened:
    try:
        return await _COMMANDS[command](importer, session, row)
    except Unreachable as unanswered:
        at = await now(session)
        happened = rules.without_answer(row.state, since=row.created_at, at=at)
        if happened is None:
            raise
        _because(row, unanswered.code, unanswered.sentence)
        return happened


async def _remember(importer: Importer, session: Session, row: NumberImport) -> Happened:
    try:
        carrier = await _carrier(importer, session, row)
        routing = await carrier.routing(row.carrier_id)
    except Refused as refused:
        return _refused(row, refused)
    kept = rules.remembered(routing, base=importer.base)
    row.before = db.seal(importer.vault, row, "before", json.dumps(kept).encode())
    return Happened.DONE


async def _configure(importer: Importer, session: Session, row: NumberImport) -> Happened:
    try:
        carrier = await _carrier(importer, session, row)
        await carrier.configure(row.carrier_id, importer.callbacks)
        row.ours = dict(await carrier.routing(row.carrier_id))
    except Refused as refused:
        return _refused(row, refused)
    return Happened.DONE


async def _hold(_: Importer, session: Session, row: NumberImport) -> Happened:
    """The team holds the number from now on; while this was open its account was kept."""
    account = await session.get_one(CarrierAccount, row.account_id)
    number = await session.get_one(Number, row.number_id)
    number.held_since = await now(session)
    await session.flush()
    await usage.open_meter(
        session,
        row.team_id,
        number_id=number.id,
        carrier=number.price_kind,
        country=number.country,
        number_type=number.type,
    )
    by = activity.By(row.by_id, row.by_label)
    after = {"account": account.sid, "import": row.id}
    await activity.record(session, number, by, "imported", after=after)
    await publish(
        session,
        NumberImported(
            team_id=row.team_id, number_id=number.id, e164=number.e164, import_id=row.id
        ),
    )
    return Happened.DONE


async def _restore(importer: Importer, session: Session, row: NumberImport) -> Happened:
    row.left = list(await _put_back(importer, await _carrier(importer, session, row), row))
    return Happened.DONE


async def give_up(session: Session, team_id: str, import_id: str, by: activity.By) -> NumberImport:
    """End without putting anything back, where the carrier will never say yes: the account is
    closed, or its token is lost. What the number reports to is then for its owner to set.

    Raises ImportNotFound, NothingToGiveUp.
    """
    row = await session.scalar(
        select(NumberImport)
        .where(NumberImport.team_id == team_id, NumberImport.id == import_id)
        .with_for_update(key_share=True)
    )
    number = await session.get(Number, row.number_id) if row else None
    releasing = number is not None and number.status == NumberStatus.RELEASING
    if row is None or not (releasing or row.state is ImportState.RESTORING):
        await imports.get(session, team_id, import_id)
        raise problems.NothingToGiveUp(
            "Nothing of this import is being put back.", remedy="Delete the number to begin that."
        )
    row.left = sorted(row.ours)
    if number is not None and releasing:
        await service.confirm_release(session, team_id, number.id, by=by, left=row.left)
    if row.state is ImportState.RESTORING:
        row.state, row.updated_at = ImportState.FAILED, await now(session)
        await _let_go(session, row)
    await touch(session, team_id, f"import:{row.batch_id}", "numbers")
    return row


_COMMANDS: dict[Command, Callable[[Importer, Session, NumberImport], Awaitable[Happened]]] = {
    Command.REMEMBER: _remember,
    Command.CONFIGURE: _configure,
    Command.HOLD: _hold,
    Command.RESTORE: _restore,
}


async def _carrier(importer: Importer, session: Session, row: NumberImport) -> Carrier:
    account = await session.get_one(CarrierAccount, row.account_id)
    return accounts.carrier(importer.carriers, importer.vault, account)


async def _put_back(importer: Importer, carrier: Carrier, row: NumberImport) -> tuple[str, ...]:
    if row.before is None:
        return ()
    try:
        current = await carrier.routing(row.carrier_id)
        plan = rules.restoration(
            before_of(importer.vault, row),
            row.ours or rules.presumably_ours(current, base=importer.base),
            current,
        )
        if plan.write:
            await carrier.route(row.carrier_id, plan.write)
    except Refused as refused:
        if refused.gone:  # sold, or moved to another account: there is nothing to put back
            return ()
        raise
    if plan.left:
        log.info("import %s: %s were changed by others and stay", row.id, ", ".join(plan.left))
    return plan.left


def before_of(vault: Vault, row: NumberImport) -> Routing:
    """Where the number's calls and texts went before it came here."""
    if row.before is None:
        return {}
    return {str(k): str(v) for k, v in json.loads(db.unseal(vault, row, "before")).items()}


async def _let_go(session: Session, row: NumberImport) -> None:
    """The reservation ends; the number may be imported again, by anybody whose account has it."""
    await session.execute(
        delete(Number).where(
            Number.team_id == row.team_id,
            Number.id == row.number_id,
            Number.held_since.is_(None),
        )
    )


def _refused(row: NumberImport, refused: Refused) -> Happened:
    sentence = (
        "The account no longer has this number."
        if refused.gone
        else f"The carrier refused: {refused.sentence}"
    )
    _because(row, refused.code, sentence)
    return Happened.REFUSED


def _because(row: NumberImport, code: str, sentence: str) -> None:
    row.failure_code, row.failure = code[:40], sentence
