"""The routes of numbers, for the web process alone: no other one pays for their import."""

from offhook.numbers import api, buying_api, buying_pages, pages
from offhook.numbers.own import api as own_api
from offhook.numbers.own import pages as own_pages

# The addresses of buying stand before those that take a number's id.
routers = (
    buying_api.router,
    buying_pages.router,
    own_api.router,
    own_pages.router,
    api.router,
    pages.router,
)

__all__ = ["routers"]
