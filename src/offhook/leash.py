"""No process outlives the one that started it, even when that is ended by kill -9.

Linux offers PR_SET_PDEATHSIG (prctl(2)); elsewhere a child notices by its changed parent. Knows
nothing of what the process does.
"""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
POLL_S = 1.0


def die_with_parent(parent_pid: int, signum: int = signal.SIGTERM) -> None:
    """Ask for `signum` when the parent dies; ends at once if `parent_pid` is gone already.

    Must be called in the child's main thread, after any change of user, which clears the request.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
    else:
        threading.Thread(target=_watch_parent, args=(parent_pid, signum), daemon=True).start()
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signum)


def _watch_parent(parent_pid: int, signum: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signum)
