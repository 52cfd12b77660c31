"""What is said besides an agent's own words: notices, check-ins, apologies, a goodbye.

Short, and the same for every agent, so that their audio is made once and kept. A language without
an entry is spoken to in English.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from offhook.calls.transfers.rules import Failure


@dataclass(frozen=True, slots=True)
class Phrases:
    """Fixed sentences of one language."""

    recording: str
    """C3, SEC17: before the recording begins."""
    recording_off: str
    """SEC17: the caller does not want one."""
    check_in: str
    says_ai: str
    """SEC17: before the greeting."""
    closed: str
    """Outside the hours, where the number has no sentence of its own."""
    leave_message: str
    message_taken: str
    forwarding: str
    nobody_there: str
    """Outside the hours, where whom the call is forwarded to cannot take it; then the tone."""
    key_in: str
    """Before digits that are kept nowhere, with {what}."""
    key_in_again: str
    take_your_time: str
    """C5: the caller asks for a moment."""
    goodbye: str
    ending_soon: str
    """U4: 20 s before the last granted minute ends."""
    not_understood: str
    trouble: str
    """C9: nothing works any more."""
    call_back: str
    """C9: the same, where somebody will call back."""
    rescue: str
    """C9: said by the carrier before it rings whoever stands in."""
    stopping: str
    time_is_up: str
    """U4: said by the carrier, to a caller who talks to somebody else."""
    not_handed_over: str
    """C6: a transfer that never began."""
    here_again: str
    """I5: a member has handed the call back."""
    announcement: str
    """To whoever answers a transfer, with {agent} and {caller}; keys are pressed during it."""
    back: Mapping[Failure, str]
    """C6: why the caller is back with the agent, with {name}."""
    carrier_language: str
    """How carriers name the voice that speaks this language."""
    one_moment: str
    """Said when a task takes more than a moment, then `still_at_it`."""
    still_at_it: str

    def all(self) -> tuple[str, ...]:
        """Every sentence, to be made ready beforehand."""
        return (
            self.recording,
            self.recording_off,
            self.check_in,
            self.take_your_time,
            self.goodbye,
            self.ending_soon,
            self.not_understood,
            self.trouble,
            self.call_back,
            self.stopping,
            self.nobody_there,
            self.not_handed_over,
            self.here_again,
            *self.fillers,
        )

    @property
    def fillers(self) -> tuple[str, ...]:
        return (self.one_moment, self.still_at_it)

    def came_back(self, name: str, failure: Failure) -> str:
        """What a caller hears who could not be put through to `name`."""
        return self.back.get(failure, self.back[Failure.UNREACHABLE]).format(name=name)


ENGLISH = Phrases(
    recording="This call is recorded.",
    recording_off="All right, the recording is off and deleted. How can I help you?",
    check_in="Are you still there?",
    says_ai="You are speaking with an AI assistant.",
    closed="Thank you for calling. We are closed at the moment.",
    leave_message="Please leave a message after the tone.",
    message_taken="Thank you, your message has been taken. Goodbye.",
    forwarding="One moment, please, I'll put you through.",
    nobody_there="I'm sorry, nobody can take your call now. Please leave a message after the tone.",
    key_in="Please key in your {what} now, then press the hash key. I am not listening meanwhile.",
    key_in_again="That was not it. Please key it in once more, then press the hash key.",
    take_your_time="Of course, take your time.",
    goodbye="I can't hear anybody, so I'll hang up now. Goodbye.",
    ending_soon="I'm sorry, our time is almost up: this call ends in a few seconds.",
    not_understood="Sorry, I didn't get that. Could you say it again?",
    trouble="I'm sorry, I have a technical problem. Please call again a little later. Goodbye.",
    call_back="I'm sorry, I have a technical problem. Somebody will call you back. Goodbye.",
    rescue="I'm sorry, I have a technical problem. One moment, I'll put you through to somebody.",
    stopping="I'm sorry, this line is being restarted. Please call again in a minute. Goodbye.",
    time_is_up="I'm sorry, our time is up, and this call ends now. Goodbye.",
    not_handed_over="I'm sorry, I can't put you through just now. How else can I help you?",
    here_again="I'm with you again. What else can I do for you?",
    announcement="{agent} has a call for you, from {caller}. To take it, press 1.",
    back={
        Failure.BUSY: "I'm sorry, the line of {name} is busy. How else can I help you?",
        Failure.NO_ANSWER: "I'm sorry, {name} does not answer. How else can I help you?",
        Failure.NOT_ACCEPTED: "I'm sorry, {name} can't take the call now. How else can I help you?",
        Failure.UNREACHABLE: "I'm sorry, I can't reach {name}. How else can I help you?",
        Failure.MACHINE: "I'm sorry, I only reached a machine at {name}. How else can I help you?",
    },
    carrier_language="en-US",
    one_moment="One moment, please.",
    still_at_it="I am still on it, it takes a little longer.",
)
GERMAN = Phrases(
    recording="Dieses Gespräch wird aufgezeichnet.",
    recording_off="Gut, die Aufzeichnung ist aus und gelöscht. Was kann ich für Sie tun?",
    check_in="Sind Sie noch da?",
    says_ai="Sie sprechen mit einer KI-Assistenz.",
    closed="Vielen Dank für Ihren Anruf. Wir haben gerade geschlossen.",
    leave_message="Bitte hinterlassen Sie eine Nachricht nach dem Ton.",
    message_taken="Danke, Ihre Nachricht ist angekommen. Auf Wiederhören.",
    forwarding="Einen Moment, bitte, ich verbinde Sie.",
    nobody_there="Es kann gerade niemand ans Telefon kommen. Bitte sprechen Sie nach dem Ton.",
    key_in="Bitte tippen Sie ein: {what}, danach die Raute-Taste. Ich höre so lange nicht zu.",
    key_in_again="Das war es nicht. Bitte tippen Sie es noch einmal ein, danach die Raute-Taste.",
    take_your_time="Natürlich, ich warte so lange.",
    goodbye="Ich höre niemanden und lege jetzt auf. Auf Wiederhören.",
    ending_soon="Unsere Zeit ist leider fast um: Das Gespräch endet in wenigen Sekunden.",
    not_understood="Das habe ich nicht verstanden. Können Sie es noch einmal sagen?",
    trouble="Ich habe leider eine technische Störung. Bitte rufen Sie später noch einmal an.",
    call_back="Ich habe leider eine technische Störung. Jemand ruft Sie zurück. Auf Wiederhören.",
    rescue="Ich habe leider eine technische Störung. Einen Moment, ich verbinde Sie mit jemandem.",
    stopping="Diese Leitung wird gerade neu gestartet. Bitte rufen Sie gleich noch einmal an.",
    time_is_up="Unsere Zeit ist leider um, das Gespräch endet jetzt. Auf Wiederhören.",
    not_handed_over="Ich kann Sie gerade leider nicht verbinden. Was kann ich sonst für Sie tun?",
    here_again="Ich bin wieder für Sie da. Was kann ich sonst für Sie tun?",
    announcement="{agent} hat einen Anruf für Sie, von {caller}. Zum Annehmen drücken Sie die 1.",
    back={
        Failure.BUSY: "Bei {name} ist leider besetzt. Was kann ich sonst für Sie tun?",
        Failure.NO_ANSWER: "{name} meldet sich leider nicht. Was kann ich sonst für Sie tun?",
        Failure.NOT_ACCEPTED: "{name} kann den Anruf gerade nicht annehmen. "
        "Was kann ich sonst für Sie tun?",
        Failure.UNREACHABLE: "Ich erreiche {name} leider nicht. Was kann ich sonst für Sie tun?",
        Failure.MACHINE: "Bei {name} läuft leider nur ein Band. Was kann ich sonst für Sie tun?",
    },
    carrier_language="de-DE",
    one_moment="Einen Moment, bitte.",
    still_at_it="Ich bin noch dabei, es dauert etwas länger.",
)
_BY_LANGUAGE = {"en": ENGLISH, "de": GERMAN}


def phrases(language: str) -> Phrases:
    """The sentences for `language` (BCP 47); English where there are none."""
    return _BY_LANGUAGE.get(language.split("-", maxsplit=1)[0].lower(), ENGLISH)
