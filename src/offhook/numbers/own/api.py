"""REST of own carrier accounts and of importing their numbers (A7)."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import JSONResponse

from offhook import phone
from offhook.carriers import Account, Network
from offhook.numbers.models import CarrierAccount, NumberImport
from offhook.numbers.own import accounts, bringing, imports
from offhook.numbers.own.imports import Choice
from offhook.numbers.own.rules import Finding, Health, ImportState
from offhook.numbers.web import CurrentCarriers, CurrentSettings, CurrentVault
from offhook.numbers.who import by
from offhook.settings import Settings
from offhook.teams import AdminActor, CurrentActor, OnceOnly, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1", tags=["own carrier accounts"])
Token = Annotated[
    SecretStr,
    Field(
        max_length=64,
        description="The account's auth token.",
        json_schema_extra={"pattern": "^[0-9a-f]{32}$"},
    ),
]


class AccountIn(shapes.Exact):
    sid: Annotated[str, shapes.told(pattern="^AC[0-9a-f]{32}$")] = Field(
        description="The Twilio account SID, AC and 32 characters."
    )
    token: Token
    network: Network = Field(
        default=Network.TWILIO,
        description="`simulator` where this installation runs on the simulated carrier.",
    )


class TokenIn(shapes.Exact):
    token: Token


class FindingOut(BaseModel):
    """What the connection test found; `remedy` is what to do about it."""

    health: Health
    sentence: str
    remedy: str
    warnings: list[str]


class AccountOut(BaseModel):
    """A connected account. The token is never told again: `token_last4` is its end."""

    id: str
    network: Network
    sid: str
    name: str
    token_last4: str
    trial: bool
    test: FindingOut
    checked_at: datetime
    created_by: str
    created_at: datetime


class ChoiceOut(BaseModel):
    """A number of the account. Prices are in millionths of the currency's unit."""

    e164: str
    country: str
    type: str
    voice: bool
    sms: bool
    mms: bool
    reports_to: list[str] = Field(description="The hosts that its calls and texts go to today.")
    importable: bool
    refusal: str = Field(description="Why it cannot be imported; empty where it can.")
    number_id: str | None = Field(description="Ours, where the team holds it already.")
    currency: str | None
    minute_inbound_micros: int | None
    minute_outbound_micros: int | None
    message_inbound_micros: int | None
    message_outbound_micros: int | None


class ImportIn(shapes.Exact):
    account_id: str = Field(max_length=40)
    numbers: Annotated[list[shapes.Phone], shapes.told(minItems=1)] = Field(
        max_length=imports.MAX_AT_ONCE, description="E.164, as listed."
    )


class ImportOut(BaseModel):
    """How far an import has come; `imported` and `failed` are its two ends."""

    id: str
    batch_id: str
    account_id: str
    number_id: str = Field(description="Of the number once the state is `imported`.")
    e164: str
    state: ImportState
    failure_code: str
    failure: str
    left: list[str] = Field(
        description="After deletion: callbacks that others had changed, which were left alone."
    )
    created_at: datetime
    updated_at: datetime


def account_out(
    row: CarrierAccount, settings: Settings, finding: Finding | None = None
) -> AccountOut:
    known, warnings = accounts.explained(row, web_url=settings.web_url)
    said = finding or known
    return AccountOut(
        id=row.id,
        network=row.network,
        sid=row.sid,
        name=row.name,
        token_last4=row.token_last4,
        trial=row.trial,
        test=FindingOut(
            health=said.health,
            sentence=said.sentence,
            remedy=said.remedy,
            warnings=list(warnings),
        ),
        checked_at=row.checked_at,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _choice(each: Choice) -> ChoiceOut:
    able, price = each.held.capabilities, each.price
    return ChoiceOut(
        e164=each.held.e164,
        country=each.country,
        type=each.type,
        voice=able.voice,
        sms=able.sms,
        mms=able.mms,
        reports_to=each.reports_to,
        importable=each.importable,
        refusal=each.refusal,
        number_id=each.number_id,
        currency=price.monthly.currency if price else None,
        minute_inbound_micros=price.minute_inbound.micros if price else None,
        minute_outbound_micros=price.minute_outbound.micros if price else None,
        message_inbound_micros=price.message_inbound.micros if price else None,
        message_outbound_micros=price.message_outbound.micros if price else None,
    )


def _import(row: NumberImport) -> ImportOut:
    return ImportOut.model_validate(row, from_attributes=True)


@router.get("/carrier-accounts")
async def list_accounts(
    actor: CurrentActor, session: TeamSession, settings: CurrentSettings
) -> list[AccountOut]:
    """The team's own carrier accounts, the oldest first."""
    rows = await accounts.listed(session, actor.team_id)
    return [account_out(row, settings) for row in rows]


@router.post("/carrier-accounts", status_code=HTTPStatus.CREATED, response_model=AccountOut)
async def connect(
    body: AccountIn,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    settings: CurrentSettings,
    once: OnceOnly,
) -> JSONResponse:
    """Test an account and keep it; 409 `carrier_account_not_usable` says what is wrong with it."""

    async def work() -> AccountOut:
        network = accounts.allowed(settings, body.network)
        account = Account(body.sid.strip(), body.token.get_secret_value().strip(), network)
        row = await accounts.connect(session, vault, carriers, actor.team_id, by(actor), account)
        return account_out(row, settings)

    return await once(work)


@router.post("/carrier-accounts/simulated", status_code=HTTPStatus.CREATED)
async def connect_simulated(
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    settings: CurrentSettings,
) -> AccountOut:
    """Make an account with three numbers at the simulated carrier and connect it."""
    row = await accounts.connect_simulated(session, vault, carriers, actor.team_id, by(actor))
    return account_out(row, settings)


@router.get("/carrier-accounts/{account_id}")
async def get_account(
    account_id: str, actor: CurrentActor, session: TeamSession, settings: CurrentSettings
) -> AccountOut:
    """One account and how it was when it was last tested."""
    return account_out(await accounts.get(session, actor.team_id, account_id), settings)


@router.put("/carrier-accounts/{account_id}/token")
async def replace_token(
    account_id: str,
    body: TokenIn,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    settings: CurrentSettings,
) -> AccountOut:
    """Test another auth token and use it from now on, for requests and signatures."""
    token = body.token.get_secret_value().strip()
    row = await accounts.replace_token(session, vault, carriers, actor.team_id, account_id, token)
    return account_out(row, settings)


@router.post("/carrier-accounts/{account_id}/test")
async def test_account(
    account_id: str,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    settings: CurrentSettings,
) -> AccountOut:
    """Test a connected account again; `test` says what is the case and what to do."""
    row, finding = await accounts.retest(session, vault, carriers, actor.team_id, account_id)
    return account_out(row, settings, finding)


@router.delete("/carrier-accounts/{account_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_account(account_id: str, actor: AdminActor, session: TeamSession) -> None:
    """Forget the account and its token; 409 `carrier_account_in_use` names what needs it."""
    await accounts.remove(session, actor.team_id, account_id)


@router.get("/carrier-accounts/{account_id}/numbers")
async def list_account_numbers(
    account_id: str,
    actor: CurrentActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
) -> list[ChoiceOut]:
    """What the account has at the carrier now, and whether it can be imported."""
    row = await accounts.get(session, actor.team_id, account_id)
    found = await imports.choices(session, accounts.carrier(carriers, vault, row), row)
    return [_choice(each) for each in found]


@router.post("/numbers/imports", status_code=HTTPStatus.ACCEPTED, response_model=list[ImportOut])
async def order(
    body: ImportIn,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    once: OnceOnly,
) -> JSONResponse:
    """Import numbers of an account: all of them begin, or none."""

    async def work() -> list[ImportOut]:
        row = await accounts.get(session, actor.team_id, body.account_id)
        made = await imports.order(
            session,
            accounts.carrier(carriers, vault, row),
            row.id,
            actor.team_id,
            by(actor),
            [phone.parse(each) for each in body.numbers],
        )
        return [_import(each) for each in made]

    return await once(work, HTTPStatus.ACCEPTED)


@router.get("/numbers/imports/{import_id}")
async def get_import(import_id: str, actor: CurrentActor, session: TeamSession) -> ImportOut:
    """How far an import has come."""
    return _import(await imports.get(session, actor.team_id, import_id))


@router.post("/numbers/imports/{import_id}/give-up")
async def give_up(import_id: str, actor: AdminActor, session: TeamSession) -> ImportOut:
    """Stop putting the old callbacks back, where the carrier will never say yes."""
    return _import(await bringing.give_up(session, actor.team_id, import_id, by(actor)))
