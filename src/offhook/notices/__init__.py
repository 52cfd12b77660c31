"""Notices: which news are mailed to which members, in which words (I6, U9, W10).

app.py joins `published` to `db.when_published` and `endpoint_off` to webhooks: both only enqueue,
in the transaction of the change. A worker then reads the event, writes the letter and sends it to
every member who wants that kind; one event is mailed once to each (`TOLD` says which are).

Members choose on /account/notices; what nobody chose follows the role (kinds.py).
"""

from offhook.notices.jobs import endpoint_off, published
from offhook.notices.jobs import register as register_jobs
from offhook.notices.kinds import Kind

__all__ = ["Kind", "endpoint_off", "published", "register_jobs"]
