"""The routes of webhooks, for the web process alone: no other one pays for their import."""

from offhook.webhooks import api, delivery_api

routers = (api.router, delivery_api.router)

__all__ = ["routers"]
