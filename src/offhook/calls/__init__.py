"""Calls: admission, the live conversation, recording.

    web process     routes.py; carrier.py decides about a call (admission.py) and connects it
    media process   Node(parts).run(stopping): streams, conversations, the engine
    worker          register_jobs(jobs, settings, database, carriers, voices): dead calls, journals
                    of dead media processes, lost recordings, calls that we start

Other rooms reach calls by `when_number_stopped` (N9), joined in app.py, as is `links`;
members join live calls in joining/, and how long callers wait is measured in latency/;
`calls_kept` is what the carrier's records are compared with. `TRANSFER` is the kind of task that
puts a caller through (transfers/), `legs_of` what billing asks for their second legs. `Checks`
looks whether a number would really answer. `start_call` has an agent call somebody (outbound/), as
`CALL` does for a thread; it asks `opt_outs_from` first.
"""

from offhook.calls.checking import Checks, State
from offhook.calls.contact_keeping import Calls
from offhook.calls.jobs import register as register_jobs
from offhook.calls.lines import Lines, lines
from offhook.calls.linking import links
from offhook.calls.node import Node
from offhook.calls.outbound.kind import KIND as CALL
from offhook.calls.outbound.settings import of_texts
from offhook.calls.outbound.starting import Order, opt_outs_from
from offhook.calls.outbound.starting import start as start_call
from offhook.calls.parts import Parts
from offhook.calls.records import CallKept, calls_kept
from offhook.calls.stopping import when_number_stopped, words_url
from offhook.calls.transfers.kind import KIND as TRANSFER
from offhook.calls.transfers.kind import finished as transfer_finished
from offhook.calls.transfers.legs import legs_of
from offhook.calls.transfers.service import when_known as when_transfer_known

__all__ = [
    "CALL",
    "TRANSFER",
    "CallKept",
    "Calls",
    "Checks",
    "Lines",
    "Node",
    "Order",
    "Parts",
    "State",
    "calls_kept",
    "legs_of",
    "lines",
    "links",
    "of_texts",
    "opt_outs_from",
    "register_jobs",
    "start_call",
    "transfer_finished",
    "when_number_stopped",
    "when_transfer_known",
    "words_url",
]
