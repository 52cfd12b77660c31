"""Twilio behind the port, by the official client; the simulated carrier is reached the same way.

The order tag is kept as the number's FriendlyName. Translates the client's records and errors,
and decides nothing else. Knows no team and no database.
"""

import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

import phonenumbers
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.base.values import unset
from twilio.rest import Client

from offhook.carriers.port import (
    ACCOUNT_NOT_ACTIVE,
    NOT_FOUND,
    WRONG_CREDENTIALS,
    Callbacks,
    CallerName,
    CallOut,
    CallRecord,
    Capabilities,
    Described,
    Detection,
    Direction,
    Held,
    Media,
    Message,
    NumberType,
    Offer,
    Refused,
    Registration,
    Routing,
    Search,
    SmsOut,
    Unreachable,
    by_tag,
)
from offhook.carriers.twilio import records, routing
from offhook.carriers.twilio.records import MICROS, Record
from offhook.carriers.twilio.signature import OVERRIDES
from offhook.carriers.twilio.transport import HttpxTransport
from offhook.phone import E164, country_of

NANP = frozenset({"US", "CA"})  # the countries whose inventory Twilio can search by area code
NAMED_COUNTRY = "US"  # whose numbers have caller names in Twilio's Lookup
NOT_IN_PROGRESS = 21220
MAX_LISTED = 100
PER_PAGE = 1_000  # the most that Twilio puts on one page of a list
MAX_TAG_CHARACTERS = 64
MEDIA_HOST = "https://api.twilio.com"
# By region and edge: api.twilio.com, api.dublin.ie1.twilio.com.
MEDIA_URL = re.compile(
    r"https://api(?:\.[a-z0-9-]+){0,2}\.twilio\.com/2010-04-01/Accounts/AC[0-9a-f]{32}"
    r"/Messages/(?:SM|MM)[0-9a-f]{32}/Media/ME[0-9a-f]{32}"
)
# What a page of a list was refused for: the client keeps the HTTP status only.
_BY_STATUS = {401: WRONG_CREDENTIALS, 403: ACCOUNT_NOT_ACTIVE, 404: NOT_FOUND}
# Source: twilio.com/docs/voice/answering-machine-detection.
_DETECTION = {Detection.START: "Enable", Detection.MESSAGE_END: "DetectMessageEnd"}
_PRICE_NAMES = {
    NumberType.LOCAL: "local",
    NumberType.MOBILE: "mobile",
    NumberType.TOLL_FREE: "toll free",
}


class TwilioCarrier:
    """`Carrier` for one Twilio account. One object per event loop; close it with `aclose`."""

    def __init__(self, *, account_sid: str, auth_token: str, transport: HttpxTransport) -> None:
        # The client logs every request with its numbers; ours are not to be in a log (SEC20).
        logging.getLogger("offhook.carriers.twilio.transport").setLevel(logging.WARNING)
        self._transport = transport
        self._client: Any = Client(account_sid, auth_token, http_client=transport)

    async def describe(self) -> Described:
        async with _translated():
            account = await self._client.api.accounts(self._client.account_sid).fetch_async()
        return records.described(_record(account))

    async def search(self, query: Search) -> list[Offer]:
        prices, currency = await self._monthly_prices(query.country)
        country = self._client.available_phone_numbers(query.country)
        lists: dict[NumberType, Any] = {
            NumberType.LOCAL: country.local,
            NumberType.MOBILE: country.mobile,
            NumberType.TOLL_FREE: country.toll_free,
        }
        area_code, contains = _pattern(query)
        try:
            async with _translated():
                found: list[Any] = await lists[query.type].list_async(
                    area_code=area_code,
                    contains=contains,
                    voice_enabled=True if query.voice else unset,
                    sms_enabled=True if query.sms else unset,
                    limit=query.limit,
                    page_size=min(query.limit, MAX_LISTED),
                )
        except Refused as refusal:
            if refusal.gone:  # the country has no numbers of this type
                return []
            raise
        price = prices.get(query.type, 0)
        offers = [_offer(_record(each), query.type, price, currency) for each in found]
        return [offer for offer in offers if query.digits in offer.e164]

    async def buy(self, e164: E164, *, order_tag: str, callbacks: Callbacks) -> Held:
        if not order_tag or len(order_tag) > MAX_TAG_CHARACTERS:
            raise ValueError(f"an order tag has 1 to {MAX_TAG_CHARACTERS} characters")
        async with _translated():
            bought = await self._client.incoming_phone_numbers.create_async(
                phone_number=e164, friendly_name=order_tag, **_urls(callbacks)
            )
        return _held(_record(bought))

    async def find(self, order_tag: str) -> Held | None:
        async with _translated():
            found: list[Any] = await self._client.incoming_phone_numbers.list_async(
                friendly_name=order_tag, limit=MAX_LISTED
            )
        return by_tag([_held(_record(each)) for each in found], order_tag)

    async def list_numbers(self) -> list[Held]:
        async with _translated():
            found: list[Any] = await self._client.incoming_phone_numbers.list_async(
                page_size=MAX_LISTED
            )
        return [_held(_record(each)) for each in found]

    async def configure(self, carrier_id: str, callbacks: Callbacks) -> Held:
        async with _translated():
            number = await self._client.incoming_phone_numbers(carrier_id).update_async(
                **_urls(callbacks), **dict.fromkeys(routing.OVERRULING, "")
            )
        return _held(_record(number))

    async def routing(self, carrier_id: str) -> Routing:
        async with _translated():
            number = await self._client.incoming_phone_numbers(carrier_id).fetch_async()
        return routing.told(_record(number))

    async def route(self, carrier_id: str, wanted: Routing) -> None:
        async with _translated():
            await self._client.incoming_phone_numbers(carrier_id).update_async(
                **routing.form(wanted)
            )

    async def release(self, carrier_id: str) -> None:
        async with _translated(unless=lambda code: code == NOT_FOUND):
            await self._client.incoming_phone_numbers(carrier_id).delete_async()

    async def send(self, sms: SmsOut) -> Message:
        async with _translated():
            sent = await self._client.messages.create_async(
                to=sms.to,
                from_=sms.sender,
                body=sms.body,
                status_callback=_overridden(sms.status_url) or unset,
            )
        return records.message(_record(sent))

    async def find_sent(
        self, *, sender: E164, to: E164, body: str, after: datetime
    ) -> Message | None:
        # Not filtered by date at the carrier: DateSent is empty while a message is queued.
        async with _translated():
            found: list[Any] = await self._client.messages.list_async(
                to=to, from_=sender, limit=MAX_LISTED
            )
        since = after.replace(microsecond=0)  # the carrier's times are whole seconds
        messages = [records.message(_record(each)) for each in found]
        matching = [each for each in messages if each.body == body and each.created_at >= since]
        return max(matching, key=lambda each: each.created_at, default=None)

    async def list_received(self, *, after: datetime, to: E164 | None = None) -> list[Message]:
        async with _translated():
            found: list[Any] = await self._client.messages.list_async(
                to=to or unset, date_sent_after=after.astimezone(UTC) - timedelta(seconds=1)
            )
        since = after.replace(microsecond=0)
        messages = [records.message(_record(each)) for each in reversed(found)]  # newest first
        return sorted(
            (
                each
                for each in messages
                if each.direction is Direction.INBOUND and each.created_at >= since
            ),
            key=lambda each: each.created_at,
        )

    async def place_call(self, call: CallOut) -> CallRecord:
        listens = call.detection is not None
        async with _translated():
            placed = await self._client.calls.create_async(
                to=call.to,
                from_=call.sender,
                url=_overridden(call.answer_url),
                status_callback=_overridden(call.status_url),
                timeout=call.ring_s,
                machine_detection=_DETECTION[call.detection] if call.detection else unset,
                async_amd="true" if listens else unset,
                async_amd_status_callback=_overridden(call.machine_url) if listens else unset,
            )
        return records.call(_record(placed))

    async def find_placed(self, *, sender: E164, to: E164, after: datetime) -> list[CallRecord]:
        # Not filtered by time at the carrier: a call that was never answered has no start.
        async with _translated():
            found: list[Any] = await self._client.calls.list_async(
                to=to, from_=sender, limit=MAX_LISTED
            )
        since = after.replace(microsecond=0)  # the carrier's times are whole seconds
        calls = [records.call(_record(each)) for each in found]
        mine = [c for c in calls if not c.parent_id and c.direction is Direction.OUTBOUND]
        return sorted(
            (c for c in mine if c.created_at >= since), key=lambda c: c.created_at, reverse=True
        )

    async def list_media(self, message_id: str) -> list[Media]:
        async with _translated():
            found: list[Any] = await self._client.messages(message_id).media.list_async()
        listed = [_record(each) for each in reversed(found)]  # newest first
        return [
            Media(f"{MEDIA_HOST}{str(each['uri']).removesuffix('.json')}", each["content_type"])
            for each in sorted(listed, key=lambda each: str(each["date_created"]))
        ]

    async def media(self, url: str, *, most_bytes: int) -> bytes:
        if not MEDIA_URL.fullmatch(url) or f"/Accounts/{self._client.account_sid}/" not in url:
            raise Refused(f"“{url[:120]}” is no address of this account's media.")
        auth = (self._client.username, self._client.password)
        answer = await self._transport.download(url, auth=auth, most_bytes=most_bytes)
        if answer.status in _BY_STATUS:
            code = _BY_STATUS[answer.status]
            raise Refused(f"The carrier has no such media ({answer.status}).", carrier_code=code)
        if answer.status != HTTPStatus.OK:
            sentence = f"The carrier gave no media ({answer.status})."
            raise Unreachable(sentence, outcome_unknown=False)
        if answer.truncated:
            raise Refused(f"The media has more than {most_bytes:,} bytes.")
        return answer.body

    async def find_call(self, call_id: str) -> CallRecord | None:
        try:
            async with _translated():
                call = await self._client.calls(call_id).fetch_async()
        except Refused as refusal:
            if refusal.gone:
                return None
            raise
        return records.call(_record(call))

    async def list_calls(self, *, after: datetime, before: datetime) -> list[CallRecord]:
        first, last = _days(after, before)
        async with _translated():
            found: list[Any] = await self._client.calls.list_async(
                start_time_after=first, start_time_before=last, page_size=PER_PAGE
            )
        calls = [records.call(_record(each)) for each in found]
        return sorted((c for c in calls if after <= c.at < before), key=lambda call: call.at)

    async def list_messages(self, *, after: datetime, before: datetime) -> list[Message]:
        first, last = _days(after, before)
        async with _translated():
            found: list[Any] = await self._client.messages.list_async(
                date_sent_after=first, date_sent_before=last, page_size=PER_PAGE
            )
        messages = [records.message(_record(each)) for each in found]
        return sorted(
            (m for m in messages if after <= m.created_at < before),
            key=lambda message: message.created_at,
        )

    async def caller_name(self, e164: E164) -> CallerName | None:
        if country_of(e164) != NAMED_COUNTRY:
            return None
        async with _translated(unless=lambda code: code == NOT_FOUND):
            number = self._client.lookups.v2.phone_numbers(e164)
            found = _record(await number.fetch_async(fields="caller_name"))
            return records.caller_name(found)
        return None

    async def hang_up(self, call_id: str) -> None:
        async with _translated(unless=lambda code: code in {NOT_IN_PROGRESS, NOT_FOUND}):
            await self._client.calls(call_id).update_async(status="completed")

    async def redirect(self, call_id: str, *, document: str) -> None:
        async with _translated():
            await self._client.calls(call_id).update_async(twiml=document)

    async def limit_call(self, call_id: str, *, seconds: int) -> None:
        async with _translated():
            await self._client.calls(call_id).update_async(time_limit=seconds)

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _monthly_prices(self, country: str) -> tuple[dict[NumberType, int], str]:
        """Monthly prices in micros by type; empty where the carrier has no list for a country."""
        try:
            async with _translated():
                listed = await self._client.pricing.v1.phone_numbers.countries(
                    country
                ).fetch_async()
        except Refused as refusal:
            if refusal.gone:
                return {}, "USD"
            raise
        record: Record = _record(listed)
        by_name = {
            str(each["number_type"]): round(float(each["current_price"]) * MICROS)
            for each in cast("list[Record]", record["phone_number_prices"] or [])
        }
        prices = {kind: by_name[name] for kind, name in _PRICE_NAMES.items() if name in by_name}
        return prices, str(record["price_unit"] or "usd").upper()


@asynccontextmanager
async def _translated(
    *, unless: Callable[[int | None], bool] = lambda _: False
) -> AsyncGenerator[None]:
    """Turn the client's exceptions into the port's; those with an `unless` code are no error."""
    try:
        yield
    except TwilioException as error:
        refusal = _refusal(error)
        if not unless(refusal.carrier_code):
            raise refusal from error


def _refusal(error: TwilioException) -> Refused:
    code, sentence = None, str(error)
    if isinstance(error, TwilioRestException):
        code, sentence = error.code, error.msg
    elif len(error.args) > 1:  # a page of a list: (text, response)
        response: Any = error.args[1]
        sentence = f"The carrier answered {response.status_code}"
        code = _BY_STATUS.get(int(response.status_code))
    remedy = "Check the account SID and the auth token." if code == WRONG_CREDENTIALS else ""
    return Refused(sentence, carrier_code=code, remedy=remedy)


def _days(after: datetime, before: datetime) -> tuple[datetime, datetime]:
    """Whole days around the span: the filters are documented for days only, and a call or a
    message can be told by a time later than the one that it was made at.
    """
    day = timedelta(days=1)
    first = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = before.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return first, last + 2 * day


def _pattern(query: Search) -> tuple[Any, Any]:
    """Area code and pattern for Twilio's search, which knows area codes in +1 only."""
    for name, value in (("area code", query.area_code), ("part of a number", query.digits)):
        if value and not (value.isascii() and value.isdigit()):
            raise Refused(f"“{value[:40]}” is no {name}: digits only.")
    if not query.area_code:
        return unset, query.digits or unset
    if query.country in NANP:
        return int(query.area_code), query.digits or unset
    country_code = phonenumbers.country_code_for_region(query.country)
    return unset, f"+{country_code}{query.area_code.lstrip('0')}"


def _overridden(url: str) -> str:
    """The URL with our connection overrides (faults.md, Twilio webhooks)."""
    return f"{url}#{OVERRIDES}" if url and "#" not in url else url


def _urls(callbacks: Callbacks) -> dict[str, str]:
    return {
        "voice_url": _overridden(callbacks.voice_url),
        "voice_method": "POST",
        "voice_fallback_url": _overridden(callbacks.voice_fallback_url),
        "sms_url": _overridden(callbacks.sms_url),
        "sms_method": "POST",
        "sms_fallback_url": _overridden(callbacks.sms_fallback_url),
        "status_callback": _overridden(callbacks.status_url),
        "status_callback_method": "POST",
    }


def _plain(url: str | None) -> str:
    return (url or "").removesuffix(f"#{OVERRIDES}")


def _record(instance: Any) -> Record:
    """The client's instances are bags of attributes, of which some have wrong annotations."""
    return cast("Record", vars(instance))


def _capabilities(record: Record) -> Capabilities:
    """Twilio spells the keys in either case, by resource."""
    raw = cast("dict[str, bool]", record["capabilities"] or {})
    able = {name.lower(): bool(value) for name, value in raw.items()}
    return Capabilities(
        voice=able.get("voice", False), sms=able.get("sms", False), mms=able.get("mms", False)
    )


def _offer(record: Record, kind: NumberType, price_micros: int, currency: str) -> Offer:
    capabilities = _capabilities(record)
    country = str(record["iso_country"] or "")
    registrations: list[Registration] = []
    if record["address_requirements"] not in {None, "none"}:
        registrations.append(Registration.ADDRESS)
    if capabilities.sms and country == "US" and kind is NumberType.LOCAL:
        registrations.append(Registration.A2P)
    if capabilities.sms and kind is NumberType.TOLL_FREE and country in NANP:
        registrations.append(Registration.TOLL_FREE_VERIFICATION)
    return Offer(
        e164=E164(record["phone_number"]),
        country=country,
        type=kind,
        locality=record["locality"] or "",
        region=record["region"] or "",
        capabilities=capabilities,
        monthly_price_micros=price_micros,
        currency=currency,
        registrations=tuple(registrations),
    )


def _held(record: Record) -> Held:
    return Held(
        carrier_id=record["sid"],
        e164=E164(record["phone_number"]),
        order_tag=record["friendly_name"] or "",
        capabilities=_capabilities(record),
        callbacks=Callbacks(
            voice_url=_plain(record["voice_url"]),
            sms_url=_plain(record["sms_url"]),
            status_url=_plain(record["status_callback"]),
            voice_fallback_url=_plain(record["voice_fallback_url"]),
            sms_fallback_url=_plain(record["sms_fallback_url"]),
        ),
    )
