"""Two thousand people join a campaign with a healthy endpoint, a slow one and one that is broken.

Only on DynamoDB Local: moto makes one call at a time. The slow endpoint takes a quarter of a second
where a real one would take five; 50 are under way at once, as the template has it. The deadline is
the real one: a scaled one also ends attempts that only wait for this machine's processors.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from grapevine import runtime
from grapevine.engine.participants.add import NewParticipant, add
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.webhooks import deliveries_of
from local.stack import Stack
from tests.api import Api, Json, unique_email
from tests.conftest import TEMPLATE
from tests.hooks import PARAMETERS, Hooks

PEOPLE = 2000
WAVES = 4
THREADS = 8
SLOW_S = 0.25
MOST_GROWTH_BYTES = 64 * 1024 * 1024


class _Endpoints(ThreadingHTTPServer):
    """`/good` answers at once, `/slow` later, `/bad` with 500; counts the ids that came to each."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.came: dict[str, Counter[str]] = {
            path: Counter() for path in ("/good", "/slow", "/bad")
        }
        self.lock = threading.Lock()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Endpoint(BaseHTTPRequestHandler):
    server: _Endpoints

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.came[self.path][self.headers["webhook-id"]] += 1
        if self.path == "/slow":
            time.sleep(SLOW_S)
        self.send_response(500 if self.path == "/bad" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def endpoints() -> Iterator[_Endpoints]:
    with _Endpoints() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def join(stack: Stack, campaign_id: str, number: int) -> None:
    """New participants from 8 threads, past the API: an answer of it costs more than the adding."""
    with runtime.using(stack.runtime()):
        item = store.get(keys.campaign(campaign_id))
    assert item is not None
    campaign = Campaign.from_item(item)

    def one(_: int) -> None:
        with runtime.using(stack.runtime()):
            add(campaign, NewParticipant(email=unique_email()))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(number)))


def attempts_of_repeated(hooks: Hooks, webhook: str, came: Counter[str]) -> list[Json]:
    """What the log says of the events that an endpoint got more than once."""
    repeated = {event_id for event_id, times in came.items() if times > 1}
    with runtime.using(hooks.stack.runtime()):
        found = deliveries_of(hooks.campaign_id, webhook, limit=len(came))
    return [entry for each in found if each.event_id in repeated for entry in each.log]


@pytest.mark.both_engines
@pytest.mark.load
@pytest.mark.timeout(900)
def test_a_healthy_endpoint_gets_everything_once_beside_a_slow_and_a_broken_one(
    engine: str,
) -> None:
    if engine == "moto":
        pytest.skip("makes one call at a time")
    with (
        endpoints() as server,
        Stack(TEMPLATE, engine=engine, parameters=PARAMETERS) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        hooks = Hooks(stack, api)
        for path in server.came:
            hooks.create(server.url(path), secret=f"of {path}")
        resident = []

        for wave in range(1, WAVES + 1):
            join(stack, hooks.campaign_id, PEOPLE // WAVES)
            stack.drain()
            assert len(server.came["/good"]) == wave * PEOPLE // WAVES
            resident.append(resident_bytes())

        assert attempts_of_repeated(hooks, "primary", server.came["/good"]) == []
        assert attempts_of_repeated(hooks, "second", server.came["/slow"]) == []
        assert server.came["/slow"] == server.came["/good"]
        assert server.came["/bad"].keys() == server.came["/good"].keys()
        shown = {each: hooks.shown(each) for each in ("primary", "second", "third")}
        counted = [each["failureCount"] for each in shown.values()]
        assert counted == [0, 0, server.came["/bad"].total()]
        assert stack.queue_messages("WebhookDeadLetterQueue") == []
        assert stack.queue_messages("StreamFailureQueue") == []
        assert resident[-1] - resident[WAVES // 2 - 1] < MOST_GROWTH_BYTES
