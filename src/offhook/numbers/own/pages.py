"""Pages of bringing one's own numbers (A7): account, choice, review, import as it happens; and the
accounts themselves.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import prices
from offhook.carriers import Account, Network
from offhook.numbers.models import CarrierAccount, NumberImport
from offhook.numbers.own import accounts, bringing, imports, rules
from offhook.numbers.own.imports import Choice
from offhook.numbers.own.rules import ImportState
from offhook.numbers.web import CurrentCarriers, CurrentSettings, CurrentVault
from offhook.numbers.who import by
from offhook.settings import Settings
from offhook.teams import Actor, AdminActor, CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
STEPS = ["Account", "Numbers", "Review", "Import"]
Typed = Annotated[str, Form(max_length=64)]
Chosen = Annotated[list[str], Query(max_length=imports.MAX_AT_ONCE)]
# What somebody sees of the saga: each line and the states in which it is under way.
PROGRESS = [
    ("Noting where it reports today", {ImportState.RESERVED}),
    ("Pointing it here", {ImportState.REMEMBERED}),
    ("Adding it to your numbers", {ImportState.CONFIGURED}),
]
FIELDS = {
    "voice_url": "call address",
    "voice_fallback_url": "fallback call address",
    "sms_url": "text address",
    "sms_fallback_url": "fallback text address",
    "status_callback": "call status address",
    "voice_application_sid": "call application",
    "sms_application_sid": "text application",
    "trunk_sid": "SIP trunk",
}


@router.get("/numbers/own")
async def start(
    request: Request, actor: CurrentActor, session: TeamSession, settings: CurrentSettings
) -> HTMLResponse:
    """Which account: one that is connected, or another."""
    return render(
        request,
        "numbers/own_start.html",
        actor=actor,
        rows=await accounts.listed(session, actor.team_id),
        steps=STEPS,
        simulated=settings.carrier == Network.SIMULATOR,
    )


@router.post("/numbers/own/accounts")
async def connect(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    settings: CurrentSettings,
    sid: Typed,
    token: Typed,
    network: Annotated[Network, Form()] = Network.TWILIO,
) -> Response:
    account = Account(sid.strip(), token.strip(), accounts.allowed(settings, network))
    row = await accounts.connect(session, vault, carriers, actor.team_id, by(actor), account)
    return redirect(request, f"/numbers/own/{row.id}", toast="The account is connected")


@router.post("/numbers/own/try")
async def try_simulated(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
) -> Response:
    """An account with three numbers at the simulated carrier, as if it had long been in use."""
    row = await accounts.connect_simulated(session, vault, carriers, actor.team_id, by(actor))
    return redirect(request, f"/numbers/own/{row.id}", toast="A simulated account is connected")


@router.get("/numbers/accounts")
async def index(
    request: Request, actor: CurrentActor, session: TeamSession, settings: CurrentSettings
) -> HTMLResponse:
    """The connected accounts: how they are, their numbers here, token and removal."""
    rows = await accounts.listed(session, actor.team_id)
    used = [await accounts.numbers_of(session, actor.team_id, row.id) for row in rows]
    return render(
        request,
        "numbers/own_accounts.html",
        actor=actor,
        accounts=[
            (row, *accounts.explained(row, web_url=settings.web_url), held)
            for row, held in zip(rows, used, strict=True)
        ],
    )


@router.get("/numbers/own/{account_id}")
async def choose(
    request: Request,
    account_id: str,
    actor: CurrentActor,
    session: TeamSession,
    settings: CurrentSettings,
) -> HTMLResponse:
    """The account, how it is, and its numbers, which are asked for when the page is there."""
    row = await accounts.get(session, actor.team_id, account_id)
    return render(request, "numbers/own_choose.html", **_account(actor, row, settings))


@router.get("/numbers/own/{account_id}/numbers")
async def choices(
    request: Request,
    account_id: str,
    actor: CurrentActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
) -> HTMLResponse:
    """What the account has now, for the page of the choice."""
    row = await accounts.get(session, actor.team_id, account_id)
    found = await imports.choices(session, accounts.carrier(carriers, vault, row), row)
    return render(
        request,
        "numbers/own_numbers.html",
        actor=actor,
        account=row,
        found=found,
        any_importable=any(each.importable for each in found),
    )


@router.post("/numbers/own/{account_id}/test")
async def ask_again(
    request: Request,
    account_id: str,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    back: Annotated[str, Form(pattern="^(accounts|choose)$")] = "accounts",
) -> Response:
    row, finding = await accounts.retest(session, vault, carriers, actor.team_id, account_id)
    where = "/numbers/accounts" if back == "accounts" else f"/numbers/own/{row.id}"
    return redirect(request, where, toast=finding.sentence)


@router.post("/numbers/own/{account_id}/token")
async def replace_token(
    request: Request,
    account_id: str,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    token: Typed,
) -> Response:
    await accounts.replace_token(session, vault, carriers, actor.team_id, account_id, token.strip())
    return redirect(request, "/numbers/accounts", toast="The new token is in use")


@router.post("/numbers/own/{account_id}/remove")
async def remove(
    request: Request, account_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await accounts.remove(session, actor.team_id, account_id)
    return redirect(request, "/numbers/accounts", toast="The account and its token are forgotten")


@router.get("/numbers/own/{account_id}/review")
async def review(
    request: Request,
    account_id: str,
    actor: CurrentActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    settings: CurrentSettings,
    number: Chosen = [],  # noqa: B006 - FastAPI copies defaults
) -> HTMLResponse:
    """What it costs, what changes at Twilio, and how to undo it."""
    row = await accounts.get(session, actor.team_id, account_id)
    picked = await imports.chosen(session, accounts.carrier(carriers, vault, row), row, number)
    return render(
        request,
        "numbers/own_review.html",
        **_account(actor, row, settings),
        picked=picked,
        prices=_prices(picked),
        changes=_changes(settings),
        free_minutes=prices.FREE_MINUTES,
        free_messages=prices.FREE_MESSAGES,
    )


@router.post("/numbers/own/{account_id}/import")
async def order(
    request: Request,
    account_id: str,
    actor: AdminActor,
    session: TeamSession,
    carriers: CurrentCarriers,
    vault: CurrentVault,
    number: Annotated[list[str], Form(max_length=imports.MAX_AT_ONCE)],
) -> Response:
    """All of them begin, or none. A second click finds the numbers taken, by this very team."""
    row = await accounts.get(session, actor.team_id, account_id)
    carrier = accounts.carrier(carriers, vault, row)
    made = await imports.order(session, carrier, row.id, actor.team_id, by(actor), number)
    return redirect(request, f"/numbers/imports/{made[0].batch_id}")


@router.get("/numbers/imports/{batch_id}")
async def progress(
    request: Request, batch_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return render(request, "numbers/own_import.html", **await _progress(session, actor, batch_id))


@router.get("/numbers/imports/{batch_id}/progress")
async def progress_fragment(
    request: Request, batch_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    context = await _progress(session, actor, batch_id)
    return render(request, "numbers/own_import.html", block="progress", **context)


@router.post("/numbers/imports/{import_id}/give-up")
async def give_up(
    request: Request, import_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    row = await bringing.give_up(session, actor.team_id, import_id, by(actor))
    return redirect(
        request, f"/numbers/imports/{row.batch_id}", toast="Nothing more is changed at the carrier"
    )


@router.get("/fragments/own-number/{number_id}")
async def of_number(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    vault: CurrentVault,
) -> HTMLResponse:
    """Where a number came from and what its deletion puts back, for the number's own page."""
    row = await imports.by_number_id(session, actor.team_id, number_id)
    return render(
        request,
        "numbers/own_number.html",
        actor=actor,
        row=row,
        hosts=rules.hosts(bringing.before_of(vault, row)),
        left=fields(row.left),
    )


def fields(names: list[str]) -> str:
    """Names of callbacks as a sentence's list; methods go with their address."""
    shown = [FIELDS[name] for name in FIELDS if name in names]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def _account(actor: Actor, row: CarrierAccount, settings: Settings) -> dict[str, Any]:
    finding, warnings = accounts.explained(row, web_url=settings.web_url)
    return {
        "actor": actor,
        "account": row,
        "finding": finding,
        "warnings": warnings,
        "steps": STEPS,
    }


def _prices(picked: list[Choice]) -> list[tuple[prices.Price, list[Choice]]]:
    """Numbers by their price: most often there is one."""
    found: dict[tuple[prices.Money, ...], tuple[prices.Price, list[Choice]]] = {}
    for each in picked:
        assert each.price is not None  # noqa: S101 - what has no price cannot be chosen
        price = each.price
        amounts = (
            price.minute_inbound,
            price.minute_outbound,
            price.message_inbound,
            price.message_outbound,
        )
        found.setdefault(amounts, (price, []))[1].append(each)
    return list(found.values())


def _changes(settings: Settings) -> list[tuple[str, str]]:
    base = f"{settings.web_url}/carriers/twilio"
    return [
        ("A call comes in", f"{base}/voice"),
        ("A message comes in", f"{base}/sms"),
        ("Call status changes", f"{base}/call-status"),
    ]


async def _progress(session: TeamSession, actor: Actor, batch_id: str) -> dict[str, Any]:
    rows = await imports.batch(session, actor.team_id, batch_id)
    return {
        "actor": actor,
        "batch_id": batch_id,
        "rows": [(row, _lines(row)) for row in rows],
        "imported": [row for row in rows if row.state is ImportState.IMPORTED],
        "over": all(row.state.final for row in rows),
        "steps": STEPS,
        "fields": fields,
    }


def _lines(row: NumberImport) -> list[tuple[str, bool, bool]]:
    """(text, done, under way) of each step of one import."""
    at = next((i for i, (_, states) in enumerate(PROGRESS) if row.state in states), len(PROGRESS))
    return [(label, index < at, index == at) for index, (label, _) in enumerate(PROGRESS)]
