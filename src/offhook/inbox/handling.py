"""What members do about a conversation: read, label, assign, snooze, take over (I6, S7).

Each takes a session and the team; the caller commits. `by` is a member's id or a key's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from offhook import teams
from offhook.db import Session, now, touch
from offhook.errors import Conflict, Invalid
from offhook.inbox import rules, service
from offhook.inbox.listing import read_by
from offhook.inbox.models import (
    Conversation,
    Label,
    Labelled,
    Read,
    Reader,
    Speaker,
    State,
)

MOMENT = timedelta(microseconds=1)


class LabelInvalid(Invalid):
    code = "label_invalid"


class SnoozeInvalid(Invalid):
    code = "snooze_invalid"


class AssigneeUnknown(Invalid):
    code = "assignee_unknown"


class TakenOver(Conflict):
    code = "taken_over"


async def mark_read(session: Session, team_id: str, conversation_id: str, by: str) -> None:
    """`by` has looked at it. Open pages are told only when that changed something."""
    conversation = await service.get(session, team_id, conversation_id)
    heard = conversation.last_heard_at
    if heard is None:
        return
    known = await _read_at(session, team_id, conversation_id, by)
    if heard <= (known or (await read_by(session, team_id, by)).until):
        return
    await _write_read(session, team_id, conversation_id, by, heard)
    await touch(session, team_id, "inbox")


async def mark_unread(session: Session, team_id: str, conversation_id: str, by: str) -> None:
    """`by` wants to see it again; what nobody said anything in cannot be unread."""
    conversation = await service.get(session, team_id, conversation_id)
    if conversation.last_heard_at is not None:
        before = conversation.last_heard_at - MOMENT
        await _write_read(session, team_id, conversation_id, by, before)
        await touch(session, team_id, "inbox")


async def mark_all_read(session: Session, team_id: str, by: str) -> None:
    """`by` has read all that was said up to now."""
    instant = await now(session)
    await session.execute(
        insert(Reader)
        .values(team_id=team_id, reader=by, all_read_at=instant)
        .on_conflict_do_update(
            index_elements=[Reader.team_id, Reader.reader], set_={"all_read_at": instant}
        )
    )
    await session.execute(delete(Read).where(Read.team_id == team_id, Read.reader == by))
    await touch(session, team_id, "inbox")


async def _read_at(
    session: Session, team_id: str, conversation_id: str, by: str
) -> datetime | None:
    return await session.scalar(
        select(Read.read_at).where(
            Read.team_id == team_id, Read.reader == by, Read.conversation_id == conversation_id
        )
    )


async def _write_read(
    session: Session, team_id: str, conversation_id: str, by: str, at: datetime
) -> None:
    await session.execute(
        insert(Read)
        .values(team_id=team_id, reader=by, conversation_id=conversation_id, read_at=at)
        .on_conflict_do_update(
            index_elements=[Read.team_id, Read.reader, Read.conversation_id], set_={"read_at": at}
        )
    )


async def add_label(session: Session, team_id: str, conversation_id: str, label: str) -> None:
    """Put a label on the conversation; once more changes nothing. Raises LabelInvalid."""
    conversation = await service.get(session, team_id, conversation_id, lock=True)
    clean = rules.clean_label(label)
    if not clean or len({*conversation.labels, clean}) > rules.MAX_LABELS:
        raise LabelInvalid(
            f"“{label[:40]}” cannot be a label here.",
            remedy=f"Use 1 to {rules.MAX_LABEL} characters, at most {rules.MAX_LABELS} labels.",
        )
    if clean in conversation.labels:
        return
    conversation.labels = sorted([*conversation.labels, clean])
    await session.flush()
    known = insert(Label).values(team_id=team_id, name=clean)
    found = insert(Labelled).values(
        team_id=team_id,
        label=clean,
        conversation_id=conversation_id,
        last_activity_at=conversation.last_activity_at,
    )
    for statement in (known, found):
        await session.execute(statement.on_conflict_do_nothing())
    await service.told(session, conversation)


async def remove_label(session: Session, team_id: str, conversation_id: str, label: str) -> None:
    """Take a label off; one that is not there is no matter."""
    conversation = await service.get(session, team_id, conversation_id, lock=True)
    conversation.labels = [each for each in conversation.labels if each != label]
    await session.flush()
    await session.execute(
        delete(Labelled).where(
            Labelled.team_id == team_id,
            Labelled.conversation_id == conversation_id,
            Labelled.label == label,
        )
    )
    await service.told(session, conversation)


async def set_labels(
    session: Session, team_id: str, conversation_id: str, labels: Sequence[str]
) -> None:
    """These labels and no others. Raises LabelInvalid; then nothing was written."""
    conversation = await service.get(session, team_id, conversation_id, lock=True)
    wanted = {rules.clean_label(each) or each for each in labels}
    for label in set(conversation.labels) - wanted:
        await remove_label(session, team_id, conversation_id, label)
    for label in sorted(wanted):
        await add_label(session, team_id, conversation_id, label)


async def forget_label(session: Session, team_id: str, label: str) -> int:
    """Take a label off every conversation and out of what is offered; off how many it was."""
    of_label = (Labelled.team_id == team_id, Labelled.label == label)
    await session.execute(  # before their rows of the label, as everybody locks them
        update(Conversation)
        .where(
            Conversation.team_id == team_id,
            Conversation.id.in_(select(Labelled.conversation_id).where(*of_label)),
        )
        .values(labels=func.array_remove(Conversation.labels, label))
        .execution_options(synchronize_session=False)
    )
    gone = (
        await session.scalars(delete(Labelled).where(*of_label).returning(Labelled.conversation_id))
    ).all()
    await session.execute(delete(Label).where(Label.team_id == team_id, Label.name == label))
    await touch(session, team_id, "inbox")
    return len(gone)


async def assign(
    session: Session, team_id: str, conversation_id: str, assignee_id: str | None
) -> Conversation:
    """Whose it is; None: nobody's. Raises AssigneeUnknown for who is no member."""
    conversation = await service.get(session, team_id, conversation_id, lock=True)
    if assignee_id and await teams.joined_at(session, team_id, assignee_id) is None:
        raise AssigneeUnknown(
            f"“{assignee_id[:40]}” is no member of this team.", remedy="Take an id of its members."
        )
    conversation.assignee_id = assignee_id or None
    await session.flush()
    await service.told(session, conversation)
    return conversation


async def when_member_removed(session: Session, team_id: str, user_id: str, email: str) -> None:
    """What was theirs is nobody's; who they are is told by what they wrote (I6)."""
    del email
    changed = await session.scalars(
        update(Conversation)
        .where(Conversation.team_id == team_id, Conversation.assignee_id == user_id)
        .values(assignee_id=None)
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    topics = [f"conversation:{each}" for each in changed]
    if topics:
        await touch(session, team_id, "inbox", *topics)


async def snooze(
    session: Session, team_id: str, conversation_id: str, until: datetime, by: str
) -> Conversation:
    """Out of the list until then, or until the other side says something (I6)."""
    conversation = await service.get(session, team_id, conversation_id, lock=True)
    instant = await now(session)
    if not instant < until <= instant + rules.MAX_SNOOZE:
        raise SnoozeInvalid(
            f"A conversation cannot be snoozed until {until:%d %b %Y, %H:%M}.",
            remedy="Choose a time within the next year.",
        )
    if conversation.state is State.LIVE:
        raise service.CallIsLive("The call is still going on.", remedy="Snooze it when it ended.")
    conversation.snoozed_until, conversation.snoozed_by = until, by
    await session.flush()
    await service.told(session, conversation)
    return conversation


async def wake(session: Session, team_id: str, conversation_id: str) -> Conversation:
    """Back into the list now; one that is not snoozed stays as it is."""
    conversation = await service.get(session, team_id, conversation_id, lock=True)
    if conversation.snoozed_until is not None:
        conversation.snoozed_until = None
        await session.flush()
        await service.told(session, conversation)
    return conversation


async def wake_due(session: Session, *, limit: int = 200) -> int:
    """Bring back whose time has come, on top and unread by who snoozed them. System scope."""
    rows = await session.scalars(
        select(Conversation)
        .where(Conversation.snoozed_until <= await now(session))
        .order_by(Conversation.snoozed_until)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    due = rows.all()
    for each in due:
        each.snoozed_until = None
        await service.add_turn(
            session, each.team_id, each.id, speaker=Speaker.NOTICE, text="Back from snooze"
        )
        await mark_unread(session, each.team_id, each.id, each.snoozed_by)
    return len(due)


async def take_over(
    session: Session, team_id: str, conversation_id: str, by: str, name: str
) -> Conversation:
    """A person answers this thread from now on (S7); it is theirs. Raises NotAThread, TakenOver.

    The agent's silence is seen to by who answers texts: `messages.take_over`.
    """
    thread = await service.thread(session, team_id, conversation_id)
    if thread.taken_over_by not in {"", by}:
        raise TakenOver(
            "Somebody else answers this thread.", remedy="Hand it back to the agent first."
        )
    if thread.taken_over_by == by:
        return thread
    await service.reopen(session, thread)
    thread.taken_over_by, thread.taken_over_at = by, await now(session)
    if thread.assignee_id is None and await teams.joined_at(session, team_id, by):
        thread.assignee_id = by
    await _tell(session, thread, f"{name} took over")
    return thread


async def is_taken_over(session: Session, team_id: str, conversation_id: str) -> bool:
    """Whether a person answers instead of the agent."""
    by = await session.scalar(
        select(Conversation.taken_over_by).where(
            Conversation.team_id == team_id, Conversation.id == conversation_id
        )
    )
    return bool(by)


async def taken_over_by(session: Session, team_id: str, by: str) -> list[str]:
    """Ids of the threads that somebody answers instead of the agent."""
    rows = await session.scalars(
        select(Conversation.id)
        .where(Conversation.team_id == team_id, Conversation.taken_over_by == by)
        .order_by(Conversation.id)
    )
    return list(rows)


async def hand_back(session: Session, team_id: str, conversation_id: str, why: str) -> Conversation:
    """The agent answers again, which the thread says in the words of `why`; a thread that nobody
    took over stays as it is. Raises NotAThread.
    """
    thread = await service.thread(session, team_id, conversation_id)
    if not thread.taken_over_by:
        return thread
    thread.taken_over_by, thread.taken_over_at = "", None
    await _tell(session, thread, why)
    return thread


async def _tell(session: Session, thread: Conversation, text: str) -> None:
    await session.flush()
    await service.add_turn(session, thread.team_id, thread.id, speaker=Speaker.NOTICE, text=text)
