# SPDX-License-Identifier: AGPL-3.0-or-later
"""The control connection to our own tor: how descriptors are uploaded, and tor's ownership.

- The only module that speaks to stem.
- stem blocks and calls back from its own threads; both stay in here. Callers see coroutines, and
  callbacks on the event loop's thread.
- TAKEOWNERSHIP: tor ends when this connection does, also when our process is killed.

Source: Tor control-spec, sections 3.23 (TAKEOWNERSHIP) and 4.1.25 (HS_DESC).
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import stem
import stem.connection
from stem.control import Controller, EventType

from onion.address import SUFFIX
from onion.errors import TorFailedError
from onion.publication import Step, Upload

LISTEN_TRIES = 20
LISTEN_PAUSE = 0.05

OnUpload = Callable[[Upload], None]

_STEPS = {
    stem.HSDescAction.UPLOAD: Step.BEGUN,
    stem.HSDescAction.UPLOADED: Step.ARRIVED,
    stem.HSDescAction.FAILED: Step.FAILED,
}


class Control(Protocol):
    """What the service needs from a control connection."""

    async def open(self, path: Path, on_upload: OnUpload) -> None:
        """Connects; from then on `on_upload` is given each step of each descriptor's upload.
        Raises: TorFailedError.
        """

    async def close(self) -> None:
        """Ends the connection, and with it tor."""


class StemControl:
    """The control connection by way of stem."""

    def __init__(self) -> None:
        self._controller: Any = None

    async def open(self, path: Path, on_upload: OnUpload) -> None:
        """See `Control.open`."""
        # SECURITY: stem logs whole control messages, onion addresses among them
        # (test_control.py: test_stem_does_not_log).
        logging.getLogger("stem").setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()

        def hear(event: Any) -> None:
            step = _STEPS.get(event.action)
            if step is not None and event.address:
                address = event.address.removesuffix(SUFFIX) + SUFFIX
                loop.call_soon_threadsafe(on_upload, Upload(address, step))

        try:
            self._controller = await asyncio.to_thread(_connect, path, hear)
        except (stem.ControllerError, stem.connection.AuthenticationFailure, OSError, ValueError):
            raise TorFailedError("tor does not answer on its control socket") from None

    async def close(self) -> None:
        """See `Control.close`."""
        controller, self._controller = self._controller, None
        if controller is not None:
            await asyncio.to_thread(controller.close)


def _connect(path: Path, hear: Callable[[Any], None]) -> Any:
    _await_listener(path)
    controller = Controller.from_socket_file(str(path))
    try:
        controller.authenticate()
        controller.msg("TAKEOWNERSHIP")
        controller.add_event_listener(hear, EventType.HS_DESC)
    except BaseException:
        controller.close()
        raise
    return controller


def _await_listener(path: Path) -> None:
    """Returns once somebody listens: tor makes the file a moment before, and stem leaks its socket
    when it is refused. Raises: OSError.
    """
    for _ in range(LISTEN_TRIES - 1):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(LISTEN_PAUSE)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
