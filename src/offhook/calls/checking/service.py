"""The checks of a number, each asked where a call or text would pass.

What the database knows is read in one transaction; the network is asked without one.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import select

from offhook import billing, numbers, usage
from offhook.agents import Snapshot
from offhook.calls.checking import loop, rules
from offhook.calls.checking.rules import Finding
from offhook.calls.models import MediaNode
from offhook.calls.rules import NODE_SILENT_AFTER
from offhook.calls.tokens import CHECK_S, check_token
from offhook.carriers import CarrierProblem, Carriers, Refused, call_back
from offhook.db import Database, Session, now
from offhook.settings import Settings

PATH = "/carriers/twilio/check"
AT_ONCE = 2  # checks of one process; each takes a line for some seconds
UNITS = {numbers.Service.CALLS: "minutes", numbers.Service.SMS: "messages"}
SPOKEN = {numbers.Service.CALLS: "Calls", numbers.Service.SMS: "Texts"}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the database knows of a number."""

    number: numbers.Number
    snapshot: Snapshot | None
    answering: Finding
    credit: Finding
    nodes: list[str]


class Checks:
    """Looks at numbers of this installation."""

    def __init__(
        self, settings: Settings, database: Database, carriers: Carriers, secret: bytes
    ) -> None:
        self._settings = settings
        self._database = database
        self._carriers = carriers
        self._secret = secret
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def number(self, team_id: str, number_id: str) -> list[Finding]:
        """Every line, in the order in which a call passes. Raises NumberNotFound."""
        async with self._database.team(team_id) as session:
            facts = await self._facts(session, team_id, number_id)
        async with self._turn:
            routing, callbacks, voice = await asyncio.gather(
                self._routing(facts.number), self._callbacks(facts.number), self._voice(facts)
            )
        simulated = self._settings.carrier == "simulator"
        registered = rules.registrations(facts.number.registrations, simulated=simulated)
        texts = [registered] if facts.number.sms_enabled else []
        return [facts.answering, routing, *callbacks, voice, facts.credit, *texts]

    async def _facts(self, session: Session, team_id: str, number_id: str) -> _Facts:
        number = await numbers.get(session, team_id, number_id)
        on = [each for each in numbers.Service if number.configuration.offers(each)]
        snapshot, refusals = None, dict[str, numbers.Reason]()
        left = dict[str, int | None]()
        for service in on:
            answer = await numbers.answering(session, team_id, number_id, service)
            if isinstance(answer, numbers.Answerer):
                snapshot = answer.agent
            elif answer is not None:
                refusals[SPOKEN[service]] = answer.reason
            balance = await usage.balance(session, team_id, number_id=number_id, service=service)
            left[UNITS[service]] = balance.left
        standing = await billing.standing(session, team_id)
        spent = await usage.spent(session, team_id)
        since = await now(session) - NODE_SILENT_AFTER
        nodes = await session.scalars(
            select(MediaNode.url).where(MediaNode.heartbeat_at > since).order_by(MediaNode.id)
        )
        return _Facts(
            number,
            snapshot,
            rules.answering(await numbers.missing(session, number), refusals),
            rules.credit(
                "" if standing.services_on else standing.reason, left, cap_reached=spent.is_reached
            ),
            list(nodes),
        )

    async def _routing(self, number: numbers.Number) -> Finding:
        try:
            carrier = await self._carriers.of(number.account_id)
            routing = await carrier.routing(number.carrier_id)
        except Refused as refused:
            why = "The carrier does not know the number." if refused.gone else refused.sentence
            remedy = refused.remedy or "Look at the number in the carrier's console."
            return rules.failed("routing", "Routing at the carrier", why, remedy)
        except CarrierProblem as problem:
            remedy = problem.remedy or "Try again in a moment."
            return rules.failed("routing", "Routing at the carrier", problem.sentence, remedy)
        base = f"{self._settings.web_url}/carriers/twilio"
        return rules.routing(routing, base, calls=number.calls_enabled, texts=number.sms_enabled)

    async def _callbacks(self, number: numbers.Number) -> list[Finding]:
        url = f"{self._settings.web_url}{PATH}"
        simulated = self._settings.carrier == "simulator"
        if (unreachable := rules.public(url, simulated=simulated)) is not None:
            return [unreachable]
        try:
            account = await self._carriers.account(number.account_id)
        except CarrierProblem as problem:
            return [rules.failed("signature", "Signature", problem.sentence, problem.remedy)]
        nonce = secrets.token_urlsafe(16)
        fields = [("AccountSid", account.sid), ("Nonce", nonce), ("To", number.e164)]
        return rules.callbacks(await call_back(account, url, fields), nonce, url)

    async def _voice(self, facts: _Facts) -> Finding:
        if not facts.number.calls_enabled:
            return rules.skipped("voice", "Voice", "Not looked at: calls are switched off.")
        if not facts.nodes:
            return rules.voice(loop.SENTENCE, None, "No media process is running.")
        snapshot = facts.snapshot
        until = int(time.time()) + CHECK_S
        nonce = secrets.token_urlsafe(16)
        parameters = {
            "check": nonce,
            "until": str(until),
            "token": check_token(self._secret, nonce, until),
            "voice": snapshot.voice if snapshot else "",
            "language": snapshot.language if snapshot else "en",
        }
        looped = await loop.hear_back(facts.nodes[0], parameters)
        return rules.voice(loop.SENTENCE, looped.heard, looped.trouble)
