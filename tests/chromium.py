"""The browser of the tests: which program it is, and how it is started.

The one without windows takes a quarter of the processor time of the whole Chromium, which serves
where the other is not installed.
"""

import os
import shutil

PROGRAMS = ("chromium-headless-shell", "chromium")
INSTALLED = [path for name in PROGRAMS if (path := shutil.which(name))]
CHROMIUM = os.environ.get("CHROMIUM", next(iter(INSTALLED), PROGRAMS[0]))
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
