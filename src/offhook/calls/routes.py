"""The routes of calls, for the web process alone: no other one pays for their import."""

from offhook.calls import api, carrier, pages
from offhook.calls.transfers import carrier as transfers

routers = (carrier.router, transfers.router, api.router, pages.router)

__all__ = ["routers"]
