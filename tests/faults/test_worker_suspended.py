"""WT5: a whole worker is suspended in the middle of an SMS turn, another one of the same host does
the turn, and the first one wakes up.

Its turn is held by the system that a task asks: the suspension comes with that request. The
installation's own worker stands still meanwhile, so that it is known which one does what. Who was
taken for dead has lost its place in the queue: it says nothing twice, and begins anew.
"""

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from installation import Installation, until
from owner import Bought, Owner

LEASE_S = 60
QUESTION = "Are you open on Sunday?"


class Shop:
    """Another system on loopback; `asked` holds the idempotency key of each request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.when_asked: Callable[[], object] = lambda: None
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked.append(self.headers["Idempotency-Key"])
                first, shop.when_asked = shop.when_asked, lambda: None
                first()
                body = b'{"status": "on its way"}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


@contextmanager
def open_shop() -> Generator[Shop]:
    shop = Shop()
    serving = threading.Thread(target=shop.server.serve_forever, daemon=True)
    serving.start()
    try:
        yield shop
    finally:
        shop.server.shutdown()
        shop.server.server_close()
        serving.join()


@contextmanager
def worker(installation: Installation, shop: Shop) -> Generator[subprocess.Popen[bytes]]:
    """A worker of this installation that may ask the shop."""
    database = f"postgresql+psycopg://offhook@/offhook?host={installation.home}/pg/socket"
    allowed = {
        "OFFHOOK_DATABASE_URL": database,
        "OFFHOOK_OUTGOING_HTTP": "true",
        "OFFHOOK_OUTGOING_PORTS": f"[{shop.port}]",
        "OFFHOOK_OUTGOING_PRIVATE_NETWORKS": '["127.0.0.0/8"]',
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "offhook.cli", "worker"],
        env=installation.environment | allowed,
        cwd=installation.root,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_that_sleeps_through_its_lease_wakes_and_says_nothing_twice(
    installation: Installation, owner: Owner, number: Bought
) -> None:
    remote, other = "+12025550181", "+12025550182"
    with open_shop() as shop:
        agent_id = owner.get(f"/numbers/{number.id}")["agent_id"]
        task = owner.post(
            "/tasks",
            {
                "kind": "http",
                "title": "Order status",
                "phrases": ["where is my order"],
                "inputs": [{"name": "order", "type": "integer"}],
                "timeout_s": 3,
                "config": {
                    "method": "GET",
                    "url": f"http://127.0.0.1:{shop.port}/orders/{{{{order}}}}",
                    "answer": "Your order is {{answer.status}}.",
                },
            },
        )
        owner.put(f"/tasks/{task['id']}/agents/{agent_id}", {"channels": ["sms"]})
        used, _ = owner.used(number, "sms")
        held = until(lambda: installation.pid("worker"), "the installation's worker")
        os.kill(held, signal.SIGSTOP)
        try:
            with worker(installation, shop) as sleeper:
                shop.when_asked = lambda: os.kill(sleeper.pid, signal.SIGSTOP)
                owner.text(number, "Where is my order 17?", sender=remote)
                until(lambda: shop.asked, "the shop to be asked", 60)
                with worker(installation, shop):
                    until(lambda: owner.replies(number, remote), "the reply", LEASE_S)
                    until(lambda: owner.used(number, "sms") == (used + 2, 0), "the ledger")
                os.kill(sleeper.pid, signal.SIGCONT)
                os.kill(held, signal.SIGCONT)  # it slept as long, and has a supervisor
                owner.text(number, QUESTION, sender=other)
                until(lambda: owner.replies(number, other), "the next reply", LEASE_S)
                assert sleeper.poll() is None
        finally:
            with suppress(ProcessLookupError):
                os.kill(held, signal.SIGCONT)
        assert owner.replies(number, remote) == ["Your order is on its way."]
        assert owner.used(number, "sms") == (used + 4, 0)
        runs = owner.get("/task-runs", task_id=task["id"])["items"]
        assert [run["state"] for run in runs] == ["completed"]
        assert len(set(shop.asked)) == 1, "one key for one intent, however often it was asked"
