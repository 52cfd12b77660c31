"""/dev/mail: every letter with sample values, and what was sent; in development only.

Shown without signing in, as /design is: such an installation is on somebody's desk.
"""

from contextlib import suppress
from typing import Annotated, cast

from fastapi import APIRouter, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from offhook.db import Database
from offhook.errors import NotFound, Problem
from offhook.mail.letter import Letter, Rendered, letters, render
from offhook.mail.models import Mail
from offhook.mail.service import letter_of
from offhook.settings import Settings
from offhook.web import kit
from offhook.web import render as render_page

router = APIRouter(include_in_schema=False, prefix="/dev/mail")
MOST = 100
# A letter brings its own styles and nothing else.
SHEET = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Frame-Options": "SAMEORIGIN",
}


class MailUnknown(NotFound):
    code = "mail_unknown"


def _development(request: Request) -> Settings:
    settings = cast("Settings", request.app.state.settings)
    if settings.environment != "development":
        raise MailUnknown("There is no such page.")
    return settings


@router.get("")
async def index(request: Request) -> HTMLResponse:
    _development(request)
    with suppress(Problem):  # nobody has to be signed in
        request.state.actor = await kit(request).identify(request)
    database = cast("Database", request.app.state.database)
    async with database.system() as session:
        rows = await session.scalars(
            select(Mail).order_by(Mail.created_at.desc(), Mail.id.desc()).limit(MOST)
        )
        mails = list(rows)
    kinds = letters()
    samples = {name: " ".join((kind.__doc__ or "").split()) for name, kind in kinds.items()}
    return render_page(request, "mail/index.html", mails=mails, samples=sorted(samples.items()))


@router.get("/letters/{name}")
async def sample(request: Request, name: str, form: Annotated[str, Query()] = "html") -> Response:
    settings = _development(request)
    kind = letters().get(name)
    if kind is None:
        raise MailUnknown(f"There is no letter “{name[:40]}”.")
    return _shown(kind.sample(), settings, form)


@router.get("/{mail_id}")
async def sent(request: Request, mail_id: str, form: Annotated[str, Query()] = "html") -> Response:
    settings = _development(request)
    database = cast("Database", request.app.state.database)
    async with database.system() as session:
        row = await session.get(Mail, mail_id)
    if row is None or row.letter not in letters():
        raise MailUnknown(f"There is no mail {mail_id[:40]}.")
    return _shown(letter_of(row, request.app.state.vault), settings, form)


def _shown(letter: Letter, settings: Settings, form: str) -> Response:
    rendered: Rendered = render(letter, settings.web_url)
    if form == "text":
        return PlainTextResponse(f"Subject: {rendered.subject}\n\n{rendered.text}")
    return HTMLResponse(rendered.html, headers=SHEET)
