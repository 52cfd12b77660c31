"""The refusals of this room; those about bytes are in `documents`.

SourceNotFound    404  not there, or another team's
PassageGone       404  no source says it any more
SourceInvalid     422  a field is missing or too long
SourceTooLong     422  more passages than a source may have
SitemapMissing    422  a site does not say which pages it has
NothingToTake     409  no other text waits for a decision
ReadingFailed     409  a fault of ours, several times
"""

from offhook.errors import Conflict, Invalid, NotFound


class SourceNotFound(NotFound):
    code = "source_not_found"


class PassageGone(NotFound):
    code = "passage_gone"


class SourceInvalid(Invalid):
    code = "source_invalid"


class SitemapMissing(Invalid):
    code = "sitemap_missing"


class NothingToTake(Conflict):
    code = "nothing_to_take"


class ReadingFailed(Conflict):
    code = "reading_failed"

    def __init__(self) -> None:
        super().__init__(
            "It could not be read: something failed on our side, several times.",
            remedy="Try it again later; its incident is in the log of the installation.",
        )


class SourceTooLong(Invalid):
    code = "source_too_long"

    def __init__(self, passages: int, allowed: int) -> None:
        super().__init__(
            f"It has {passages:,} passages; {allowed:,} are allowed.",
            remedy="Split it, or leave out what nobody asks about.",
        )
