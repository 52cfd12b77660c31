"""The inbox: every call and every SMS thread as a chat, in one message format (I1).

Calls and messages write; pages and the API read. In the writer's transaction:

    conversation = await inbox.open_conversation(session, team_id, channel=Channel.CALL,
        number_id=..., sender=e164 or "", contact_id=..., agent_id=..., agent_version=...,
        call_id=...)                                    # LIVE; with refused="limit_reached": C1
    thread = await inbox.open_thread(session, team_id, number_id=..., sender=..., contact_id=...)
    turn = await inbox.add_turn(session, team_id, conversation.id, speaker=Speaker.CALLER,
        text=..., started_at=..., ended_at=..., status=..., note=..., citations=[...])
    await inbox.update_turn(session, team_id, turn.id, text=..., status=..., ended_at=...)
    await inbox.need_person(session, team_id, conversation.id, "Wants a refund.")       # I6
    await inbox.add_label(session, team_id, conversation.id, "complaint")
    await inbox.close(session, team_id, conversation.id, reason="caller_hung_up")

What an agent may know and remember of the other side is `inbox.remembered` (P4); what it took from
a turn goes to `inbox.learn` (P3).

`KINDS` are the kinds of task that mark a conversation. Every change touches the topics `inbox` and
`conversation:ID`. Knows no carrier and no audio.
"""

from offhook.inbox.contact_keeping import Conversations
from offhook.inbox.handling import (
    add_label,
    assign,
    hand_back,
    is_taken_over,
    mark_read,
    mark_unread,
    remove_label,
    snooze,
    take_over,
    taken_over_by,
    wake,
    wake_due,
    when_member_removed,
)
from offhook.inbox.jobs import register as register_jobs
from offhook.inbox.listing import Filter, listed, read_by, unread_of
from offhook.inbox.looks import Entry, spoken_and_done
from offhook.inbox.memory import VOICES, Memory, learn, remembered
from offhook.inbox.models import Channel, Conversation, Speaker, State, Turn
from offhook.inbox.reading import Told, labels, last_activity, timeline, turns_of
from offhook.inbox.rules import UNREAD_BY_THEM, storable
from offhook.inbox.service import (
    CallIsLive,
    ConversationNotFound,
    NotAThread,
    add_turn,
    close,
    close_by_hand,
    close_idle_threads,
    get,
    need_person,
    open_conversation,
    open_thread,
    reopen,
    reopen_by_hand,
    seen_to,
    set_agent,
    update_turn,
)
from offhook.inbox.task_kinds import KINDS

__all__ = [
    "KINDS",
    "UNREAD_BY_THEM",
    "VOICES",
    "CallIsLive",
    "Channel",
    "Conversation",
    "ConversationNotFound",
    "Conversations",
    "Entry",
    "Filter",
    "Memory",
    "NotAThread",
    "Speaker",
    "State",
    "Told",
    "Turn",
    "add_label",
    "add_turn",
    "assign",
    "close",
    "close_by_hand",
    "close_idle_threads",
    "get",
    "hand_back",
    "is_taken_over",
    "labels",
    "last_activity",
    "learn",
    "listed",
    "mark_read",
    "mark_unread",
    "need_person",
    "open_conversation",
    "open_thread",
    "read_by",
    "register_jobs",
    "remembered",
    "remove_label",
    "reopen",
    "reopen_by_hand",
    "seen_to",
    "set_agent",
    "snooze",
    "spoken_and_done",
    "storable",
    "take_over",
    "taken_over_by",
    "timeline",
    "turns_of",
    "unread_of",
    "update_turn",
    "wake",
    "wake_due",
    "when_member_removed",
]
