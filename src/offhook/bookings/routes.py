"""The routes of bookings, for the web process alone: no other one pays for their import."""

from offhook.bookings import api, feed, pages

routers = (api.router, pages.router, feed.router)

__all__ = ["routers"]
