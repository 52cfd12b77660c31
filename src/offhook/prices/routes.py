"""The routes of the price list, for the web process alone: no other one pays for their import."""

from offhook.prices import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
