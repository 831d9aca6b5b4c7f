# SPDX-License-Identifier: AGPL-3.0-or-later
"""Headless Firefox ESR for tests: started with a home of its own, spoken to over WebDriver BiDi.

One process serves every security level: with `--remote-allow-system-access` the preferences are
set while it runs and hold from the next page on. Starting costs 5 to 13 seconds, so one Firefox
serves a test session and each page gets a user context (cookies, storage, proxy) of its own.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.bidi import BidiConnection, BidiError
from tests.support.firefox_page import EVENTS, LOG_EVENT, Page
from tests.support.firefox_prefs import (
    LEVELS,
    QUIET,
    TOR,
    Level,
    Pref,
    appearance,
    proxy_prefs,
    set_prefs_script,
    write_user_js,
)

START_TIMEOUT = 120.0  # seconds; 5 to 13 on a calm machine
STOP_TIMEOUT = 20.0  # seconds
_BINARIES = ("firefox-esr", "firefox")


def firefox_binary() -> str | None:
    """Return the browser's path, or None."""
    return next((found for name in _BINARIES if (found := shutil.which(name))), None)


def browser_available() -> bool:
    """Return whether a Firefox is installed."""
    return firefox_binary() is not None


class Firefox:
    """`async with Firefox(level="safest") as ff: page = await ff.new_page(width=360)`"""

    def __init__(
        self,
        level: Level = "safest",
        socks_port: int | None = None,
        *,
        dark: bool = False,
        prefs: Mapping[str, Pref] | None = None,
    ) -> None:
        self._socks_port = socks_port
        self._prefs = {
            **QUIET,
            **TOR,
            **LEVELS[level],
            **proxy_prefs(socks_port),
            **appearance(dark=dark),
            **(prefs or {}),
        }
        self._home: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._bidi: BidiConnection | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the browser and connect."""
        binary = firefox_binary()
        if binary is None:
            raise BidiError("Firefox is not installed")
        self._home = Path(tempfile.mkdtemp(prefix="ff-"))
        try:
            await self._launch(binary, self._home)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the browser, by force if it does not go, and remove its home."""
        if self._bidi is not None:
            with contextlib.suppress(BidiError, ConnectionError):
                await self._bidi.send("browser.close", STOP_TIMEOUT)
            await self._bidi.close()
            self._bidi = None
        if self._process is not None:
            await _end(self._process)
            self._process = None
        if self._home is not None:
            await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)
            self._home = None

    async def new_page(
        self, width: int = 1000, height: int = 700, *, socks_port: int | None = None
    ) -> Page:
        """Open a tab with cookies of its own; *socks_port* gives it a proxy of its own too."""
        options: dict[str, Any] = {}
        if socks_port is not None and socks_port != self._socks_port:
            proxy = {"proxyType": "manual", "socksProxy": f"127.0.0.1:{socks_port}"}
            options["proxy"] = {**proxy, "socksVersion": 5}
        bidi = self._connected()
        user_context = (await bidi.send("browser.createUserContext", **options))["userContext"]
        tab = await bidi.send("browsingContext.create", type="tab", userContext=user_context)
        page = Page(bidi, tab["context"], user_context)
        await page.resize(width, height)
        return page

    async def set_level(self, level: Level) -> None:
        """Move the security slider; holds from the next page load on."""
        await self.set_prefs(LEVELS[level])

    async def set_dark(self, dark: bool) -> None:
        """Choose what `prefers-color-scheme` answers."""
        await self.set_prefs(appearance(dark=dark))

    async def set_prefs(self, prefs: Mapping[str, Pref]) -> None:
        """Set preferences in the running browser."""
        bidi = self._connected()
        tree = await bidi.send("browsingContext.getTree", **{"moz:scope": "chrome"})
        answer = await bidi.send(
            "script.evaluate",
            expression=set_prefs_script(prefs),
            target={"context": tree["contexts"][0]["context"]},
            awaitPromise=False,
        )
        if answer["type"] == "exception":
            raise BidiError("the preferences were refused")

    def _connected(self) -> BidiConnection:
        if self._bidi is None:
            raise BidiError("Firefox is not running")
        return self._bidi

    async def _launch(self, binary: str, home: Path) -> None:
        profile = home / "profile"
        await asyncio.to_thread(profile.mkdir)
        await asyncio.to_thread(write_user_js, profile, self._prefs)
        environment = {
            "HOME": str(home),
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "MOZ_HEADLESS": "1",
            "MOZ_CRASHREPORTER_DISABLE": "1",
            "TMPDIR": str(home),
            "XDG_RUNTIME_DIR": str(home),
        }
        self._process = await asyncio.create_subprocess_exec(
            *(binary, "--headless", "--no-remote", "--profile", str(profile)),
            *("--remote-debugging-port", "0", "--remote-allow-system-access"),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        url = await asyncio.wait_for(
            _endpoint(self._process, profile / "WebDriverBiDiServer.json"), START_TIMEOUT
        )
        self._bidi = await BidiConnection.open(url)
        await self._bidi.send("session.subscribe", events=[*EVENTS, LOG_EVENT])


async def _endpoint(process: asyncio.subprocess.Process, file: Path) -> str:
    """Wait until the browser has written where it listens."""
    while process.returncode is None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, KeyError):
            found = json.loads(file.read_text(encoding="utf-8"))
            return f"ws://{found['ws_host']}:{found['ws_port']}/session"
        await asyncio.sleep(0.05)
    raise BidiError(f"Firefox ended at once, code {process.returncode}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for the browser; then end its own process group, children included."""
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # helpers that outlive the parent
