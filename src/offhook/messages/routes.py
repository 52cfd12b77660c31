"""The routes of messages, for the web process alone: no other one pays for their import."""

from offhook.messages import api, carrier, pages

routers = (carrier.router, api.router, pages.router)

__all__ = ["routers"]
