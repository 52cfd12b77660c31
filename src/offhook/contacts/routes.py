"""The routes of contacts, for the web process alone: no other one pays for their import."""

from offhook.contacts import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
