"""Why bytes could not be turned into text, each with what to do about it (K1).

Invalid
├── SourceEmpty       nothing is in it
├── SourceTooLarge    more bytes, pages or unpacked bytes than are read
├── SourceNotText     of a kind that is not read
├── SourceUnreadable  damaged, of no known encoding, or too much for the reading process
├── SourceLocked      a password is needed
├── SourceScanned     pictures of pages: there is no text to read
└── SourceTooSlow     reading took longer than is allowed
"""

from offhook.errors import Invalid


class SourceEmpty(Invalid):
    code = "source_empty"


class SourceTooLarge(Invalid):
    code = "source_too_large"


class SourceNotText(Invalid):
    code = "source_not_text"


class SourceUnreadable(Invalid):
    code = "source_unreadable"


class SourceLocked(Invalid):
    code = "source_locked"


class SourceScanned(Invalid):
    code = "source_scanned"


class SourceTooSlow(Invalid):
    code = "source_too_slow"


BY_CODE: dict[str, type[Invalid]] = {
    each.code: each
    for each in (
        SourceEmpty,
        SourceTooLarge,
        SourceNotText,
        SourceUnreadable,
        SourceLocked,
        SourceScanned,
        SourceTooSlow,
    )
}
