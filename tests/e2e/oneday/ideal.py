"""A day that a product without a fault has left behind: the carrier's log and our rows. Pure.

The checker is tried on it, and on what becomes of it when something is lost, doubled or changed.
Written by hand from the rules, in a minute's steps; no code of the product takes part.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from oneday import history
from oneday.history import History, Posted, Row, Taken

DESK = "+12025550199"
NUMBER = "num_desk"
MONTH = "2026-05-01T00:00:00+00:00"
START = datetime(2026, 5, 14, 9, tzinfo=UTC)


@dataclass
class Ideal:
    """Each act is written into the log and into the books; the clock goes on by a minute."""

    log: list[Row] = field(default_factory=list[Row])
    books: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    taken: list[Taken] = field(default_factory=list[Taken])
    posted: list[Posted] = field(default_factory=list[Posted])
    instant: datetime = START
    made: int = 0

    def history(self) -> History:
        return History(
            history.texts(self.log, {DESK}),
            history.calls(self.log, {DESK}),
            history.joins(self.log),
            dict(self.books),
            tuple(self.taken),
            tuple(self.posted),
        )

    # --- texts ---

    def text(self, remote: str, body: str, outcome: str, why: str | None = None) -> Row:
        """Somebody texts us; the text counts where `why` does not keep it back."""
        self._pass()
        sid = self._id("SM")
        ends = {"from": remote, "to": DESK, "body": body, "segments": 1}
        self._log("message_received", sid, **ends)
        row = self._message(remote, body, "inbound", sid, outcome=outcome, why=why)
        row["counted"] = why in {None, "opted_out", "taken_over"}
        if row["counted"]:
            self.unit("sms", row["id"])
        return row

    def reply(self, remote: str, body: str, kind: str, answers: tuple[Row, ...] = ()) -> Row:
        """We text somebody, and it is delivered."""
        self._pass()
        sid = self._id("SM")
        self._log("message_accepted", sid, **{"from": DESK, "to": remote}, body=body, segments=1)
        self._log("message_sent", sid)
        self._log("message_delivered", sid)
        row = self._message(remote, body, "outbound", sid, kind=kind, state="delivered")
        for each in answers:
            each["reply_id"] = row["id"]
        if kind != "confirmation":
            self.unit("sms", row["id"])
        return row

    def opt_out(self, remote: str) -> None:
        self.books["opt_outs"].append({"id": self._id("opt"), "ours": DESK, "remote": remote})

    def take(self, remote: str, minutes: int) -> None:
        """A member has the thread from now on."""
        until = self.instant + timedelta(minutes=minutes)
        self.taken.append(Taken(DESK, remote, _us(self.instant), _us(until)))

    # --- calls ---

    def call(self, remote: str, seconds: int, reason: str = "caller_hung_up") -> Row:
        """Somebody calls and is answered for so long; 0: refused."""
        self._pass()
        sid = self._ring(remote, DESK, "inbound")
        answered = self.instant
        if seconds:
            self._log("call_answered", sid)
            self.instant += timedelta(seconds=seconds)
        minutes = self._hang_up(sid, seconds)
        conversation = self._conversation(
            remote, "call", state="closed" if seconds else "not_answered", met=bool(seconds)
        )
        row: Row = {
            "id": self._id("call"),
            "conversation_id": conversation["id"],
            "carrier_call_id": sid,
            "caller": remote,
            "direction": "inbound",
            "state": "ended" if seconds else "refused",
            "reason": reason,
            "answered_at": _iso(answered),
            "spoke_at": _iso(answered) if seconds else None,
            "ended_at": _iso(self.instant),
        }
        self.books["calls"].append(row)
        if seconds:
            self._turn(conversation, "agent", "Hello!")
            self._turn(conversation, "caller", "Are you open?")
        for index in range(minutes):
            self.unit("calls", row["id"], index, answered + timedelta(minutes=index))
        self._tell("call.ended" if seconds else "call.refused", row, call_id=row["id"])
        return row

    def transfer(self, call: Row, remote: str, failure: str | None = None) -> None:
        """While it went on the caller was put through to somebody, for half a minute."""
        sid = self._ring(DESK, remote, "outbound-dial", parent=call["carrier_call_id"])
        if failure is None:
            self._log("call_answered", sid)
            self._log("joined", call["carrier_call_id"], leg=sid)
        self._hang_up(sid, 0 if failure else 30)
        self.books["transfers"].append(
            {
                "id": self._id("tfr"),
                "call_id": call["id"],
                "e164": remote,
                "leg_id": "" if failure else sid,
                "state": "failed" if failure else "ended",
                "failure": failure,
                "minutes": 0 if failure else 1,
            }
        )

    # --- tasks ---

    def run(self, kind: str) -> None:
        """A task is confirmed and done."""
        run_id = self._id("run")
        self.books["task_runs"].append(
            {"id": run_id, "kind": kind, "state": "completed", "confirmed_at": _iso(self.instant)}
        )
        if kind == "http":
            self.posted.append(Posted(run_id))
        else:
            self.books["booking_appointments"].append({"id": self._id("apt"), "key": run_id})

    # --- how it is kept ---

    def _message(self, remote: str, body: str, direction: str, sid: str, **known: Any) -> Row:
        thread = self._conversation(remote, "sms", state="open")
        turn = self._turn(thread, "caller" if direction == "inbound" else "agent", body)
        row: Row = {
            "id": self._id("sms"),
            "number_id": NUMBER,
            "conversation_id": thread["id"],
            "turn_id": turn["id"],
            "turn_sequence": turn["sequence"],
            "direction": direction,
            "carrier_id": sid,
            "ours": DESK,
            "remote": remote,
            "body": body,
            "segments": 1,
            "state": "received",
            "error_code": None,
            "accepted_at": _iso(self.instant) if direction == "outbound" else None,
            "created_at": _iso(self.instant),
            **dict.fromkeys(("kind", "outcome", "why", "reply_id")),
            "counted": True,
        } | known
        self.books["messages"].append(row)
        news = ["message.received"] if direction == "inbound" else ["message.sent"]
        for name in news + ["message.delivered"] * (row["state"] == "delivered"):
            self._tell(name, row, message_id=row["id"])
        return row

    def _conversation(self, remote: str, channel: str, *, state: str, met: bool = True) -> Row:
        holders = {row["e164"]: row["contact_id"] for row in self.books["contact_numbers"]}
        if met and remote not in holders:
            holders[remote] = self._id("con")
            number = {"e164": remote, "canonical": remote, "contact_id": holders[remote]}
            self.books["contact_numbers"].append({"id": self._id("cnr"), **number})
        pair = (channel, remote)
        for row in self.books["conversations"]:
            if channel == "sms" and (row["channel"], row["sender"]) == pair:
                return row
        made: Row = {
            "id": self._id("cnv"),
            "channel": channel,
            "number_id": NUMBER,
            "sender": remote,
            "contact_id": holders.get(remote),
            "state": state,
            "last_sequence": 0,
        }
        self.books["conversations"].append(made)
        return made

    def _turn(self, conversation: Row, speaker: str, text: str) -> Row:
        conversation["last_sequence"] += 1
        turn = {
            "id": self._id("trn"),
            "conversation_id": conversation["id"],
            "sequence": conversation["last_sequence"],
            "speaker": speaker,
            "text": text,
        }
        self.books["turns"].append(turn)
        return turn

    def unit(
        self, service: str, subject: str, index: int = 0, starts: datetime | None = None
    ) -> None:
        """Held and posted, counted, and free where less than the allowance was used before."""
        unit: Row = {
            "number_id": NUMBER,
            "service": service,
            "subject_id": subject,
            "unit_index": index,
            "period_start": MONTH,
            "starts_at": _iso(starts or self.instant),
        }
        for stage, units in (("hold", 0), ("resolution", 1)):
            entry = {"id": self._id("ent"), **unit, "stage": stage, "units": units}
            self.books["usage_entries"].append(entry)
        account = {name: unit[name] for name in ("number_id", "service", "period_start")}
        counters = self.books["usage_counters"]
        if not any(account.items() <= row.items() for row in counters):
            counters.append({**account, "posted": 0, "pending": 0, "granted_limit": 1000})
        [counter] = [row for row in counters if account.items() <= row.items()]
        counter["posted"] += 1
        usage = self.books["usage"] or [{"period": {"starts_at": MONTH}, "free": []}]
        self.books["usage"] = usage
        pools = {pool["service"]: pool for pool in usage[0]["free"]}
        if service not in pools:
            usage[0]["free"].append({"service": service, "by_number": {NUMBER: 0}})
        pool = next(pool for pool in usage[0]["free"] if pool["service"] == service)
        pool["by_number"][NUMBER] += 1

    def _ring(self, sender: str, to: str, direction: str, parent: str = "") -> str:
        sid = self._id("CA")
        ends = {"from": sender, "to": to, "direction": direction, "parent": parent}
        self._log("call_ringing", sid, **ends)
        return sid

    def _hang_up(self, sid: str, seconds: int) -> int:
        minutes = -(-seconds // 60)
        told = {"status": "completed" if seconds else "busy", "reason": "", "minutes": minutes}
        self._log("call_ended", sid, **told, duration_s=seconds)
        return minutes

    def _tell(self, name: str, about: Row, **payload: str) -> None:
        conversation = about["conversation_id"]
        told = [e for e in self.books["events"] if e["conversation_id"] == conversation]
        event = {"id": self._id("evt"), "name": name, "conversation_id": conversation}
        self.books["events"].append({**event, "sequence": len(told) + 1, "payload": payload})

    def _log(self, event: str, sid: str, **data: Any) -> None:
        self.log.append({"at_us": _us(self.instant), "event": event, "sid": sid, "data": data})

    def _pass(self) -> None:
        self.instant += timedelta(minutes=1)

    def _id(self, kind: str) -> str:
        self.made += 1
        return f"{kind}_{self.made}"


def _iso(instant: datetime) -> str:
    return instant.isoformat()


def _us(instant: datetime) -> int:
    return round(instant.timestamp() * history.SECOND_US)
