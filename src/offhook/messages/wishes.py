"""Whether a text, which is no keyword, plainly asks us to stop, in seven languages (SEC18).

"Any reasonable means" of 47 CFR 64.1200(a)(10): a plain wish to hear no more, addressed to us. What
is found is asked about, and honoured when it is said again or agreed to; so the patterns may be
wide, but a table and a newsletter that somebody else is to stop are none of ours. They are matched
against letters without accents, in lower case, with single spaces; who is to stop is looked for
within one clause. Pure; no I/O.
"""

import re
import unicodedata
from collections.abc import Mapping

_CONTACTING = r"(?:text|texting|messag(?:e|ing)|contact(?:ing)?|sms|spam(?:ming)?|bother(?:ing)?)"
_TEXTS = r"(?:texts?|messages?|sms)"
_NACHRICHTEN = r"(?:nachrichten?|sms|mitteilungen|werbung|werbenachrichten|texte)"
_MESSAGES = r"(?:sms|messages?|textos?|pub|publicites?)"
_MENSAJES = r"(?:mensajes?|sms|textos|publicidad)"
_MESSAGGI = r"(?:messagg\w+|sms|pubblicita)"
_MENSAGENS = r"(?:mensage(?:m|ns)|sms|torpedos|propagandas?)"
_BERICHTEN = r"(?:berichten|berichtjes|sms(?:'?en|'?jes)?|reclame)"

_WISHES: Mapping[str, tuple[str, ...]] = {
    "en": (
        rf"(?:stop|quit|cease)\s+{_CONTACTING}(?:\s+(?:me|us|my|this|now|please))?\b",
        rf"(?:stop|quit|cease)\s+sending\s+(?:me|us|these|this|those|{_TEXTS})\b",
        rf"stop\s+(?:these|those|the|all|your)\s+(?:\w+\s+)?(?:{_TEXTS}|spam)\b",
        rf"(?:do\s*n[o']?t|never)\s+(?:ever\s+)?{_CONTACTING}\s+(?:me|us|this\s+number)\b",
        rf"(?:do\s*n[o']?t|never)\s+send\s+(?:me|us)\s+(?:any\s+)?(?:more|{_TEXTS})\b",
        (
            rf"(?:do\s*n[o']?t|no\s+longer)\s+(?:want|wish)\s+(?:to\s+(?:get|receive)\s+)?"
            rf"(?:any\s+more|any|these|your|more)?\s*(?:more\s+)?{_TEXTS}\b"
        ),
        rf"no\s+more\s+(?:\w+\s+)?{_TEXTS}\b",
        r"(?:take|get|remove)\s+(?:me|us|my\s+number|this\s+number)\s+(?:off|from|out\s+of)\b",
        r"(?:remove|delete)\s+(?:me|my\s+number)\b",
        r"unsubscribe\s+(?:me|us)\b",
        (
            r"(?:want|like|wish|need|please)(?:\s+to)?\s+(?:be\s+)?"
            r"(?:unsubscribed?|opt(?:ed)?[\s-]*out)\b"
        ),
        r"opt\s+me\s+out\b",
        r"leave\s+me\s+alone\b",
        r"lose\s+(?:my|this)\s+number\b",
        r"i\s+(?:revoke|withdraw)\s+(?:my\s+)?consent\b",
    ),
    "de": (
        (
            rf"ho(?:e)?r(?:t|en\s+sie)?\s+(?:bitte\s+|endlich\s+)*auf\b.{{0,20}}"
            rf"\b(?:schreiben|schicken|senden|texten|belastigen|{_NACHRICHTEN})\b"
        ),
        (
            r"(?:schreib|kontaktier|belastig|textet?|simst?)\w*\s+(?:sie\s+)?(?:mir|mich|uns)\s+"
            r"(?:bitte\s+)?(?:nicht\s+mehr|nie\s+(?:wieder|mehr))\b"
        ),
        rf"keine\s+(?:weiteren|weitere)\s+{_NACHRICHTEN}\b",
        rf"keine\s+(?:\w+\s+)?{_NACHRICHTEN}\s+mehr\b",
        (
            r"(?:nimm|nehm\w+|streich\w*|lo(?:e)?sch\w*|entfern\w*|trag\w*)\s+(?:sie\s+)?(?:bitte\s+)?"
            r"(?:mich\s+(?:bitte\s+)?(?:von|aus)|meine\s+(?:\w*nummer|daten))\b"
        ),
        r"mich\s+(?:bitte\s+|hier\s+|sofort\s+)*(?:abmelden|austragen)$",
        (
            r"mich\s+(?:bitte\s+)?(?:von|aus|vom)\s+(?:(?:dieser|der|den|diesem|dem|eure[rmn]|ihre[rmn])"
            r"\s+)?(?:liste|verteiler|newsletter|sms|nachrichten)\s+(?:abmelden|austragen|streichen)\b"
        ),
        rf"{_NACHRICHTEN}\s+(?:bitte\s+)?(?:abbestellen|stoppen|einstellen)\b",
        (
            rf"(?:bestell\w*|stopp\w*|stell\w*)\s+(?:sie\s+)?(?:bitte\s+)?(?:die|diese|alle|eure|ihre)"
            rf"\s+(?:\w+\s+)?{_NACHRICHTEN}\b"
        ),
        r"(?:lass|lasst|lassen\s+sie)\s+mich\s+(?:bitte\s+|endlich\s+)*in\s+(?:ruhe|frieden)\b",
        r"widerruf\w*\s+(?:hiermit\s+)?(?:meine|die)\s+(?:einwilligung|zustimmung)\b",
    ),
    "fr": (
        (
            r"(?:arret|cess|stopp?)(?:e|ez|er|es)\s+(?:s'?il\s+(?:te|vous)\s+plait\s+)?"
            r"(?:de\s+(?:me\s+|m'|nous\s+)|d')(?:envoyer|ecrire|contacter|texter|harceler|spammer|"
            r"deranger|solliciter)"
        ),
        (
            rf"(?:arret|cess|stopp?)(?:e|ez|er|es)\s+(?:avec\s+)?(?:les|ces|vos|tes|tous)\s+"
            rf"(?:\w+\s+)?{_MESSAGES}\b"
        ),
        r"ne\s+(?:m'\s*|me\s+|nous\s+)(?:ecri|envo|contact|text|derang|sollicit|harcel)\w*\s+plus\b",
        (
            rf"ne\s+(?:veux|souhaite|desire)\s+plus\s+(?:recevoir\s+)?(?:de|d'|ces|vos|aucun)\s*"
            rf"(?:\w+\s+)?{_MESSAGES}\b"
        ),
        rf"ne\s+plus\s+recevoir\s+(?:de|d'|ces|vos)\s*(?:\w+\s+)?{_MESSAGES}\b",
        rf"^plus\s+(?:de|aucun|un\s+seul)\s+{_MESSAGES}\b",
        r"(?:desabonn|desinscri)\w+\s*-?\s*(?:moi|nous)\b",
        (
            r"me\s+(?:desabonner|desinscrire)(?:$|\s+(?:de|des|a)\s+(?:cette\s+|votre\s+|vos\s+|la\s+)?"
            r"(?:liste|sms|messages|newsletter)\b)"
        ),
        r"(?:retir|supprim|enlev|effac)\w*\s*-?\s*(?:moi\s+de|mon\s+numero)\b",
        r"laiss\w+\s*-?\s*moi\s+tranquille\b",
        r"moi\s+la\s+paix\b",
        r"(?:retire|revoque)\s+mon\s+consentement\b",
    ),
    "es": (
        r"(?:dej|par)(?:a|e|en|ad)\s+de\s+(?:enviar|mandar|escribir|contactar|molestar)(?:me|nos)\b",
        r"no\s+(?:me|nos)\s+(?:escrib|envi|mand|contact|molest)\w+\s+(?:mas|nunca|otra\s+vez)\b",
        r"no\s+(?:me|nos)\s+vuelv\w+\s+a\s+(?:escribir|enviar|mandar|contactar|molestar)\b",
        (
            rf"no\s+(?:quiero|deseo)\s+(?:seguir\s+)?(?:recib\w+\s+)?(?:mas|sus|estos|tus)?\s*"
            rf"{_MENSAJES}\b"
        ),
        rf"(?:no|ni\s+un)\s+mas\s+{_MENSAJES}\b",
        (
            rf"(?:basta|para|pare|paren|deten\w*)\s+(?:ya\s+)?(?:de\s+|con\s+)?(?:los\s+|estos\s+|sus\s+)?"
            rf"{_MENSAJES}\b"
        ),
        (
            r"(?:dame|dadme|deme|denme|darme)\s+de\s+baja(?:$|\s+(?:de\s+)?(?:esta|la|su|sus|los|estos)"
            r"\s+(?:lista|mensajes|sms)\b)"
        ),
        r"(?:quit|borr|elimin)\w*\s+mi\s+(?:numero|telefono)\b",
        r"(?:quit|borr|elimin|sac|saqu)\w*me\s+de\s+(?:la|su|esta|tu)\s+lista\b",
        r"dej(?:a|e|en)me\s+en\s+paz\b",
        r"(?:revoco|retiro)\s+(?:mi|el)\s+consentimiento\b",
    ),
    "it": (
        r"smett\w+\s+di\s+(?:scriver|mandar|inviar|contattar|disturbar)(?:mi|ci)\b",
        (
            r"non\s+(?:scriv|mandat|mandar|inviat|inviar|contattat|contattar|disturbat|disturbar)\w*"
            r"(?:mi|ci)\s+(?:piu|mai)\b"
        ),
        r"non\s+mi\s+(?:scriv|mand|invi|contatt|disturb)\w*\s+piu\b",
        (
            rf"(?:non\s+voglio|non\s+desidero)\s+(?:piu\s+)?(?:ricevere\s+)?(?:piu\s+)?(?:altri\s+|i\s+"
            rf"vostri\s+)?{_MESSAGGI}\b"
        ),
        rf"(?:basta|stop)\s+(?:con\s+)?(?:i\s+|questi\s+|gli\s+)?{_MESSAGGI}\b",
        r"(?:cancell|rimuov|toglie?t?)\w*\s+(?:il\s+)?mio\s+numero\b",
        r"(?:cancell|rimuov|togli)\w*mi\s+dal(?:la|le|l')?\s*(?:vostra\s+)?(?:lista|mailing\w*)\b",
        r"(?:disiscriv|cancell)(?:etemi|imi|atemi|ami)$",
        r"lasci(?:a|ate)(?:mi)\s+in\s+pace\b",
        r"(?:revoco|ritiro)\s+il\s+(?:mio\s+)?consenso\b",
    ),
    "pt": (
        (
            r"par(?:e|em|a)\s+de\s+(?:me\s+)?(?:enviar|mandar|escrever|contactar|contatar|incomodar)"
            r"(?:-?me)?\b"
        ),
        r"nao\s+me\s+(?:mand|envi|escrev|contact|contat|incomod)\w*\s+(?:mais|nunca)\b",
        (
            rf"nao\s+(?:quero|desejo)\s+(?:mais\s+)?(?:receber\s+)?(?:mais\s+)?(?:as\s+suas\s+|essas\s+)?"
            rf"{_MENSAGENS}\b"
        ),
        rf"(?:chega|basta)\s+de\s+{_MENSAGENS}\b",
        r"(?:remov|apag|exclu|retir|tir)\w*\s+(?:o\s+)?meu\s+(?:numero|telefone)\b",
        (
            r"(?:me\s+(?:tir|remov|retir|exclu)\w*|(?:tir|remov|retir)\w*-?me)\s+d(?:a|essa|esta)\s+"
            r"(?:sua\s+|vossa\s+)?lista\b"
        ),
        r"(?:me\s+deix\w*|deix\w*-?me)\s+em\s+paz\b",
        r"(?:retiro|revogo)\s+o\s+(?:meu\s+)?consentimento\b",
    ),
    "nl": (
        (
            rf"(?:stop|hou(?:d)?\s+op)\s+(?:alsjeblieft\s+|aub\s+)?met\s+(?:(?:mij|me|ons|deze|die|al|het)"
            rf"\s+)*(?:{_BERICHTEN}|sturen|appen|schrijven|lastigvallen)\b"
        ),
        (
            rf"(?:stuur|zend)\s+(?:mij|me|ons)\s+(?:alsjeblieft\s+|aub\s+)?geen\s+(?:\w+\s+)?"
            rf"{_BERICHTEN}\s+meer\b"
        ),
        rf"(?:geen|wil\s+geen)\s+(?:\w+\s+)?{_BERICHTEN}\s+meer\b",
        r"(?:sms|bericht|app|schrijf|contacteer|bel)\s+(?:mij|me)\s+niet\s+meer\b",
        r"(?:haal|verwijder|schrap)\s+(?:mij|me|mijn\s+nummer)\b",
        (
            r"(?:mij|me)\s+(?:graag\s+)?(?:afmelden|uitschrijven)(?:$|\s+(?:van|voor)\s+(?:deze|jullie|de)"
            r"\s+(?:lijst|berichten|sms))"
        ),
        r"laat\s+(?:mij|me)\s+met\s+rust\b",
        r"trek\s+mijn\s+toestemming\s+in\b",
    ),
}
_PATTERNS = {
    language: re.compile("|".join(rf"(?:(?<!\w){each})" for each in patterns))
    for language, patterns in _WISHES.items()
}
# Somebody else is to stop something, or is said to.
_NOT_US = re.compile(r"\b(?:he|she|they|him|them)\b.{0,20}\b(?:stop|quit)\b")
_CLAUSE_ENDS = re.compile(r"[.,!?;:\n\u2026]+")
# fmt: off
AGREEMENTS = frozenset({
    "yes", "yeah", "yep", "yup", "ok", "okay", "sure", "y", "yes please",
    "ja", "jawohl", "ja bitte", "oui", "oui s'il vous plait",
    "si", "claro", "si por favor", "certo", "sim", "sim por favor", "ja graag",
})
# fmt: on


def wish_to_stop(text: str) -> str:
    """The language in which `text` asks us to stop; "" where it does not."""
    if any(_NOT_US.search(plain(each)) for each in _CLAUSE_ENDS.split(text)):
        return ""
    line = plain(text)
    return next((name for name, pattern in _PATTERNS.items() if pattern.search(line)), "")


def agrees(text: str) -> bool:
    """Whether `text` is a plain yes, as an answer to our question whether to stop."""
    return plain(text).strip(" '-") in AGREEMENTS


def plain(text: str) -> str:
    """Lower case, letters without accents, single spaces; of the marks only ' and - remain."""
    compatible = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    letters = "".join(
        each
        for each in unicodedata.normalize("NFD", compatible)
        if unicodedata.category(each) not in {"Mn", "Cf"}
    )
    return " ".join(re.sub(r"[^\w\s'-]", " ", letters).split())
