"""A kept file as an answer: nothing in it runs, and nobody between keeps it (SEC16's manner)."""

from starlette.responses import Response

from offhook.messages.media.models import MessageMedia
from offhook.messages.media.sniffing import ENDINGS, SHOWN, UNKNOWN


def response(found: MessageMedia) -> Response:
    """Shown in the page where a browser can, else a download; by our own word for what it is."""
    kind = found.content_type if found.content_type in ENDINGS else UNKNOWN
    manner = "inline" if kind in SHOWN else "attachment"
    return Response(
        found.content or b"",
        media_type=kind,
        headers={
            "Content-Disposition": f'{manner}; filename="{found.id}.{ENDINGS[kind]}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )
