"""A speech process's Failed as the error of port.py that it names."""

from offhook.errors import Problem
from offhook.speech import port, protocol

_BY_CODE: dict[str, type[Problem]] = {
    error.code: error
    for error in (
        port.SpeechUnavailable,
        port.SpeechTimeout,
        port.SpeechRefused,
        port.SpeechBusy,
        port.LanguageUnsupported,
    )
}


def problem(failed: protocol.Failed) -> Problem:
    """The error to raise; an unknown code is an unavailable process."""
    return _BY_CODE.get(failed.code, port.SpeechUnavailable)(failed.sentence)
