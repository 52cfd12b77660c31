"""The usage page: a month against limits and the free pool, its days, forecasts and charges (U9).

`/usage/month` is the page's inside, loaded again by live news and by what the reader chooses;
`/usage/pool` is the head of the Telephony list, which includes it by its address.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from offhook.db import Session
from offhook.teams import CurrentActor, TeamSession
from offhook.usage import view
from offhook.usage.month import MonthToDate, NumberUse, month_of, pools
from offhook.usage.months import NamedMonth, month_named, months
from offhook.usage.names import Label, invoice_of, names
from offhook.usage.rules import Service
from offhook.usage.view import Choice, Scale, Split
from offhook.web import render

router = APIRouter(include_in_schema=False)
Member = TypeVar("Member", bound=StrEnum)
MAX_ID = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a month by its name (empty: the running one), and the chart.

    Without a service of its choice (`picks`) a reader sees the one that was used.
    """

    month: str
    choice: Choice
    picks: bool = True

    @property
    def query(self) -> str:
        """The address's query, without what is chosen anyhow."""
        standard = Choice()
        chosen = {
            "month": self.month,
            "service": "" if self.choice.service is standard.service else self.choice.service,
            "split": "" if self.choice.split is standard.split else self.choice.split,
            "scale": "" if self.choice.scale is standard.scale else self.choice.scale,
            "number": self.choice.number_id,
        }
        return urlencode({name: value for name, value in chosen.items() if value})


def _asked(
    month: Annotated[str, Query(max_length=7)] = "",
    service: str = "",
    split: str = "",
    scale: str = "",
    number: Annotated[str, Query(max_length=MAX_ID)] = "",
) -> Asked:
    standard = Choice()
    return Asked(
        month,
        Choice(
            _member(Service, service, standard.service),
            _member(Split, split, standard.split),
            _member(Scale, scale, standard.scale),
            number,
        ),
        picks=bool(service),
    )


AskedQuery = Annotated[Asked, Depends(_asked)]


@router.get("/usage")
async def usage(
    request: Request, actor: CurrentActor, session: TeamSession, asked: AskedQuery
) -> HTMLResponse:
    return render(request, "usage/usage.html", **await _context(session, actor.team_id, asked))


@router.get("/usage/month")
async def month(
    request: Request, actor: CurrentActor, session: TeamSession, asked: AskedQuery
) -> HTMLResponse:
    context = await _context(session, actor.team_id, asked)
    response = render(request, "usage/usage.html", block="month", **context)
    query: str = context["query"]
    response.headers["HX-Replace-Url"] = f"/usage?{query}" if query else "/usage"
    return response


@router.get("/usage/pool")
async def pool(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    _, free = await pools(session, actor.team_id)
    labels = await names(session, actor.team_id)
    return render(request, "usage/pool.html", pools=free, labels=labels, services=list(Service))


async def _context(session: Session, team_id: str, asked: Asked) -> dict[str, Any]:
    named = await month_named(session, team_id, asked.month)
    shown = await month_of(session, team_id, named)
    labels = await names(session, team_id)
    choice = _possible(asked, shown)
    expected = view.outlooks(shown)
    texts = {use.number_id: text_of(labels, use.number_id) for use in shown.numbers}
    earlier = await months(session, team_id)
    return {
        "named": named,
        "month": shown,
        "months": earlier,
        "rows": _rows(shown, labels),
        "labels": labels,
        "names": texts,
        "services": list(Service),
        "expected": expected,
        "choice": choice,
        "chart": view.chart(shown, choice, texts, expected),
        "invoice": await _invoice(session, team_id, named),
        "query": Asked("" if shown.is_running else named.name, choice).query,
        "zone": shown.period.zone,
    }


async def _invoice(session: Session, team_id: str, named: NamedMonth) -> Any:
    if named.closed_at is None:
        return None
    return await invoice_of(session, team_id, named.period.starts_at)


def _rows(month: MonthToDate, labels: dict[str, Label]) -> dict[str, dict[Service, NumberUse]]:
    """Both services of each number; of numbers that are gone only those that were used."""
    rows: dict[str, dict[Service, NumberUse]] = {}
    for use in month.numbers:
        rows.setdefault(use.number_id, {})[use.service] = use
    return {
        number: uses
        for number, uses in rows.items()
        if not labels.get(number, Label("")).is_gone
        or any(use.used or use.held for use in uses.values())
    }


def _possible(asked: Asked, month: MonthToDate) -> Choice:
    choice = asked.choice
    used = {use.service for use in month.numbers if use.used}
    if not asked.picks and used == {Service.SMS}:
        choice = replace(choice, service=Service.SMS)
    known = {use.number_id for use in month.numbers}
    return choice if choice.number_id in known else replace(choice, number_id="")


def text_of(labels: dict[str, Label], number_id: str) -> str:
    """A number as people call it."""
    label = labels.get(number_id)
    return label.text if label is not None else number_id


def _member(kind: type[Member], value: str, otherwise: Member) -> Member:
    return kind(value) if value in list(kind) else otherwise
