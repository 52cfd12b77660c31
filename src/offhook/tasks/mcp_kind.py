"""The kind "MCP tool": a tool of a server that speaks the Model Context Protocol (T2).

Each chosen tool is a task of its own, its inputs those of the tool's schema; a tool that the server
adds later is nobody's until it is chosen. Reached through the guarded client, a session per run.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from offhook.db import Session
from offhook.errors import Invalid, Problem
from offhook.outgoing import NotReached
from offhook.tasks import mcp_schema, requests, secret_store, service, templating
from offhook.tasks.http_kind import FAILED, RECORDED, UNKNOWN
from offhook.tasks.kinds import Done, Kind, Means, NotDone, Order, Outcome
from offhook.tasks.models import Task
from offhook.tasks.requests import Pair
from offhook.tasks.rules import Effect
from offhook.tasks.toolbox import Input

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

log = logging.getLogger(__name__)
MAX_TOOLS = 200
CHANGED = "tool_changed"
LIST_S = 15.0


class ServerUnusable(Invalid):
    code = "mcp_server_unusable"


class McpServer(BaseModel):
    """Where a server is, and what it is sent with each request: `{{secret:NAME}}` in a header."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(min_length=1, max_length=2_000, examples=["https://example.com/mcp"])
    headers: list[Pair] = Field(default=[], max_length=20)

    @field_validator("url")
    @classmethod
    def _fixed(cls, url: str) -> str:
        if "{{" in url or not requests.AUTHORITY.match(url.strip()):
            raise ValueError("write it as https://example.com/mcp")
        return url.strip()

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: list[Pair]) -> list[Pair]:
        return requests.sendable(headers)


class ToolConfig(McpServer):
    """One tool of a server."""

    tool: str = Field(min_length=1, max_length=128)
    input_schema: dict[str, JsonValue] = Field(
        description="The tool's JSON schema, as the server lists it."
    )
    reads_only: bool = Field(default=False, description="Changes nothing: needs no confirmation.")
    repeatable: bool = Field(default=False, description="Calling it twice is harmless.")
    answer: str = Field(
        default="",
        max_length=1_000,
        description="What the agent says, with {{answer.path.to.value}}; empty: it is told the "
        "answer as data.",
    )

    @field_validator("input_schema")
    @classmethod
    def _askable(cls, schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if why := mcp_schema.obstacle(schema):
            raise ValueError(why)
        return schema


@dataclass(frozen=True, slots=True)
class Found:
    """A tool that a server lists. `obstacle`: why it cannot be a task; "" if it can.

    `reads_only` and `repeatable` are what the server says of itself: hints for the owner's choice.
    """

    tool: str
    title: str
    description: str
    input_schema: Mapping[str, Any]
    inputs: Sequence[Input]
    reads_only: bool
    repeatable: bool
    obstacle: str


async def tools_of(means: Means, team_id: str, server: McpServer) -> list[Found]:
    """What a server offers. Raises ServerUnusable with the reason."""
    headers, secrets = await _headers(means, team_id, server, {})
    found: list[Found] = []
    try:
        async with (
            asyncio.timeout(LIST_S),
            _session(means, server.url, headers, LIST_S) as client,
        ):
            cursor: str | None = None
            while True:
                page = await client.list_tools(cursor=cursor)
                found += [_found(tool) for tool in page.tools]
                cursor = page.next_cursor
                if not cursor or len(found) >= MAX_TOOLS:
                    return found[:MAX_TOOLS]
    except Problem as problem:
        sentence = templating.without(problem.sentence, secrets)
        raise ServerUnusable(sentence, remedy="Check the address and its headers.") from problem
    except TimeoutError as error:
        raise ServerUnusable(
            f"The server did not list its tools within {LIST_S:g} s.",
            remedy="Check its address, or ask whoever runs it.",
        ) from error


async def show(_: Means, order: Order) -> Mapping[str, Any]:
    """The call as it would be made."""
    config: ToolConfig = order.config
    return {"url": config.url, "tool": config.tool, "arguments": dict(order.inputs)}


async def act(means: Means, order: Order) -> Outcome:
    """Call the tool once."""
    config: ToolConfig = order.config
    headers, secrets = await _headers(
        means, order.scope.team_id, config, {"Idempotency-Key": order.run_id}
    )
    shown = templating.without(await show(means, order), secrets)
    try:
        async with _session(means, config.url, headers, order.timeout_s) as client:
            if why := _difference(await _listed(client, config.tool), config):
                return NotDone(FAILED, code=CHANGED, sent=False, request=shown, response=why)
            result = await client.call_tool(config.tool, dict(order.inputs))
    except Problem as problem:
        sent = problem.sent if isinstance(problem, NotReached | _Broken) else False
        return NotDone(
            UNKNOWN if sent and not _may_repeat(config) else FAILED,
            code=problem.code,
            sent=sent,
            passing=isinstance(problem, NotReached),
            request=shown,
            response=templating.without(problem.sentence, secrets),
        )
    data = templating.without(_data(result), secrets)
    response = templating.as_text(data)[:RECORDED]
    if result.is_error:
        return NotDone(FAILED, code="tool_error", request=shown, response=response)
    answer = requests.told(config.answer, order.inputs, data)
    return Done(answer, data=requests.bounded(data), request=shown, response=response)


async def renew(means: Means, session: Session, team_id: str, task_id: str) -> Task:
    """Let a task have its tool as the server describes it now: its inputs may be others, and what
    was read back is read back again. Raises ServerUnusable where the server has it no more.
    """
    task = await service.get(session, team_id, task_id)
    if task.kind != KIND.name:
        raise ServerUnusable(f"“{task.title}” is no tool of a server.", remedy="Change it by hand.")
    config = ToolConfig.model_validate(task.config)
    found = {each.tool: each for each in await tools_of(means, team_id, config)}
    tool = found.get(config.tool)
    if tool is None:
        raise ServerUnusable(
            f"The server has no tool “{config.tool}” any more.",
            remedy="Delete the task, or choose another tool.",
        )
    changed = {"input_schema": dict(tool.input_schema), "reads_only": config.reads_only}
    if not tool.reads_only:
        changed["reads_only"] = False  # what now changes something is confirmed before it runs
    return await service.update(session, team_id, task_id, config={**task.config, **changed})


async def _listed(client: "Client", name: str) -> "Tool | None":
    cursor: str | None = None
    for _ in range(MAX_TOOLS):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            if tool.name == name:
                return tool
        cursor = page.next_cursor
        if not cursor:
            break
    return None


def _difference(tool: "Tool | None", config: ToolConfig) -> str:
    """What became of a tool since its owner looked at it; "" if it is the same.

    A server that is taken over may let a harmless tool ask for other things: it is not called.
    """
    if tool is None:
        return f"The server has no tool “{config.tool}” any more."
    if tool.input_schema != config.input_schema:
        return f"The server asks for other inputs of “{config.tool}” than when it was chosen."
    return ""


class _Broken(Problem):
    """The server answered something that is no MCP, or an error of the protocol."""

    code = "mcp_error"
    sent = True


@asynccontextmanager
async def _session(
    means: Means, url: str, headers: Mapping[str, str], seconds: float
) -> "AsyncGenerator[Client]":
    """A session through the guard. Raises NotReached, UrlRefused, NotPublic or _Broken."""
    # On first use: the library and its HTTP client cost most of a second.
    from mcp import Client, MCPError
    from mcp.client.streamable_http import streamable_http_client

    from offhook.outgoing import mcp as guarded

    means.outgoing.check_url(url)
    http = guarded.client(means.outgoing, headers, seconds)
    try:
        async with (
            http,
            Client(streamable_http_client(url, http_client=http), cache=None) as client,
        ):
            yield client
    except Exception as error:  # the library's task groups wrap whatever it is: seen below
        found = http.failure or _first(error)
        if isinstance(found, Problem):
            raise found from error
        if not isinstance(found, MCPError | OSError | RuntimeError | ValueError):
            raise
        words = " ".join(str(found).split())[:300]
        raise _Broken(f"The server says: {words or 'nothing'}.") from error


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", error)
        error = group.exceptions[0]
    return error


async def _headers(
    means: Means, team_id: str, server: McpServer, others: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    names = {
        name.removeprefix(templating.SECRET)
        for pair in server.headers
        for name in templating.names(pair.value)
    }
    async with means.database.team(team_id) as session:
        secrets = await secret_store.opened(session, means.vault, team_id, names)
    values = {templating.SECRET + name: value for name, value in secrets.items()}
    written = {pair.name: templating.header(pair.value, values.get) for pair in server.headers}
    return written | dict(others), secrets


def _found(tool: "Tool") -> Found:
    hints = tool.annotations
    reads_only = bool(hints and hints.read_only_hint)
    return Found(
        tool=tool.name,
        title=tool.title or (hints.title if hints and hints.title else tool.name),
        description=(tool.description or "").strip(),
        input_schema=tool.input_schema,
        inputs=mcp_schema.inputs(tool.input_schema),
        reads_only=reads_only,
        repeatable=reads_only or bool(hints and hints.idempotent_hint),
        obstacle=mcp_schema.obstacle(tool.input_schema),
    )


def _data(result: "CallToolResult") -> Any:
    if result.structured_content is not None:
        return result.structured_content
    texts = [each.text for each in result.content if each.type == "text"]
    return "\n".join(texts)


def _may_repeat(config: ToolConfig) -> bool:
    return config.repeatable or config.reads_only


KIND = Kind(
    name="mcp",
    title="MCP tool",
    description="Calls a tool of a server that speaks the Model Context Protocol.",
    icon="plug",
    config=ToolConfig,
    effect=lambda config: Effect.READ if config.reads_only else Effect.ACT,
    outside=act,
    show=show,
    repeatable=_may_repeat,
    inputs=lambda config: mcp_schema.inputs(config.input_schema),
    form="tasks/kinds/mcp.html",
)
