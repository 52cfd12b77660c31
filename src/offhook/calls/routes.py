"""The routes of calls, for the web process alone: no other one pays for their import."""

from offhook.calls import api, carrier, pages

routers = (carrier.router, api.router, pages.router)

__all__ = ["routers"]
