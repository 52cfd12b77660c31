"""Pages of entries over months and services, by a cursor that names the last one seen."""

from datetime import datetime

from offhook.db import Session
from offhook.usage import entries
from offhook.usage.entries import KEY_KINDS, Key, RatedEntry, key_of, rated_by
from offhook.usage.export import Asked
from offhook.web import Paging, decode_cursor, encode_cursor

CURSOR = (datetime, str, *KEY_KINDS)


async def page_of(
    session: Session, team_id: str, asked: Asked, paging: Paging
) -> tuple[list[RatedEntry], str | None]:
    """One page in the order of an export, and the cursor of the next. Raises CursorInvalid."""
    seen = _seen(paging.cursor)
    found: list[RatedEntry] = []
    for month in asked.months:
        for service in asked.services:
            place = (month.period.starts_at, service.value)
            if seen is not None and place < seen[0]:
                continue
            free = await entries.free_ids(session, team_id, service, month)
            found += await entries.of_month(
                session,
                team_id,
                service,
                month.period.starts_at,
                rated_by(asked.wanted, free),
                after=seen[1] if seen is not None and place == seen[0] else None,
                limit=paging.limit + 1 - len(found),
            )
            if len(found) > paging.limit:
                shown = found[: paging.limit]
                return shown, _cursor(shown[-1])
    return found, None


def _cursor(last: RatedEntry) -> str:
    return encode_cursor([last.period_start, last.service.value, *last.key])


def _seen(cursor: str) -> tuple[tuple[datetime, str], Key] | None:
    if not cursor:
        return None
    start, service, *key = decode_cursor(cursor, CURSOR)
    return (start, service), key_of(key)
