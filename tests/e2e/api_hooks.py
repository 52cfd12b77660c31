"""What schemathesis is told of our API beyond its document: what the formats that it names look
like, and which refusals of well-formed input are right, since no schema can say them. Loaded by its
name, in the process of schemathesis.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
import schemathesis
from hypothesis import strategies as st

NUMBERS = ("+12025550143", "(650) 253-0000", "+49 30 901820", "+44 20 7946 0018", "+5215587654321")
OF_SEVERAL = "it depends on two values or more"
STORED = "it depends on what is stored under an id"
CONTENT = "it depends on what is in a file"
PRINTABLE = "which characters can be shown Unicode says"
STANDING = "it depends on the team's standing or on the present"
NO_SCHEMA_SAYS: dict[str, str] = {
    "appointment_invalid": OF_SEVERAL,
    "billing_details_invalid": "tax numbers have check digits, an address at most six lines",
    "calendar_invalid": "a calendar's server says what it has",
    "call_manners_invalid": OF_SEVERAL,
    "call_message_invalid": PRINTABLE,
    "card_invalid": "the test gateway takes its test cards alone",
    "carrier_account_invalid": "the carrier says what it knows",
    "confirmation_wrong": STORED,
    "contact_attribute_invalid": STORED,
    "contact_attribute_not_fillable": STORED,
    "contact_merge_with_itself": OF_SEVERAL,
    "contact_name_too_long": OF_SEVERAL,
    "contact_note_invalid": PRINTABLE,
    "contact_value_invalid": STORED,
    "erasure_not_confirmed": STORED,
    "expiry_invalid": STANDING,
    "filter_invalid": OF_SEVERAL,
    "hours_invalid": OF_SEVERAL,
    "import_columns_invalid": STORED,
    "import_file_unusable": CONTENT,
    "mcp_server_unusable": STORED,
    "name_invalid": PRINTABLE,
    "nobody_to_call": OF_SEVERAL,
    "number_name_invalid": PRINTABLE,
    "number_not_in_account": STORED,
    "outbound_rules_invalid": OF_SEVERAL,
    "phone_number_invalid": "it is read in the team's country",
    "price_in_past": STANDING,
    "price_invalid": CONTENT,
    "purchase_not_allowed": STANDING,
    "rate_invalid": PRINTABLE,
    "secret_invalid": PRINTABLE,
    "snooze_invalid": STANDING,
    "source_empty": CONTENT,
    "source_invalid": STORED,
    "source_not_text": CONTENT,
    "source_unreadable": CONTENT,
    "task_invalid": "each kind's settings have a schema of their own, told by /task-kinds",
    "tax_invalid": "tax numbers have check digits",
    "terms_not_accepted": STANDING,
    "text_unusable": "text with a NUL cannot be stored",
    "transfer_target_refused": STORED,
    "webhook_endpoint_invalid": PRINTABLE,
    "webhook_replay_invalid": OF_SEVERAL,
}
"""The code of a refusal, and why a document that describes shapes cannot say it."""
OTHERS = {"not_reached"}
"""The code of a 5xx that is a third party's."""
REJECTED, FAULT, GONE = "RejectedPositiveData", "ServerError", "EnsureResourceAvailability"
"""What was made and is gone: the ids that all requests ask for have been deleted meanwhile."""
Failure = Any

schemathesis.openapi.format("phone", st.sampled_from(NUMBERS))
schemathesis.openapi.format("cursor", st.just(""))
schemathesis.openapi.format("time-zone", st.sampled_from(sorted(available_timezones())))
schemathesis.openapi.format("country", st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
schemathesis.openapi.format(
    "email", st.integers(1, 10**6).map(lambda each: f"somebody{each}@bakery.example")
)
schemathesis.openapi.format(
    "web-address", st.integers(1, 10**6).map(lambda each: f"https://example.com/{each}")
)
schemathesis.openapi.format(
    "time-to-come",
    st.integers(1, 1_000).map(lambda each: (datetime.now(UTC) + timedelta(days=each)).isoformat()),
)


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] - it has no types
def filter_failure(context: Any, failure: Failure, case: Any, response: Any) -> bool:
    """Whether it is one: of well-formed input that is refused, the code decides."""
    kind = type(failure).__name__
    if kind == GONE or kind not in {REJECTED, FAULT}:
        return kind != GONE
    code = response.json().get("code")
    return code not in (NO_SCHEMA_SAYS if kind == REJECTED else OTHERS)
