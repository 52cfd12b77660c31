"""`X-Twilio-Signature`: HMAC-SHA1 over the URL and the sorted form fields, base64.

Source: twilio.com/docs/usage/security ("Validating requests"). The URL is the configured public
one, never what the request claims (SEC1); the algorithm is fixed here, whatever a header such as
`X-Twilio-Webhooks-Signature-Settings` asks for. Fields are joined without a separator, so
`A=B&C=D` and `A=BCD` sign alike: repeated names are refused here and `protocol` reads known names
only (SEC1b). Pure; no I/O.
"""

import base64
import binascii
import hmac
from collections.abc import Iterator, Sequence
from hashlib import sha1, sha256
from urllib.parse import SplitResult, parse_qs, urlsplit

from offhook.carriers.twilio.forms import repeated_names, to_bytes

HEADER = "X-Twilio-Signature"
# Connection overrides that the adapter puts behind each callback URL: 2 s to connect, two
# retries whatever went wrong. Whether the signed URL has the fragment is not documented.
OVERRIDES = "ct=2000&rc=2&rp=5xx,ct,rt"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def sign(token: str, url: str, fields: Sequence[tuple[str, str]] = ()) -> str:
    """The signature of a request to `url` with these form fields (none for GET and JSON)."""
    return base64.b64encode(_digest(token, url, _joined(fields))).decode()


def _digest(token: str, url: str, tail: bytes) -> bytes:
    return hmac.new(token.encode(), to_bytes(url) + tail, sha1).digest()


def _joined(fields: Sequence[tuple[str, str]]) -> bytes:
    pairs = sorted((to_bytes(name), to_bytes(value)) for name, value in fields)
    return b"".join(name + value for name, value in pairs)


def verify_form(
    token: str, url: str, fields: Sequence[tuple[str, str]], signature: str | None
) -> bool:
    """Whether `signature` is ours for a form posted to `url` (or a GET: no fields).

    `url` is the configured address with the request's path and query; see `callback_url`.
    A missing header, a repeated name or an empty token is a refusal, never an exception.
    """
    if repeated_names(fields):
        return False
    return _matches(token, url, fields, signature)


def verify_json(token: str, url: str, body: bytes, signature: str | None) -> bool:
    """Whether `signature` covers `url`, and its `bodySHA256` this body."""
    digests = parse_qs(urlsplit(url).query).get("bodySHA256", [])
    if len(digests) != 1 or not hmac.compare_digest(
        sha256(body).hexdigest().encode(), digests[0].lower().encode("utf-8", "replace")
    ):
        return False
    return _matches(token, url, (), signature)


def callback_url(public_url: str, path: bytes | str, query: bytes | str = b"") -> str:
    """The URL that the carrier was given: the configured origin with the request's own path.

    `path` and `query` as they came over the wire (ASGI's `raw_path` and `query_string`).
    """
    path_text = path if isinstance(path, str) else path.decode("ascii", "surrogateescape")
    query_text = query if isinstance(query, str) else query.decode("ascii", "surrogateescape")
    return public_url.rstrip("/") + path_text + (f"?{query_text}" if query_text else "")


def _matches(
    token: str, url: str, fields: Sequence[tuple[str, str]], signature: str | None
) -> bool:
    if not token or not signature:
        return False
    try:
        given = base64.b64decode(signature.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    # base64 has several spellings of the same bytes; only the canonical one is accepted.
    if base64.b64encode(given).decode() != signature:
        return False
    tail = _joined(fields)
    return any(hmac.compare_digest(_digest(token, each, tail), given) for each in _spellings(url))


def _spellings(url: str) -> Iterator[str]:
    """The forms in which a carrier may have signed one and the same URL.

    With and without the port; apostrophes as they are or percent-encoded, since some clients
    re-encode them on the way (SM8); with and without the connection overrides.
    """
    try:
        parts = urlsplit(url)
        netlocs = _netlocs(parts)
    except ValueError:
        return
    base = url.partition("#")[0]
    origin = f"{parts.scheme}://{parts.netloc}"
    if not parts.netloc or not base.startswith(origin):
        return
    rest = base.removeprefix(origin)
    fragments = dict.fromkeys(["", f"#{OVERRIDES}", f"#{parts.fragment}" if parts.fragment else ""])
    rests = dict.fromkeys([rest, rest.replace("%27", "'"), rest.replace("'", "%27")])
    for netloc in netlocs:
        for variant in rests:
            for fragment in fragments:
                yield f"{parts.scheme}://{netloc}{variant}{fragment}"


def _netlocs(parts: SplitResult) -> list[str]:
    if parts.port is None:
        port = _DEFAULT_PORTS.get(parts.scheme)
        return [parts.netloc, f"{parts.netloc}:{port}"] if port else [parts.netloc]
    return [parts.netloc, parts.netloc.removesuffix(f":{parts.port}")]
