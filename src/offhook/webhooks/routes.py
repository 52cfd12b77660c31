"""The routes of webhooks, for the web process alone: no other one pays for their import."""

from offhook.webhooks import api, delivery_api, listener_api, pages
from offhook.webhooks.describing import describe

routers = (api.router, delivery_api.router, listener_api.router, pages.router)
banners = pages.banners

__all__ = ["banners", "describe", "routers"]
