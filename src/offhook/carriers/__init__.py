"""Who connects us to the phone network: the port, and one folder per carrier.

Knows the carriers' formats and clients; knows no team, no number of ours and no database.

    carriers = Carriers(settings, lookup)          # all accounts; await carriers.aclose()
    carrier = await carriers.of(account_id)        # a team's own; .operator or of(None): ours
    offers = await carrier.search(Search(country="US", area_code="415"))
    held = await carrier.buy(e164, order_tag="ord_…", callbacks=Callbacks(voice_url=…, …))
    held | None = await carrier.find("ord_…")      # after a doubt, before asking again (A5)
    held = await carrier.configure(held.carrier_id, callbacks); await carrier.release(carrier_id)
    message = await carrier.send(SmsOut(sender, to, body, status_url))
    message | None = await carrier.find_sent(sender=, to=, body=, after=)      # faults a7
    described = await carrier.describe()           # name, status, trial: shows that a token works
    old = await carrier.routing(carrier_id); await carrier.route(carrier_id, old)
    record = await carrier.place_call(CallOut(sender, to, answer_url, status_url, ring_s))     # C8
    records = await carrier.find_placed(sender=, to=, after=)  # after a doubt
    messages = await carrier.list_received(after=, to=None)                    # faults a1
    files = await carrier.list_media(message_id)          # Media(url, content_type)
    content = await carrier.media(url, most_bytes=)       # a picture that came with a text
    calls = await carrier.list_calls(after=, before=); .list_messages(after=, before=)   # UC4-UC7
    await carrier.hang_up(call_id); .redirect(call_id, document=); .limit_call(call_id, seconds=)
    errors: Refused(carrier_code, .opted_out, .gone) | Unreachable(outcome_unknown)

Callbacks, for the routes of messages/ and calls/ (body is the raw body):

    answered = await call_back(account, url, fields)   # as the carrier would, to our own address
    came = callbacks.receive(settings, raw_path=scope["raw_path"], query=…, body=body)
    account_id = …                                 # by our records of what came.claim("To") names
    account = await callbacks.verify(came, carriers, account_id, header)    # CallbackForged 403
    fields = came.fields
    InboundSms = parse_inbound_sms(fields)         # raises CallbackMalformed (400)
    InboundCall = parse_inbound_call(fields)       # also the request of a <Connect action>
    MessageStatus = parse_message_status(fields); CallStatus = parse_call_status(fields)
    StreamStatus = parse_stream_status(fields)
    AnsweredBy = parse_answered_by(fields)                                     # of a CallOut
    DialEnded = parse_dial_ended(fields); LegNews = parse_leg_news(fields)     # a second leg
    twiml.reject("busy" | "rejected"); twiml.connect_stream(url, parameters=, action_url=);
    twiml.dial(twiml.Leg(number, caller_id=, ring_s=, answered_url=), action_url=)
    twiml.announce(text, accept_url=, wait_s=)
    twiml.say_and_hang_up(text); twiml.hang_up(); twiml.nothing(); twiml.CONTENT_TYPE
    streams.parse_from_carrier(text), streams.dump(frame), streams.dump_media(stream_id, bytes)

A handset in the browser: `handset_token(secret_key(settings), number, now_s=…)`.
"""

from offhook.carriers import callbacks
from offhook.carriers.accounts import (
    AccountGone,
    CarrierNotConfigured,
    Carriers,
    account,
    no_accounts,
)
from offhook.carriers.callbacks import CallbackForged, Received
from offhook.carriers.calling_back import Answered, call_back
from offhook.carriers.port import (
    AccountStatus,
    AnsweredBy,
    Callbacks,
    CallerName,
    CallOut,
    CallRecord,
    CallState,
    Capabilities,
    Carrier,
    CarrierProblem,
    Described,
    Detection,
    Direction,
    Held,
    Media,
    Message,
    MessageState,
    NumberType,
    Offer,
    Refused,
    Registration,
    Routing,
    Search,
    SmsOut,
    Unreachable,
)
from offhook.carriers.simulator.account import Account, Network, handset_token
from offhook.carriers.twilio import streams, twiml
from offhook.carriers.twilio.forms import FormError, read_form, readable
from offhook.carriers.twilio.protocol import (
    CallbackMalformed,
    CallStatus,
    DialEnded,
    InboundCall,
    InboundSms,
    LegNews,
    MessageStatus,
    Place,
    StreamEvent,
    StreamStatus,
    parse_answered_by,
    parse_call_status,
    parse_dial_ended,
    parse_inbound_call,
    parse_inbound_sms,
    parse_leg_news,
    parse_message_status,
    parse_stream_status,
)
from offhook.carriers.twilio.signature import (
    HEADER as SIGNATURE_HEADER,
)
from offhook.carriers.twilio.signature import callback_url, sign, verify_form, verify_json

__all__ = [
    "SIGNATURE_HEADER",
    "Account",
    "AccountGone",
    "AccountStatus",
    "Answered",
    "AnsweredBy",
    "CallOut",
    "CallRecord",
    "CallState",
    "CallStatus",
    "CallbackForged",
    "CallbackMalformed",
    "Callbacks",
    "CallerName",
    "Capabilities",
    "Carrier",
    "CarrierNotConfigured",
    "CarrierProblem",
    "Carriers",
    "Described",
    "Detection",
    "DialEnded",
    "Direction",
    "FormError",
    "Held",
    "InboundCall",
    "InboundSms",
    "LegNews",
    "Media",
    "Message",
    "MessageState",
    "MessageStatus",
    "Network",
    "NumberType",
    "Offer",
    "Place",
    "Received",
    "Refused",
    "Registration",
    "Routing",
    "Search",
    "SmsOut",
    "StreamEvent",
    "StreamStatus",
    "Unreachable",
    "account",
    "call_back",
    "callback_url",
    "callbacks",
    "handset_token",
    "no_accounts",
    "parse_answered_by",
    "parse_call_status",
    "parse_dial_ended",
    "parse_inbound_call",
    "parse_inbound_sms",
    "parse_leg_news",
    "parse_message_status",
    "parse_stream_status",
    "read_form",
    "readable",
    "sign",
    "streams",
    "twiml",
    "verify_form",
    "verify_json",
]
