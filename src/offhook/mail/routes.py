"""The routes of mail, for the web process alone: no other one pays for their import."""

from offhook.mail import pages

routers = (pages.router,)

__all__ = ["routers"]
