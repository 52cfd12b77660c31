"""The routes of bookings, for the web process alone: no other one pays for their import."""

from offhook.bookings import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
