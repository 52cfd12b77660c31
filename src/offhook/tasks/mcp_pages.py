"""Pages of MCP servers: what a server offers, tools made tasks, a tool that has changed (T2).

/tasks/mcp, and the step on a task's page that takes its tool as it is now
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, Response

from offhook.tasks import forms, mcp_kind, service
from offhook.tasks.api import runner
from offhook.tasks.mcp_kind import McpServer
from offhook.tasks.problems import TaskInvalid
from offhook.teams import AdminActor, Role, TeamSession, require
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=100_000)]


async def _form(request: Request) -> FormData:
    return await request.form()


Fields = Annotated[FormData, Depends(_form)]


@router.get("/tasks/mcp", dependencies=[Depends(require(Role.ADMIN))])
async def mcp_page(request: Request) -> HTMLResponse:
    return render(request, "tasks/mcp.html")


@router.post("/tasks/mcp/tools")
async def mcp_tools(
    request: Request, actor: AdminActor, *, url: Text = "", headers: Text = ""
) -> HTMLResponse:
    """What a server offers, to be chosen from."""
    server = _server(url, headers)
    found = await mcp_kind.tools_of(runner(request).means, actor.team_id, server)
    return render(request, "tasks/mcp_tools.html", tools=found, url=url, headers=headers)


@router.post("/tasks/mcp")
async def add_tools(
    request: Request, actor: AdminActor, session: TeamSession, *, fields: Fields,
    url: Text = "", headers: Text = "",
) -> Response:  # fmt: skip
    """Make a task of each chosen tool, with the schema that the server lists now."""
    server = _server(url, headers)
    chosen = {str(each) for each in fields.getlist("tools")}
    found = await mcp_kind.tools_of(runner(request).means, actor.team_id, server)
    made = [each for each in found if each.tool in chosen and not each.obstacle]
    for each in made:
        await service.create(
            session,
            actor.team_id,
            kind=mcp_kind.KIND.name,
            title=each.title[:80],
            description=each.description[:1_000],
            config={
                **server.model_dump(),
                "tool": each.tool,
                "input_schema": dict(each.input_schema),
                "reads_only": each.reads_only,
                "repeatable": each.repeatable,
            },
        )
    return redirect(request, "/tasks", toast=f"{len(made)} added")


@router.post("/tasks/{task_id}/mcp")
async def renew(
    request: Request, task_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    """Take the tool as its server describes it now."""
    await mcp_kind.renew(runner(request).means, session, actor.team_id, task_id)
    return redirect(request, f"/tasks/{task_id}", toast="The tool is as the server says now")


def _server(url: str, headers: str) -> McpServer:
    try:
        return McpServer.model_validate({"url": url, "headers": forms.pairs(headers, ":")})
    except ValueError as error:
        sentence = "The address or a header cannot be used."
        raise TaskInvalid(
            sentence,
            remedy="Write https://example.com/mcp, and headers as Name: value.",
            errors=[{"field": "url", "sentence": sentence}],
        ) from error
