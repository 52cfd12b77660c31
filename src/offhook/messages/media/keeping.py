"""Use cases of what comes with texts: expected with the text, fetched after it, given out.

A file is fetched outside any transaction, by the account that the text came to. One that cannot be
had now is tried again by the sweeper, for an hour; the text itself never waits for it.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import undefer

from offhook import inbox, numbers
from offhook.carriers import Carriers, Media, Refused, Unreachable
from offhook.db import Database, Session, enqueue, new_id, now
from offhook.errors import NotFound
from offhook.messages.media import sniffing
from offhook.messages.media.models import MediaState, MessageMedia
from offhook.messages.models import Message

log = logging.getLogger(__name__)
MEDIA_JOB = "messages.media"
MAX_BYTES = 8 * 1024 * 1024  # carriers take 5 MB; what they make of it for us may be larger
MAX_ATTEMPTS = 10
LATE = timedelta(seconds=60)
Told = dict[str, str | int]


class MediaNotFound(NotFound):
    code = "media_not_found"


def planned(media: Sequence[Media]) -> list[Told]:
    """What a turn says of files that are still to be fetched."""
    return [
        {"id": new_id("med"), "content_type": each.content_type[:100], "state": MediaState.WAITING}
        for each in media
    ]


async def expect(
    session: Session, message: Message, media: Sequence[Media], plan: Sequence[Told]
) -> None:
    """Have the files of a text fetched, under the ids that its turn tells."""
    for position, (each, told) in enumerate(zip(media, plan, strict=True)):
        session.add(
            MessageMedia(
                id=told["id"],
                team_id=message.team_id,
                message_id=message.id,
                position=position,
                url=each.url[:2_000],
                claimed_type=told["content_type"],
                state=MediaState.WAITING,
                created_at=message.created_at,
            )
        )
    if plan:
        await session.flush()
        await _enqueue(session, message.team_id, message.id)


async def get(session: Session, team_id: str, media_id: str) -> MessageMedia:
    """A kept file with its bytes. Raises MediaNotFound, also for another team's (SEC7)."""
    found = await session.scalar(
        select(MessageMedia)
        .where(
            MessageMedia.team_id == team_id,
            MessageMedia.id == media_id,
            MessageMedia.state == MediaState.KEPT,
        )
        .options(undefer(MessageMedia.content))
    )
    if found is None:
        raise MediaNotFound(
            f"There is no file “{media_id[:40]}”.", remedy="Take an id of a message's media."
        )
    return found


async def of_messages(
    session: Session, team_id: str, message_ids: Sequence[str]
) -> dict[str, list[MessageMedia]]:
    """The files of messages by message, in order, without their bytes."""
    rows = await session.scalars(
        select(MessageMedia)
        .where(MessageMedia.team_id == team_id, MessageMedia.message_id.in_(message_ids))
        .order_by(MessageMedia.message_id, MessageMedia.position)
    )
    found: dict[str, list[MessageMedia]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


class Keeping:
    """The job `messages.media` of one process."""

    def __init__(self, database: Database, carriers: Carriers) -> None:
        self._database = database
        self._carriers = carriers

    async def keep(self, team_id: str, message_id: str) -> None:
        """Fetch what is still to be had of this message; trying again is safe."""
        async with self._database.team(team_id) as session:
            account_id, waiting = await _waiting(session, team_id, message_id)
        for media_id, url in waiting:
            state, content = await self._fetched(account_id, url)
            async with self._database.team(team_id) as session:
                await _keep(session, team_id, media_id, state, content)

    async def _fetched(self, account_id: str | None, url: str) -> tuple[MediaState, bytes]:
        try:
            carrier = await self._carriers.of(account_id)
            content = await carrier.media(url, most_bytes=MAX_BYTES)
        except Unreachable as problem:
            log.warning("a file of a text could not be fetched: %s", problem.sentence)
            return MediaState.WAITING, b""
        except Refused as refusal:
            log.warning("a file of a text is not to be had: %s", refusal.sentence)
            return MediaState.REFUSED, b""
        return (MediaState.KEPT, content) if content else (MediaState.REFUSED, b"")


async def sweep(database: Database) -> None:
    """Try again what could not be fetched, of every team."""
    async with database.system() as session:
        before = await now(session) - LATE
        rows = await session.execute(
            select(MessageMedia.team_id, MessageMedia.message_id)
            .where(MessageMedia.state == MediaState.WAITING, MessageMedia.created_at < before)
            .distinct()
            .limit(100)
        )
        for team_id, message_id in rows.all():
            await _enqueue(session, team_id, message_id)


async def _enqueue(session: Session, team_id: str, message_id: str) -> None:
    await enqueue(session, MEDIA_JOB, lock=message_id, team_id=team_id, message_id=message_id)


async def _waiting(
    session: Session, team_id: str, message_id: str
) -> tuple[str | None, list[tuple[str, str]]]:
    """The account that the message came to, and what of its files is still to be fetched."""
    number_id = await session.scalar(
        select(Message.number_id).where(Message.team_id == team_id, Message.id == message_id)
    )
    rows = await session.execute(
        select(MessageMedia.id, MessageMedia.url)
        .where(
            MessageMedia.team_id == team_id,
            MessageMedia.message_id == message_id,
            MessageMedia.state == MediaState.WAITING,
        )
        .order_by(MessageMedia.position)
    )
    waiting = [(row.id, row.url) for row in rows]
    if number_id is None or not waiting:
        return None, []
    return await numbers.account_of(session, number_id), waiting


async def _keep(
    session: Session, team_id: str, media_id: str, state: MediaState, content: bytes
) -> None:
    row = await session.scalar(
        select(MessageMedia)
        .where(MessageMedia.team_id == team_id, MessageMedia.id == media_id)
        .with_for_update(key_share=True)
    )
    if row is None or row.state is not MediaState.WAITING:
        return
    row.attempts += 1
    if state is MediaState.WAITING and row.attempts >= MAX_ATTEMPTS:
        state = MediaState.LOST
    row.state = state
    if state is MediaState.KEPT:
        row.content, row.size_bytes = content, len(content)
        row.content_type = sniffing.kind_of(content)
    await session.flush()
    await _show(session, row)


async def _show(session: Session, row: MessageMedia) -> None:
    """Tell the turn what has become of the message's files."""
    message = await session.get_one(Message, row.message_id)
    if not message.turn_id:
        return
    files = await of_messages(session, row.team_id, [row.message_id])
    told = [
        {
            "id": each.id,
            "content_type": each.content_type or each.claimed_type,
            "state": each.state,
            "size_bytes": each.size_bytes,
        }
        for each in files[row.message_id]
    ]
    await inbox.update_turn(session, row.team_id, message.turn_id, media=told)
