"""Words by which one knows who is on the line: a recording, somebody who serves, a caller who asks
for a moment (C5), or not to be recorded (SEC17).

Pure; English, German, French and Spanish. Each list holds what hardly anybody says otherwise:
what it misses is answered like a caller, what it takes wrongly would leave one without an answer.
"""

import re
from typing import Final

from offhook.media import spoken_words


def announces(text: str) -> bool:
    """Whether it is the text of a queue, a voice menu or a mailbox, which no caller says; a caller
    may tell of one.
    """
    plain = _plain(text)
    return _ANNOUNCEMENT.search(plain) is not None and _TOLD.search(plain) is None


def serves(text: str) -> bool:
    """Whether it is what those say who answer telephones, not those who call."""
    return _SERVICE.search(_plain(text)) is not None


def asks_to_wait(text: str) -> bool:
    """Whether the whole turn asks for a moment: "hold on a second, please"."""
    return _WAIT.fullmatch(_plain(text)) is not None


def refuses_recording(text: str) -> bool:
    """Whether the caller does not want to be recorded (SEC17)."""
    return _UNRECORDED.search(_plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(spoken_words(text))


_ANNOUNCEMENT: Final = re.compile(
    r"your call is (?:very )?important to us|(?:after|at) the (?:tone|beep)"
    r"|(?:person|number|party|subscriber|customer) you (?:have|are|were) "
    r"(?:called|calling|dialed|dialled|trying)"
    r"|press (?:the )?(?:\d|one|two|three|four|five|six|seven|eight|nine|zero|pound|star|hash)"
    r" (?:for|to|key|now)|for \w+(?: \w+)? press (?:\d|one|two|three|four|five|zero)"
    r"|all (?:of )?(?:our )?(?:agents|representatives|operators|lines|advisors|associates) are"
    r"|please (?:remain|stay) on the line"
    r"|you (?:have|'ve) reached the (?:voicemail|voice mail|mailbox)"
    r"|recorded (?:or monitored )?for (?:quality|training)|leave (?:us )?a message after"
    r"|nach dem (?:signal)?ton|ihr anruf ist uns (?:sehr )?wichtig|bleiben sie in der leitung"
    r"|kein anschluss unter dieser (?:ruf)?nummer"
    r"|der (?:gewünschte|angerufene) (?:gesprächspartner|teilnehmer)"
    r"|alle (?:unsere )?(?:mitarbeiter|leitungen|plätze) sind|drücken sie (?:die )?\w+"
    r"|après le (?:bip|signal)|votre appel est important|appuyez sur|ne quittez pas un conseiller"
    r"|después del? (?:tono|señal)|su llamada es (?:muy )?importante|marque (?:el )?\w+ para"
)
_TOLD: Final = re.compile(
    r"\b(?:it|voice|message|recording|somebody|someone) (?:says|said|told|keeps)\b|\btells? me\b"
    r"|\bi (?:heard|hear|pressed|left|get|got)\b|\bshould i\b|\bdo i\b|\bich (?:höre|habe)\b"
    r"|\bsoll ich\b|\bj'(?:ai|entends)\b|\bme dice\b"
)
_SERVICE: Final = re.compile(
    r"how (?:can|may) i (?:help|assist)|(?:can|may) i (?:help|assist) you with"
    r"|anything else (?:i can|you need|you'd like|that i can)|is there anything (?:else|i can)"
    r"|(?:virtual|automated|digital|voice|ai) (?:assistant|agent)"
    r"|i(?:'m| am) here to (?:help|assist)"
    r"|thank you for (?:calling|contacting|reaching out)"
    r"|(?:wie|womit|was) kann ich (?:ihnen )?(?:helfen|für sie tun)"
    r"|(?:noch|sonst) etwas für sie tun"
    r"|(?:virtueller?|digitaler?|automatischer?) (?:assistent|assistentin)"
    r"|(?:comment|en quoi) puis je vous aider|assistant virtuel|en qué puedo ayudar"
)
_FILLER: Final = (
    r"(?:(?:ok|okay|yes|yeah|sure|sorry|um|uh|oh|so|please|can you|could you|ja|gut) )*"
)
_MOMENT: Final = (
    r"(?:(?:please )?(?:hold on|hang on|hold the line|hold please|bear with me)"
    r"(?: (?:for )?(?:a|one|just a) (?:second|sec|moment|minute|bit))?"
    r"|(?:(?:just|wait|give me) )*(?:a|one|half a) (?:second|sec|moment|minute)"
    r"|i(?:'ll| will) be (?:right|just|straight) (?:back|with you)"
    r"|(?:warten sie |warte )?(?:bitte )?(?:mal )?(?:kurz )?"
    r"(?:einen|ein|eine|nur einen|nur eine)? ?(?:kleinen )?(?:moment|augenblick|sekunde|minute)"
    r"|ich bin gleich (?:wieder )?da|bleiben sie (?:bitte )?dran"
    r"|(?:attendez )?(?:un|une) (?:instant|moment|seconde|minute)|ne quittez pas"
    r"|(?:espere |espera )?un (?:momento|segundo|minuto))"
)
_TAIL: Final = (
    r"(?: (?:please|thanks|thank you|bitte|mal|kurz|s'il vous plaît|por favor|ok|okay"
    r"|(?:i|let me|i'm|ich|je|tengo) .{1,60}))?"
)
_WAIT: Final = re.compile(_FILLER + _MOMENT + _TAIL)
_UNRECORDED: Final = re.compile(
    r"(?:don't|do not|please don't|not want|not wish|rather not|prefer not|never|not ok with|stop)"
    r"(?: \w+){0,4} (?:record(?:ed|ing)?|taped)(?! in\b)"
    r"|(?:no|without|turn off the|switch off the|not agree to(?: \w+)?|against(?: \w+)?)"
    r" recording\b"
    r"|(?:nicht|keine|ohne|gegen)(?: \w+){0,3} (?:aufgezeichnet|aufgenommen|aufzeichne\w*|aufnahme)"
    r"|(?:ne|pas|sans)(?: \w+){0,4} (?:enregistr\w+)"
    r"|(?:no|sin)(?: \w+){0,3} (?:grab\w+)"
)
