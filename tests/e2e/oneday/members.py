"""What the team does in a day, by REST: a thread taken over, a text by hand, a call, a block."""

import asyncio
from typing import Any

import httpx

from oneday.history import Row
from oneday.script import Desk, Do
from oneday.sheet import TRIED_AGAIN
from oneday.telephones import AGAIN_AFTER_S, TRIES
from oneday.witness import PATIENCE_S, Witness

LOOK_EVERY_S = 0.5
TALKS_S = 8.0


class Members:
    """A program with the owner's key; `desks` are the ids of the numbers."""

    def __init__(self, client: httpx.AsyncClient, desks: dict[Desk, str], carrier: Witness) -> None:
        self._client = client
        self._desks = desks
        self._carrier = carrier

    async def thread(self, person: str, desk: Desk) -> str:
        """The conversation of this person and number."""
        wanted = {"number_id": self._desks[desk], "contact_id": await self._contact(person)}
        [thread] = await self._list("/conversations", channel="sms", **wanted)
        return thread["id"]

    async def take(self, thread: str) -> None:
        await self._post(f"/conversations/{thread}/take-over")

    async def give(self, thread: str) -> None:
        await self._post(f"/conversations/{thread}/hand-back")

    async def write(self, person: str, desk: Desk, body: str) -> httpx.Response:
        wanted = {"number_id": self._desks[desk], "to": person, "body": body}
        return await self._client.post("/messages", json=wanted)

    async def block(self, person: str) -> None:
        contact = await self._contact(person)
        answer = await self._client.put(f"/contacts/{contact}/blocked", json={"blocked": True})
        assert answer.is_success, answer.text

    async def call(self, person: str, desk: Desk, do: Do) -> None:
        """Have the agent call somebody, and wait for the call's end."""
        manner = {Do.CALLED: "answers", Do.CALLED_BUSY: "busy"}.get(do)
        if manner:
            talks_s = TALKS_S if do is Do.CALLED else 0.0
            await self._carrier.ask(
                "people", [{"number": person, "manner": manner, "talks_s": talks_s}]
            )
        for _ in range(TRIES):
            call = await self._post("/calls", {"number_id": self._desks[desk], "to": person})
            if await self._ended(call["id"]) not in TRIED_AGAIN:
                return
            await asyncio.sleep(AGAIN_AFTER_S)
        raise AssertionError(f"{person} could never be called")

    async def _ended(self, call_id: str) -> str:
        """Why it ended, once it has."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                call = await self._get(f"/calls/{call_id}")
                if call["state"] == "ended":
                    return call["reason"]
                await asyncio.sleep(LOOK_EVERY_S)

    async def _contact(self, person: str) -> str:
        return (await self._list("/contacts", q=person))[0]["id"]

    async def _list(self, path: str, **params: str) -> list[Row]:
        return (await self._get(path, **params))["items"]

    async def _get(self, path: str, **params: str) -> Any:
        answer = await self._client.get(path, params=params)
        assert answer.is_success, answer.text
        return answer.json()

    async def _post(self, path: str, body: Row | None = None) -> Row:
        answer = await self._client.post(path, json=body or {})
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()
