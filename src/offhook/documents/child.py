"""The reading process: documents on its standard input, their Markdown on its standard output.

Started by process.py with nothing but this room, and bounded before the first parser is loaded:
memory, processor time for each document, no files written. What a parser
does with hostile bytes ends here. A request is a line of JSON and the document's bytes; an answer
is eight bytes with the length of its JSON, and that JSON.
"""

import json
import os
import resource
import signal
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from offhook.documents import reading, sitemap
from offhook.documents.problems import BY_CODE, SourceUnreadable
from offhook.errors import Problem
from offhook.leash import die_with_parent

# Beside calls that are live, reading takes what they leave.
NICENESS = 10


def main() -> None:
    die_with_parent(int(sys.argv[1]), signal.SIGKILL)
    os.nice(NICENESS)
    for limit, most in (
        (resource.RLIMIT_AS, int(sys.argv[2])),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    # Parsers that print must not spoil the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request.pop("size"))
        _allow_processor_time(request["read_s"])
        answer = json.dumps(answered(data, request)).encode()
        answers.write(struct.pack("!Q", len(answer)) + answer)
        answers.flush()


def _allow_processor_time(read_s: float) -> None:
    """Beyond it the system ends this process with SIGXCPU (setrlimit(2))."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + read_s) + 1, hard))


def answered(data: bytes, request: dict[str, Any]) -> dict[str, Any]:
    """The document or the sitemap, or the fault that it has."""
    name = request["name"]
    try:
        if request["sitemap"]:
            return {"read": asdict(sitemap.read(data, name))}
        return {"read": asdict(reading.read(name, data, request["content_type"]))}
    except Problem as problem:
        fault = problem
    except MemoryError:
        fault = SourceUnreadable(
            f"“{name}” needs more memory to be read than it may have.",
            remedy="Split it, or leave out its pictures.",
        )
    except Exception:  # noqa: BLE001 - parsers raise all kinds of things over damaged bytes
        fault = SourceUnreadable(
            f"“{name}” is damaged.", remedy="Open it, save it again, and upload that."
        )
    code = fault.code if fault.code in BY_CODE else SourceUnreadable.code
    return {"code": code, "sentence": fault.sentence, "remedy": fault.remedy}


if __name__ == "__main__":
    main()
