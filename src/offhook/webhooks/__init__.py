"""Webhooks: a team's endpoints, and every event on its way to them (W1 to W14).

    web process     routes.py: endpoints, deliveries, replay, catalogue, `offhook listen`
    worker          register_jobs(jobs, database, vault, outgoing): the dispatcher

app.py joins `fan_out` to `db.when_published`: each event's deliveries are written in the
transaction of the change that it tells. Rooms below know nothing of it; they publish typed events,
and those models are the catalogue. Joined there too: `when_switched_off(handler)` for the mail
about an endpoint, `forget_words(session, team_id, conversation_ids)` for an erasure.
"""

from offhook.webhooks.bodies import forget_words
from offhook.webhooks.contact_keeping import Bodies
from offhook.webhooks.endpoints import when_switched_off
from offhook.webhooks.fanout import fan_out
from offhook.webhooks.jobs import register as register_jobs
from offhook.webhooks.models import Endpoint

__all__ = ["Bodies", "Endpoint", "fan_out", "forget_words", "register_jobs", "when_switched_off"]
