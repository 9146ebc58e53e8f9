"""The whole house on loopback: every process of `make run`, a real Chromium, a fake microphone with a real tone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from curbe.dev import chromium, config, ports
from curbe.dev.run import start
from curbe.dev.stack import Stack
from tests.browser.people import Desk
from tests.browser.sandbox import Sandbox
from tests.browser.sound import write_beeps

#: What the fake microphone hears: beeps, because Chromium's noise suppression would take a steady tone away.
MICROPHONE_HZ = 1000
DATABASE = "curbe_browser"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Every process of the product, with the demo company and the pretend Telnyx, on data of their own."""
    data = tmp_path_factory.mktemp("house")
    free: dict[str, int] = {}
    for name in ("PORT", "LIVE_PORT", "SANDBOX_PORT"):
        free[name] = ports.choose(remembered=None, taken=free.values())
    env = config.environment(os.environ)
    env["DATABASE_URL"] = _own_database(env["DATABASE_URL"])
    env["REDIS_URL"] = _own_redis(env["REDIS_URL"])
    env |= {"DEBUG": "1", "LOG_LEVEL": "INFO", "CURBE_IGNORE_DOTENV": "1", "PUBLIC_URL": "", "TELNYX_API_KEY": ""}
    for name in ("PUBLIC_URL", "TELNYX_API_KEY", "TELNYX_PUBLIC_KEY", "TELNYX_API_URL", "TELNYX_RTC_HOST", "LIVE_URL"):
        env.pop(name, None)
    with Stack(data=data, ports=free, env=env, throwaway=True) as stack:
        start(stack, sandbox=True)
        yield stack


def _own_database(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    return urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))


def _own_redis(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path="/7"))


@pytest.fixture(scope="session")
def sandbox(stack: Stack) -> Sandbox:
    return Sandbox(stack.url("sandbox"))


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    microphone = tmp_path_factory.mktemp("sound") / "microphone.wav"
    write_beeps(microphone, hz=MICROPHONE_HZ)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or chromium.ensure(),
            headless=True,
            args=[*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"],
        )
        yield browser
        browser.close()


@pytest.fixture
def context(chrome: Browser, stack: Stack) -> Iterator[Callable[..., BrowserContext]]:
    """Return a maker of browser contexts (a computer each); all are closed at the end."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        options.setdefault("permissions", ["microphone"])
        options.setdefault("locale", "en-US")
        new = chrome.new_context(base_url=stack.url("web"), **options)  # type: ignore[arg-type]
        new.set_default_timeout(10_000)
        made.append(new)
        return new

    yield make
    for one in made:
        one.close()


@pytest.fixture
def sit(
    context: Callable[..., BrowserContext], sandbox: Sandbox, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Desk]]:
    """Return a maker of desks: a person logged in at a computer, with the phone ready unless told otherwise."""
    sandbox.reset_trouble()
    desks: list[Desk] = []

    def sit_down(username: str, *, ready: bool = True, checked: bool = True, **options: object) -> Desk:
        new = Desk.log_in(context(**options), username, checked=checked)
        desks.append(new)
        if ready:
            new.wait_ready()
        return new

    yield sit_down
    for one in desks:
        failed = getattr(request.node, "call_failed", False)
        if failed:
            one.keep_evidence(Path(os.environ.get("CURBE_DATA", ".")) / "evidence" / request.node.name)
    sandbox.hang_up_everything()


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.call_failed = report.failed  # type: ignore[attr-defined]
