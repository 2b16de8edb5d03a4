"""A headless Chromium, and the customer's site that it visits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from local.http_messages import Request, Response
from local.http_server import HttpServer
from local.stack import Stack
from tests import visitors
from tests.api import Api

_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _executable() -> str | None:
    """The one that `make chromium` has unpacked, or else the machine's."""
    unpacked = Path(os.environ.get("GRAPEVINE_CHROMIUM_DIR", ".chromium")) / "chromium"
    if unpacked.exists():
        return str(unpacked.resolve())
    return shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Skips where there is no Chromium that runs; on CI that is a failure.

    Of a module, not of the session: while Playwright is there its thread has a running event loop,
    and tests of asynchronous clients need one of their own.
    """
    give_up = pytest.fail if os.environ.get("CI") else pytest.skip
    executable = _executable()
    if executable is None:
        give_up("there is no Chromium on this machine: `make chromium` gets one, with npm")
    libraries = [str(Path(executable).parent / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    home = tmp_path_factory.mktemp("home")
    environment: dict[str, str | float | bool] = {
        **os.environ,
        "HOME": str(home),
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
    }
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=executable, args=_ARGUMENTS, env=environment
            )
        except Error as error:
            give_up(f"Chromium does not run on this machine: {error.message.splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture
def site(stack: Stack) -> Iterator[HttpServer]:
    """The customer's site: every page has the script of the campaign in its path, and the key of
    its participant behind that, if it is a participant's page."""

    def page(request: Request) -> Response:
        _, campaign_id, *participant = request.path.split("/")
        attribute = f'data-participant="{participant[0]}"' if participant else ""
        script = f'<script src="{stack.url}/grapevine.js?campaign={campaign_id}" {attribute}>'
        html = f"<!doctype html><title>Join</title>{script}</script>"
        return Response(200, (("Content-Type", "text/html"),), html.encode())

    server = HttpServer(0, page)
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True)
class Customer:
    """A campaign whose pages are on the site. The site is another one than the API's."""

    api: Api
    url: str
    campaign_id: str

    @property
    def home(self) -> str:
        return f"{self.url}/{self.campaign_id}"

    def participant(self) -> str:
        participant_id: str = self.api.add(self.campaign_id)["id"]
        return participant_id

    def short_link(self, key: str) -> str:
        return f"{str(self.api.http.base_url).rstrip('/')}/r/{self.campaign_id}/{key}"

    def seen(self, participant: str) -> tuple[int, int]:
        shown = self.api.read(self.campaign_id, participant)
        return shown["impressionCount"], shown["uniqueImpressionCount"]


@pytest.fixture
def customer(api: Api, site: HttpServer) -> Callable[..., Customer]:
    """Makes a customer with the options that are given."""

    def make(**options: object) -> Customer:
        url = f"http://localhost:{site.port}"
        campaign_id = api.campaign(options=options or None)
        installation = {"shareUrl": f"{url}/{campaign_id}"}
        api.ok("PATCH", f"/v2/campaign/{campaign_id}/installation", installation)
        return Customer(api, url, campaign_id)

    return make


@contextmanager
def somebody(browser: Browser, user_agent: str = visitors.BROWSER) -> Iterator[Page]:
    """A page of a visitor who has never been anywhere."""
    with browser.new_context(user_agent=user_agent) as context:
        yield context.new_page()
