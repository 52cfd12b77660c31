"""How much of a document is read (K1). A bound protects calls from what somebody uploads."""

MAX_BYTES = 25 * 1024 * 1024
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_PAGES = 1_000
MAX_TEXT_CHARS = 20_000_000
# Of processor time: under load a document must not fail for what calls take.
READ_S = 60.0
# Of the clock, for a process that waits for something.
STUCK_S = 600.0
MEMORY_BYTES = 1024 * 1024 * 1024
