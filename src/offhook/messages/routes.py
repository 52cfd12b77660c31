"""The routes of messages, for the web process alone: no other one pays for their import."""

from offhook.messages import api, carrier, pages, thread_api
from offhook.messages.manners import api as manners_api
from offhook.messages.manners import pages as manners_pages
from offhook.messages.media import pages as media_pages

routers = (
    carrier.router,
    api.router,
    thread_api.router,
    pages.router,
    manners_api.router,
    manners_pages.router,
    media_pages.router,
)

__all__ = ["routers"]
