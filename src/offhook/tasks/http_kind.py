"""The kind "HTTP request": a call of the owner's own system, through the guarded client (SEC24)."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from offhook.outgoing import Answer, Call, NotReached, OutgoingProblem
from offhook.tasks import requests, secret_store, templating
from offhook.tasks.kinds import Done, Kind, Means, NotDone, Order, Outcome
from offhook.tasks.requests import Rendered, RequestConfig
from offhook.tasks.scope import Scope
from offhook.tasks.templating import TemplateError

log = logging.getLogger(__name__)
RECORDED = 1_024
"""Characters of an answer that the run's record keeps (T3)."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
FAILED = "I am sorry, that did not work."
UNKNOWN = "I am sorry, I cannot tell whether that worked."


def surroundings(order: Order) -> dict[str, Any]:
    """What templates may ask for besides the inputs: the scope, as code set it."""
    scope: Scope = order.scope
    return {
        **order.inputs,
        "run.id": order.run_id,
        "conversation.id": scope.conversation_id,
        "conversation.channel": scope.channel,
        "contact.id": scope.contact_id or None,
        "contact.phone": scope.caller or None,
        "number.id": scope.number_id,
        "agent.id": scope.agent_id,
    }


async def rendered(
    means: Means, order: Order, config: RequestConfig, passing: Mapping[str, str] | None = None
) -> tuple[Rendered, dict[str, str]]:
    """The request with its secrets in it, and these. Raises TemplateError, SecretNotFound.

    `passing`: secrets of this run alone, by name, which are stored nowhere.
    """
    given = dict(passing or {})
    async with means.database.team(order.scope.team_id) as session:
        secrets = await secret_store.opened(
            session, means.vault, order.scope.team_id, config.secrets() - given.keys()
        )
    secrets |= given
    values = surroundings(order)
    values |= {templating.SECRET + name: value for name, value in secrets.items()}
    return requests.render(config, values, order.run_id), secrets


def recorded(request: Rendered, secrets: Mapping[str, str]) -> dict[str, Any]:
    """The request as people may see it."""
    return templating.without(request.model_dump(), secrets)


async def show(means: Means, order: Order) -> Mapping[str, Any]:
    """The request as it would be sent. Raises TemplateError, SecretNotFound."""
    return recorded(*await rendered(means, order, order.config))


async def act(means: Means, order: Order) -> Outcome:
    """Send it once; the answer's status decides."""
    return await send(means, order, order.config)


async def send(
    means: Means, order: Order, config: RequestConfig, passing: Mapping[str, str] | None = None
) -> Outcome:
    """Send a request of this run once; the answer's status decides."""
    try:
        request, secrets = await rendered(means, order, config, passing)
    except TemplateError as error:
        log.info("run %s: %s", order.run_id, error)
        return NotDone(config.failure or FAILED, code="template", sent=False)
    shown = recorded(request, secrets)
    body = request.body.encode("utf-8", "replace")
    call = Call(
        request.method, request.url, request.headers, body, total_s=max(order.timeout_s, 1.0)
    )
    try:
        answer = await means.outgoing.send(call)
    except OutgoingProblem as problem:
        sent = isinstance(problem, NotReached) and problem.sent
        reason = UNKNOWN if sent and not config.may_repeat else FAILED
        return NotDone(
            config.failure or reason,
            code=problem.code,
            sent=sent,
            passing=isinstance(problem, NotReached),
            request=shown,
            response=problem.sentence,
        )
    return _outcome(order, config, answer, shown, secrets)


def _outcome(
    order: Order,
    config: RequestConfig,
    answer: Answer,
    shown: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> Outcome:
    kind = answer.headers.get("content-type", "")
    data = templating.without(requests.read_answer(answer.body, kind), secrets)
    response = f"{answer.status}\n{templating.as_text(data)}"[:RECORDED]
    if HTTPStatus(200) <= answer.status < HTTPStatus(300):
        return Done(
            requests.told(config.answer, surroundings(order), data),
            data=requests.bounded(data),
            request=shown,
            response=response,
        )
    return NotDone(
        config.failure or FAILED,
        code=f"status_{answer.status}",
        passing=answer.status in PASSING,
        request=shown,
        response=response,
    )


KIND = Kind(
    name="http",
    title="HTTP request",
    description="Asks or tells another system over HTTPS.",
    icon="globe",
    config=RequestConfig,
    effect=lambda config: config.effect,
    outside=act,
    show=show,
    repeatable=lambda config: config.may_repeat,
    form="tasks/kinds/http.html",
)
