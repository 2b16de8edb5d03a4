"""What all tests share: the stack that they talk to, and a plain client of its API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grapevine import runtime
from local.dynamodb_local import running
from local.stack import Stack
from tests.api import Api
from tests.permissions import denied

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["moto", "dynamodb-local"],
        default="moto",
        help="what stands in for DynamoDB",
    )
    parser.addoption(
        "--stories",
        type=int,
        default=4,
        help="how many random stories are told of ranks and boards, 60 steps each",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "story_seed" in metafunc.fixturenames:
        metafunc.parametrize("story_seed", range(metafunc.config.getoption("--stories")))


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine as `grapevine run --engine` takes it."""
    if request.config.getoption("--engine") == "moto":
        yield "moto"
        return
    with running(Path(os.environ["GRAPEVINE_DYNAMODB_LOCAL_DIR"])) as url:
        yield url


@pytest.fixture(scope="module")
def stack(engine: str) -> Iterator[Stack]:
    """A stack that a module's tests share, each with campaigns of its own; its clock stands."""
    with Stack(TEMPLATE, engine=engine, background=False) as started:
        yield started
        assert denied(started.declared, started.calls) == {}, "the function's role lacks it"


@pytest.fixture
def fresh_stack(engine: str) -> Iterator[Stack]:
    """An empty stack for one test: the one to take to move the clock or to look at the table."""
    with Stack(TEMPLATE, engine=engine, background=False) as started:
        yield started
        assert denied(started.declared, started.calls) == {}, "the function's role lacks it"


@pytest.fixture
def api(stack: Stack) -> Iterator[Api]:
    """A client with the full-access key of the stack's account."""
    with Api(stack.url, stack.api_key) as client:
        yield client


@contextmanager
def inside(stack: Stack) -> Iterator[None]:
    """Calls the engine as the stack's functions do: for accounts, keys and looking at items."""
    with runtime.using(stack.runtime()):
        yield
