"""A team's own carrier accounts (A7): connected, tested, their token replaced, removed.

The token is sealed for its row (SEC22) and shown as its last four characters. Nothing is kept of an
account that does not answer as it should, so a mistake in typing never becomes a broken account.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from offhook import db
from offhook.carriers import Account, AccountGone, Carrier, Carriers, Network, Refused, Unreachable
from offhook.carriers.accounts import Lookup
from offhook.db import Database, Session, for_change, new_id, now
from offhook.numbers import problems
from offhook.numbers.activity import By
from offhook.numbers.models import CarrierAccount, Number, NumberImport
from offhook.numbers.own import rules
from offhook.numbers.own.rules import Finding, Health
from offhook.numbers.rules import NumberStatus
from offhook.phone import E164, international
from offhook.settings import Settings
from offhook.vault import Vault

MAX_NAMED = 5
_FINAL = [state for state in rules.ImportState if state.final]


@dataclass(frozen=True, slots=True)
class Tested:
    """What a connection test found, and what the account calls itself."""

    finding: Finding
    name: str = ""
    trial: bool = False


def lookup(database: Database, vault: Vault) -> Lookup:
    """How `Carriers` finds an account of ours: by its id, over all teams."""

    async def find(account_id: str) -> Account | None:
        async with database.system() as session:
            row = await session.get(CarrierAccount, account_id)
        if row is None or row.token is None:
            return None
        return Account(row.sid, db.unseal(vault, row, "token").decode(), row.network)

    return find


def carrier(carriers: Carriers, vault: Vault, row: CarrierAccount) -> Carrier:
    """The account's carrier, for whoever has its row.

    Within a transaction use this: `carriers.of` would want a second connection for its look-up,
    and a process whose connections all wait for another one stands still. Raises AccountGone.
    """
    if row.token is None:
        raise AccountGone("The carrier account of this number was removed.")
    return carriers.at(Account(row.sid, db.unseal(vault, row, "token").decode(), row.network))


async def try_out(carriers: Carriers, account: Account) -> Tested:
    """Ask the account who it is; every outcome is a finding, never an exception."""
    try:
        described = await carriers.at(account).describe()
    except Refused as refused:
        return Tested(rules.finding_of_refusal(refused))
    except Unreachable:
        return Tested(rules.FINDINGS[Health.UNREACHABLE])
    return Tested(rules.finding(described), described.name, described.trial)


async def connect(
    session: Session,
    vault: Vault,
    carriers: Carriers,
    team_id: str,
    by: By,
    account: Account,
) -> CarrierAccount:
    """Keep an account that answers. Raises AccountInvalid, AccountExists, AccountNotUsable."""
    _check(account)
    tested = await try_out(carriers, account)
    _refuse(tested.finding)
    row = CarrierAccount(
        id=new_id("acc"),
        team_id=team_id,
        network=account.network,
        sid=account.sid,
        name=tested.name[:80] or account.sid,
        created_by=by.label,
        created_at=await now(session),
    )
    await _keep(session, vault, row, account.token, tested)
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError:
        raise problems.AccountExists(
            f"The account {account.sid} is connected already.",
            remedy="Choose it from the list, or replace its token there.",
        ) from None
    return row


async def connect_simulated(
    session: Session, vault: Vault, carriers: Carriers, team_id: str, by: By
) -> CarrierAccount:
    """Make an account at the simulated carrier, with numbers of its own, and connect it.

    Raises NotSimulated.
    """
    account = await carriers.simulated_customer()
    return await connect(session, vault, carriers, team_id, by, account)


def allowed(settings: Settings, network: Network) -> Network:
    """Where accounts may be: at Twilio, and at the simulated carrier where that one runs."""
    if network is Network.SIMULATOR and settings.carrier != Network.SIMULATOR:
        raise problems.AccountInvalid(
            "This installation has no simulated carrier.", remedy="Connect a Twilio account."
        )
    return network


async def replace_token(
    session: Session,
    vault: Vault,
    carriers: Carriers,
    team_id: str,
    account_id: str,
    token: str,
) -> CarrierAccount:
    """Use another auth token from now on, once it was tested. Raises as `connect` does."""
    row = await get(session, team_id, account_id, lock=True)
    account = Account(row.sid, token, row.network)
    _check(account)
    tested = await try_out(carriers, account)
    _refuse(tested.finding)
    await _keep(session, vault, row, token, tested)
    await session.flush()
    return row


async def retest(
    session: Session, vault: Vault, carriers: Carriers, team_id: str, account_id: str
) -> tuple[CarrierAccount, Finding]:
    """Test a connected account again, and remember how it is."""
    row = await get(session, team_id, account_id, lock=True)  # whose token is not replaced now
    token = db.unseal(vault, row, "token").decode()
    tested = await try_out(carriers, Account(row.sid, token, row.network))
    row.health, row.checked_at = tested.finding.health, await now(session)
    if tested.finding.health.usable:
        row.trial, row.name = tested.trial, tested.name[:80] or row.sid
    await session.flush()
    return row, tested.finding


async def remove(session: Session, team_id: str, account_id: str) -> None:
    """Forget the token; for good. Raises AccountInUse with the numbers that need it."""
    row = await get(session, team_id, account_id, lock=True)
    users = await numbers_of(session, team_id, account_id)
    under_way = await session.scalars(
        select(NumberImport.e164).where(
            NumberImport.team_id == team_id,
            NumberImport.account_id == account_id,
            NumberImport.state.not_in(_FINAL),
        )
    )
    named = list(dict.fromkeys([*(each.e164 for each in users), *under_way]))
    if named:
        shown = ", ".join(international(E164(each)) for each in named[:MAX_NAMED])
        more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
        raise problems.AccountInUse(
            f"The account is needed by {shown}{more}.",
            remedy="Delete these numbers here first: their old addresses are then put back.",
            numbers=named,
        )
    row.token, row.token_last4, row.removed_at = None, "", await now(session)
    await session.flush()


async def get(
    session: Session, team_id: str, account_id: str, *, lock: bool = False
) -> CarrierAccount:
    """A connected account. Raises AccountNotFound, also for another team's (SEC7)."""
    query = select(CarrierAccount).where(
        CarrierAccount.team_id == team_id,
        CarrierAccount.id == account_id,
        CarrierAccount.removed_at.is_(None),
    )
    if lock:
        query = for_change(query)
    found = await session.scalar(query)
    if found is None:
        raise problems.AccountNotFound(
            f"There is no carrier account {account_id[:40]}.",
            remedy="See the list under Telephony, Carrier accounts.",
        )
    return found


async def listed(session: Session, team_id: str) -> Sequence[CarrierAccount]:
    """The connected accounts, the oldest first."""
    rows = await session.scalars(
        select(CarrierAccount)
        .where(CarrierAccount.team_id == team_id, CarrierAccount.removed_at.is_(None))
        .order_by(CarrierAccount.created_at, CarrierAccount.id)
    )
    return rows.all()


async def numbers_of(session: Session, team_id: str, account_id: str) -> Sequence[Number]:
    """The numbers that the team holds, or gives back, from this account."""
    rows = await session.scalars(
        select(Number)
        .where(
            Number.team_id == team_id,
            Number.account_id == account_id,
            Number.held_since.is_not(None),
            Number.status != NumberStatus.RELEASED,
        )
        .order_by(Number.e164)
    )
    return rows.all()


async def in_use(session: Session) -> Sequence[str]:
    """Ids of accounts with numbers, over all teams: for what asks every carrier account."""
    rows = await session.scalars(
        select(Number.account_id)
        .where(Number.account_id.is_not(None), Number.status != NumberStatus.RELEASED)
        .distinct()
    )
    return [each for each in rows if each is not None]


async def by_sid(session: Session, sids: Collection[str]) -> dict[str, CarrierAccount]:
    """Accounts that teams brought, by the carrier's own id of them, over all teams."""
    rows = await session.scalars(
        select(CarrierAccount)
        .where(CarrierAccount.sid.in_(sids))
        .order_by(CarrierAccount.created_at)
    )
    return {row.sid: row for row in rows}


async def account_of(session: Session, number_id: str) -> str | None:
    """The account that a number belongs to, over all teams; None: the operator's."""
    return await session.scalar(select(Number.account_id).where(Number.id == number_id))


async def sid_of(session: Session, number: Number) -> str | None:
    """The SID of the account that a number belongs to; None: the operator's."""
    if number.account_id is None:
        return None
    return await session.scalar(
        select(CarrierAccount.sid).where(
            CarrierAccount.team_id == number.team_id, CarrierAccount.id == number.account_id
        )
    )


def explained(row: CarrierAccount, *, web_url: str) -> tuple[Finding, Sequence[str]]:
    """How the account was when it was last tested, and what to mind."""
    warnings = rules.warnings(trial=row.trial, network=Network(row.network), web_url=web_url)
    return rules.FINDINGS[row.health], warnings


async def _keep(
    session: Session, vault: Vault, row: CarrierAccount, token: str, tested: Tested
) -> None:
    row.token = db.seal(vault, row, "token", token.encode())
    row.token_last4 = token[-4:]
    row.health, row.trial, row.checked_at = tested.finding.health, tested.trial, await now(session)


def _check(account: Account) -> None:
    if wrong := rules.wrong_with(account.sid, account.token):
        raise problems.AccountInvalid(
            " ".join(wrong.values()),
            remedy="Copy both from the Twilio Console, under Account Info.",
            errors=[{"field": name, "sentence": each} for name, each in wrong.items()],
        )


def _refuse(finding: Finding) -> None:
    if finding.health.usable:
        return
    errors = [{"field": "token", "sentence": "Not accepted."}]
    raise problems.AccountNotUsable(
        finding.sentence,
        remedy=finding.remedy,
        health=finding.health,
        errors=errors if finding.health is Health.WRONG else [],
    )
