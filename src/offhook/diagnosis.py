"""`offhook doctor`: whether the numbers of a running installation would really answer.

Asks the database and the running processes, as the page of a number does; changes nothing.
"""

from dataclasses import dataclass

from offhook import app, calls, db, numbers, phone
from offhook.settings import Settings, secret_key

MARKS = {calls.State.PASSED: "ok", calls.State.FAILED: "FAILED", calls.State.SKIPPED: "-"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor found, a line for each."""

    well: bool
    lines: list[str]


async def diagnose(settings: Settings, url: str, e164: str = "") -> Diagnosis:
    """Check every enabled number of the running installation, or the one named, as its page does.

    Raises NumberNotFound.
    """
    app.join_rooms(settings)
    database = db.Database(url, pool_size=4)
    accounts = app.open_carriers(settings, database)
    checks = calls.Checks(settings, database, accounts, secret_key(settings))
    well, lines = True, list[str]()
    try:
        async with database.system() as session:
            there = await calls.lines(session)
            held = await numbers.all_enabled(session)
            if e164:
                named = await numbers.held(session, phone.parse(e164))
                held = [numbers.found(named, e164)]
        lines.append(f"{there.processes} media processes, {there.live} of {there.capacity} lines")
        for number in held:
            lines.append(f"{number.e164} {number.name}".rstrip())
            for each in await checks.number(number.team_id, number.id):
                well = well and not each.failed
                lines += [f"  {MARKS[each.state]:<7} {each.title}: {each.sentence}"]
                lines += [f"          {each.remedy}"] if each.remedy else []
    finally:
        await accounts.aclose()
        await database.close()
    return Diagnosis(well and there.processes > 0, lines)
