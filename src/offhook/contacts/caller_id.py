"""The name that the carrier has for a new contact's number (P2): looked up once, by a job.

What a directory says is a hint: it is kept with the source `caller_id` and gives way to every
other source. Entries that name no person are left out.
"""

import re
from collections.abc import Mapping
from contextlib import suppress

from offhook import costs
from offhook.carriers import CallerName, Carriers
from offhook.contacts import service
from offhook.contacts.profile import Given, put
from offhook.contacts.rules import COMPANY, MAX_NAME_CHARACTERS, NAME, Source, tidy
from offhook.db import Database
from offhook.phone import E164
from offhook.settings import Settings

MODEL = "caller name"
NAMELESS = frozenset(
    {
        *("anonymous", "cell phone", "no name", "not available", "out of area", "private"),
        *("private caller", "restricted", "toll free", "toll free call", "toll free caller"),
        *("unavailable", "unknown", "unknown caller", "unknown name", "wireless", "wireless call"),
        *("wireless caller", "name unavailable", "cellular call", "private number"),
    }
)
PLACE = re.compile(r".+\s{2,}[A-Z]{2}")
"""Where a line has no name its directory often tells the place: "CHICAGO      IL"."""


class CallerNames:
    """The job `contacts.look_up` of one process."""

    def __init__(self, settings: Settings, database: Database, carriers: Carriers) -> None:
        self._wanted = settings.caller_names
        self._vendor = settings.carrier
        self._database = database
        self._carriers = carriers

    async def look_up(self, team_id: str, contact_id: str) -> None:
        """Ask the operator's carrier for the name, and keep it where nothing better is known.

        The number is read here: a job's arguments are logged (SEC20).
        """
        if not self._wanted:
            return
        async with self._database.team(team_id) as session:
            contact = (await service.of(session, team_id, [contact_id])).get(contact_id)
        if contact is None:
            return  # erased meanwhile
        found = await self._carriers.operator.caller_name(E164(contact.e164))
        async with self._database.team(team_id) as session:
            used = [costs.Used(costs.Kind.LOOK_UPS, self._vendor, MODEL, 1)]
            await costs.record(session, team_id, conversation_id="", number_id="", used=used)
            if not (values := read(found)):
                return
            with suppress(service.ContactNotFound):  # as above
                contact = await service.get(session, team_id, contact_id, lock=True)
                await put(session, contact, values, Given(Source.CALLER_ID))


def read(found: CallerName | None) -> Mapping[str, str]:
    """The values that a directory's entry gives: none, a name, or a company."""
    if found is None or PLACE.fullmatch(found.name.strip()):
        return {}
    name = tidy(found.name)
    if not name or name.casefold() in NAMELESS or not re.search(r"[^\W\d_]", name):
        return {}
    if not found.business and name.count(",") == 1:
        last, first = name.split(",")
        name = tidy(f"{first} {last}")
    name = (name.title() if name.isupper() else name)[:MAX_NAME_CHARACTERS]
    return {NAME: name, COMPANY: name} if found.business else {NAME: name}
