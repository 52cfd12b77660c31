"""The HTTP toolkit: page shell, components, problems, CSRF, pagination, live updates.

Rooms use it for their pages and their API; it knows none of them. A room's router, in short
(`CurrentActor`, `TeamSession`, `OnceOnly`, `require` come from `offhook.teams`):

    router = APIRouter()                                    # numbers/pages.py, included by app.py

    @router.get("/numbers")
    async def index(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
        rows = await service.numbers(session, actor.team_id)
        return render(request, "numbers/list.html", numbers=rows)

    @router.get("/numbers/rows")                            # the fragment that live news reload
    async def rows(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
        rows = await service.numbers(session, actor.team_id)
        return render(request, "numbers/list.html", block="rows", numbers=rows)

    @router.post("/numbers/{number_id}/name")
    async def rename(request: Request, number_id: str, name: Annotated[str, Form()],
                     actor: Annotated[Actor, Depends(require(Role.ADMIN))],
                     session: TeamSession) -> Response:
        await service.rename(session, actor.team_id, number_id, name)   # may raise a Problem
        return redirect(request, f"/numbers/{number_id}", toast="Saved")

    {# numbers/templates/numbers/list.html; the components are there as `ui` (see /design) #}
    {% extends "shell.html" %}
    {% block title %}Telephony{% endblock %}
    {% block head %}{% call ui.head("Telephony") %}
      {{ ui.button("Add", kind="primary", icon="plus", href="/numbers/add") }}
    {% endcall %}{% endblock %}
    {% block content %}
    <div {{ ui.live("number", "/numbers/rows") }}>{% block rows scoped %} … {% endblock %}</div>
    {% call ui.form("/numbers/" ~ id ~ "/name") %}{{ ui.field("name", "Name", name) }}
      {{ ui.button("Save", kind="primary", type="submit") }}{% endcall %}
    {% endblock %}

Topics are those that `offhook.db` tells: an event `number.enabled` is news of `number`, and of
`conversation:<id>` where it has one; `touch` names others, `ACCESS` among them: whoever watches the
team is asked anew who they are. A fragment is what stands inside
its element. Data that pass by (`live.push`, `live.source`) reach an element with `data-live-data`
as a DOM event `live:data`. Scripts of one page go to frontend/pages/ and in `{% block scripts %}`:
`<script type="module" src="{{ asset('pages/inbox.js') }}"></script>`.

A `Problem` that a service raises becomes problem+json below `/api/`, and on a page a message beside
the form that keeps its input; nobody catches it. A request is one transaction: `TeamSession`
commits when the function returns and rolls back when it raises. REST goes under `/api/v1` with
`PagingQuery` and `paginate` for lists, `OnceOnly` for what a repeated POST must not do twice, and
`shapes` for values that many rooms take (a day, a number, a zone). `figures` reads the numbers in
forms. An upload's route names its size: `@router.post(..., max_body_size=25_000_000)`; all else is
1 MB.
"""

from offhook.web import figures, shapes
from offhook.web.countries import countries, country_name
from offhook.web.csrf import SESSION_COOKIE
from offhook.web.filters import money as money_text
from offhook.web.headers import Others
from offhook.web.idempotency import Once, forget_old
from offhook.web.kit import MAX_BODY, PING, Server, add_routes, create_app, server
from offhook.web.live import ACCESS, LiveHub
from offhook.web.page import (
    NAVIGATION,
    OPERATOR_NAVIGATION,
    Banner,
    Kit,
    NavItem,
    Viewer,
    kit,
    redirect,
    render,
)
from offhook.web.pagination import Page, Paging, PagingQuery, beyond, paginate
from offhook.web.pagination import decode as decode_cursor
from offhook.web.pagination import encode as encode_cursor
from offhook.web.spreadsheet import csv_cell, csv_line

__all__ = [
    "ACCESS",
    "MAX_BODY",
    "NAVIGATION",
    "OPERATOR_NAVIGATION",
    "PING",
    "SESSION_COOKIE",
    "Banner",
    "Kit",
    "LiveHub",
    "NavItem",
    "Once",
    "Others",
    "Page",
    "Paging",
    "PagingQuery",
    "Server",
    "Viewer",
    "add_routes",
    "beyond",
    "countries",
    "country_name",
    "create_app",
    "csv_cell",
    "csv_line",
    "decode_cursor",
    "encode_cursor",
    "figures",
    "forget_old",
    "kit",
    "money_text",
    "paginate",
    "redirect",
    "render",
    "server",
    "shapes",
]
