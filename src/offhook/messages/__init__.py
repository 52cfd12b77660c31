"""Messages: SMS in and out, threads, opt-outs, segments, files, manners (S1-S9, UT1-UT13, SEC11).

    web process     routes.py: the carrier's callbacks (carrier.py), REST (api.py), the composer
    worker          register_jobs(jobs, settings, database, carriers, brain)

Other rooms reach messages by `when_number_stopped` (N9) and `when_member_removed`, joined in
app.py, as are `links`, the kind of task `text_kind` and the `code_sender` of its codes; whoever
calls somebody asks `is_opted_out` first (S4); a text that we begin asks whoever is joined by
`begun_by` (SEC12, SEC19). `receive(database, sms, ...)` stores a text as a callback does.
The comparison with the carrier's records uses `messages_kept`, `take_from_list`, `give_back_unit`.
"""

from offhook.messages.begun import begun_by
from offhook.messages.codes import code_sender
from offhook.messages.contact_keeping import Messages
from offhook.messages.delivery import on_status
from offhook.messages.import_opt_outs import OptOuts
from offhook.messages.jobs import register as register_jobs
from offhook.messages.linking import links
from offhook.messages.models import Message, OptOut
from offhook.messages.optouts import is_opted_out
from offhook.messages.receiving import receive
from offhook.messages.records import (
    MessageKept,
    conversations_of,
    give_back_unit,
    message,
    messages_kept,
    take_from_list,
)
from offhook.messages.sending import send_by_hand
from offhook.messages.stopping import when_number_stopped
from offhook.messages.taking_over import hand_back, take_over, when_member_removed
from offhook.messages.task_kind import text_kind

__all__ = [
    "Message",
    "MessageKept",
    "Messages",
    "OptOut",
    "OptOuts",
    "begun_by",
    "code_sender",
    "conversations_of",
    "give_back_unit",
    "hand_back",
    "is_opted_out",
    "links",
    "message",
    "messages_kept",
    "on_status",
    "receive",
    "register_jobs",
    "send_by_hand",
    "take_from_list",
    "take_over",
    "text_kind",
    "when_member_removed",
    "when_number_stopped",
]
