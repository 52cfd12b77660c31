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
    await inbox.close(session, team_id, conversation.id, reason="caller_hung_up")

What an agent may know and remember of the other side is `inbox.remembered` (P4); what it took from
a turn goes to `inbox.learn` (P3).

`KINDS` are the kinds of task that mark a conversation. Every change touches the topics `inbox` and
`conversation:ID`. Knows no carrier and no audio.
"""

from offhook.inbox.contact_keeping import Conversations
from offhook.inbox.looks import Entry, spoken_and_done
from offhook.inbox.memory import Memory, learn, remembered
from offhook.inbox.models import Channel, Conversation, Speaker, State, Turn
from offhook.inbox.reading import (
    Filter,
    Told,
    labels,
    last_activity,
    listed,
    timeline,
    turns_of,
)
from offhook.inbox.service import (
    CallIsLive,
    ConversationNotFound,
    add_label,
    add_turn,
    close,
    close_by_hand,
    close_idle_threads,
    get,
    mark_read,
    need_person,
    open_conversation,
    open_thread,
    remove_label,
    reopen,
    seen_to,
    set_agent,
    update_turn,
)
from offhook.inbox.task_kinds import KINDS

__all__ = [
    "KINDS",
    "CallIsLive",
    "Channel",
    "Conversation",
    "ConversationNotFound",
    "Conversations",
    "Entry",
    "Filter",
    "Memory",
    "Speaker",
    "State",
    "Told",
    "Turn",
    "add_label",
    "add_turn",
    "close",
    "close_by_hand",
    "close_idle_threads",
    "get",
    "labels",
    "last_activity",
    "learn",
    "listed",
    "mark_read",
    "need_person",
    "open_conversation",
    "open_thread",
    "remembered",
    "remove_label",
    "reopen",
    "seen_to",
    "set_agent",
    "spoken_and_done",
    "timeline",
    "turns_of",
    "update_turn",
]
