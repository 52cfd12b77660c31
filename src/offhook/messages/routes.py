"""The routes of messages, for the web process alone: no other one pays for their import."""

from offhook.messages import api, carrier, pages, thread_api

routers = (carrier.router, api.router, thread_api.router, pages.router)

__all__ = ["routers"]
