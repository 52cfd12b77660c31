"""The routes of the inbox, for the web process alone: no other one pays for their import."""

from offhook.inbox import api, contact_pages, pages

routers = (api.router, pages.router, contact_pages.router)

__all__ = ["routers"]
