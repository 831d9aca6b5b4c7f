# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's programs through the private Tor network: seal and send with a file, verify the
site, read the answer; each a process of its own, as a reporter starts it.
"""

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.service import PROGRAMS, Service
from tests.support.tornet import TorNetwork

pytestmark = [pytest.mark.tor, pytest.mark.slow, pytest.mark.timeout(300)]

MESSAGE = "Laporan Anda sudah kami baca."


class Reporter:
    """Somebody with this program, a SOCKS port and the poster."""

    def __init__(self, service: Service, network: TorNetwork) -> None:
        self.site = f"http://{service.ready['onion']}"
        self._tor = ("--proxy", f"socks5://127.0.0.1:{network.client_socks_port}")
        instance = (service.state / "org" / "instance.id").read_text().strip()
        self._pin = ("--instance", instance)

    def run(self, command: str, *words: object, typed: str = "") -> dict[str, Any]:
        words = (command, *words, *self._tor, *self._pin, "--json")
        done = subprocess.run(
            [str(PROGRAMS / "whistle"), *map(str, words)],
            input=typed, capture_output=True, text=True, check=False,
            env={**os.environ, "LANG": "en"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def verify(self) -> dict[str, Any]:
        """Try until the onion service is published."""
        deadline = time.monotonic() + 90
        while True:
            try:
                return self.run("verify-site", self.site)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(2)


async def test_seal_send_verify_read(tmp_path: Path, tor_network: TorNetwork) -> None:
    torrc = tmp_path / "torrc-extra"
    torrc.write_text("\n".join(tor_network.torrc_lines) + "\n", encoding="utf-8")
    service = Service(tmp_path / "state", "--torrc-extra", torrc)
    await asyncio.to_thread(service.start)
    try:
        await asyncio.to_thread(play, service, tor_network, tmp_path)
    finally:
        await asyncio.to_thread(service.stop)


def play(service: Service, network: TorNetwork, folder: Path) -> None:
    reporter = Reporter(service, network)
    checked = reporter.verify()
    assert checked["good"]
    assert len(checked["files"]) > 8
    photo = folder / "foto.jpg"
    photo.write_bytes(os.urandom(2_200_000))
    (folder / "answers.json").write_text(json.dumps({"story": "Diminta biaya administrasi."}))
    sealed = reporter.run(
        "seal", photo, "--manifest", reporter.site, "--send", reporter.site,
        "--answers", folder / "answers.json", "--out", folder / "bundle.whb",
    )  # fmt: skip
    assert sealed["sent"]
    desk = service.desk("pengawas")
    (case,) = desk.wait_for(1)
    desk.run("files", case["case"], "--to", folder / "evidence")
    assert photo.read_bytes() in [path.read_bytes() for path in (folder / "evidence").iterdir()]
    desk.run("act", case["case"], "--to", "assessing", "--message", MESSAGE)
    deadline = time.monotonic() + 60
    while True:
        shown = reporter.run("read", "--site", reporter.site, typed=sealed["receipt"]["en"] + "\n")
        if shown["state"] == "assessing" or time.monotonic() > deadline:
            break
        time.sleep(1)
    assert shown["verified"]
    assert [item["text"] for item in shown["timeline"] if item["text"]] == [MESSAGE]
