"""What each part of a check found, in words: passed, failed with a remedy, or left out. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from offhook.carriers import Answered
from offhook.media import spoken_words
from offhook.numbers import Reason, registration_sentences

NUMBER = "/numbers/{number}"
"""The number's page, whose id stands in for `{number}`."""
LIMITS = f"{NUMBER}/limits"
HEARD_SHARE = 0.5
"""Of the words that were said: a small recogniser writes some of them differently."""
FORBIDDEN = 403
OK = 200
REFUSED = {
    Reason.DISABLED: ("the number is disabled", "Enable it.", NUMBER),
    Reason.SUSPENDED: ("the team is suspended", "See Billing.", "/billing"),
    Reason.SERVICE_OFF: ("it is switched off", "Switch it on.", NUMBER),
    Reason.AGENT_NOT_LIVE: ("its agent is not live", "Choose a live agent.", f"{NUMBER}/agent"),
}
"""Why a service is not answered: in words, what to do, and on which page."""


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check; `title` says what was looked at, `page` where its remedy is done: an
    address with `{number}` for the number's id, or "".
    """

    code: str
    title: str
    state: State
    sentence: str
    remedy: str = ""
    page: str = ""

    @property
    def failed(self) -> bool:
        return self.state is State.FAILED


def passed(code: str, title: str, sentence: str) -> Finding:
    return Finding(code, title, State.PASSED, sentence)


def failed(code: str, title: str, sentence: str, remedy: str, page: str = "") -> Finding:
    return Finding(code, title, State.FAILED, sentence, remedy, page)


def skipped(code: str, title: str, sentence: str) -> Finding:
    return Finding(code, title, State.SKIPPED, sentence)


def answering(missing: Sequence[str], refusals: Mapping[str, Reason]) -> Finding:
    """Whether the number is enabled with a live agent. `missing` are sentences of what it lacks,
    `refusals` a service that is on to why it is not answered.
    """
    code, title = "agent", "Number and agent"
    if missing:
        sentence = "It cannot answer yet. " + " ".join(missing)
        return failed(code, title, sentence, "Set what is missing.", NUMBER)
    if refusals:
        service, reason = next(iter(refusals.items()))
        why, remedy, page = REFUSED[reason]
        return failed(code, title, f"{service} are not answered: {why}.", remedy, page)
    return passed(code, title, "It is enabled, and its agent is live.")


def routing(now: Mapping[str, str], base: str, *, calls: bool, texts: bool) -> Finding:
    """Whether the carrier sends the number's calls and texts to `base`, our address."""
    code, title = "routing", "Routing at the carrier"
    remedy = f"Set it at the carrier: calls to {base}/voice, texts to {base}/sms, by POST."
    overruled = [name for name in ("trunk_sid", "voice_application_sid") if calls and now.get(name)]
    overruled += ["sms_application_sid"] if texts and now.get("sms_application_sid") else []
    if overruled:
        name = overruled[0].removesuffix("_sid").replace("_", " ")
        return failed(code, title, f"A {name} at the carrier takes its calls or texts.", remedy)
    for wanted, what, field in ((calls, "calls", "voice_url"), (texts, "texts", "sms_url")):
        goes = now.get(field, "").partition("#")[0]
        if wanted and not goes.startswith(f"{base}/"):
            where = urlsplit(goes).netloc or "nowhere"
            return failed(code, title, f"The carrier sends its {what} to {where}.", remedy)
    return passed(code, title, "The carrier sends its calls and texts here.")


def public(url: str, *, simulated: bool) -> Finding | None:
    """Why a real carrier cannot reach `url`; None where it may."""
    host = urlsplit(url).hostname or ""
    try:
        local = not ipaddress.ip_address(host).is_global
    except ValueError:
        local = host == "localhost" or "." not in host
    if simulated or not local:
        return None
    return failed(
        "callbacks",
        "Callbacks",
        f"The carrier cannot reach {host}: it is an address of this machine or network.",
        "Set OFFHOOK_PUBLIC_URL and OFFHOOK_MEDIA_URL to public addresses.",
    )


def callbacks(answer: Answered, nonce: str, url: str) -> list[Finding]:
    """Whether a signed request to our own public address arrives, and is believed."""
    host = urlsplit(url).netloc
    reach, sign = ("callbacks", "Callbacks"), ("signature", "Signature")
    if answer.status == OK and answer.text == nonce:
        return [
            passed(*reach, f"A callback to {host} arrives."),
            passed(*sign, "Its signature is accepted."),
        ]
    if answer.status == FORBIDDEN:
        return [
            passed(*reach, f"A callback to {host} arrives."),
            failed(
                *sign,
                "Its signature is not accepted: it arrives with another address or token.",
                "Set OFFHOOK_PUBLIC_URL to exactly the address that the carrier calls, and let no "
                "proxy change path or fields.",
            ),
        ]
    said = f"it answered {answer.status}" if answer.status else answer.text
    return [
        failed(
            *reach,
            f"A callback to {host} does not arrive: {said}.",
            "Check name, certificate and proxy of OFFHOOK_PUBLIC_URL.",
        ),
        skipped(*sign, "Not looked at: no callback arrives."),
    ]


def voice(said: str, heard: str | None, trouble: str) -> Finding:
    """Whether the agent's voice went out and came back in words. `heard` None: for `trouble`."""
    code, title = "voice", "Voice"
    if heard is None:
        return failed(
            code, title, trouble, "Check that the media process runs, and OFFHOOK_MEDIA_URL."
        )
    words, back = set(spoken_words(said)), set(spoken_words(heard))
    if len(words & back) >= HEARD_SHARE * len(words):
        return passed(code, title, "The agent's voice was heard and understood.")
    was = f"only “{heard}” was understood" if heard else "nothing was understood"
    return failed(
        code,
        title,
        f"The agent said “{said}”, and {was}.",
        "Check the agent's voice and language, and the recogniser.",
    )


def credit(standing: str, left: Mapping[str, int | None], *, cap_reached: bool) -> Finding:
    """Whether there is something left to answer with. `standing`: why the team is stopped."""
    code, title = "credit", "Credit"
    if standing:
        return failed(code, title, standing, "See Billing.", "/billing")
    if cap_reached:
        sentence = "The team's spend cap of this month is reached."
        return failed(code, title, sentence, "Raise it under Usage.", "/usage/cap")
    for unit, count in left.items():
        if count == 0:
            return failed(
                code, title, f"No {unit} are left this month.", "Raise the limit.", LIMITS
            )
    counted = [f"{count} {unit}" for unit, count in left.items() if count is not None]
    enough = f"Left this month: {', '.join(counted)}." if counted else "No limit stands against it."
    return passed(code, title, enough)


def registrations(needed: Sequence[str], *, simulated: bool) -> Finding:
    """Whether the carrier may refuse texts until something is registered."""
    code, title = "registration", "Registration"
    if not needed or simulated:
        return passed(code, title, "Nothing needs to be registered before it may send.")
    wanted = " ".join(registration_sentences(needed))
    sentence = f"Texts may be refused until the carrier has this: {wanted}"
    return failed(code, title, sentence, "Register it at the carrier.")
