"""The refusals of this room; those about bytes are in decoding.py.

SourceNotFound    404  not there, or another team's
SourceInvalid     422  a field is missing or too long
SourceTooLong     422  more passages than a source may have
"""

from offhook.errors import Invalid, NotFound


class SourceNotFound(NotFound):
    code = "source_not_found"


class SourceInvalid(Invalid):
    code = "source_invalid"


class SourceTooLong(Invalid):
    code = "source_too_long"

    def __init__(self, passages: int, allowed: int) -> None:
        super().__init__(
            f"It has {passages:,} passages; {allowed:,} are allowed.",
            remedy="Split it, or leave out what nobody asks about.",
        )
