# SPDX-License-Identifier: AGPL-3.0-or-later
"""Servers start without reading the system's certificates."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, os
import {module}
from aiohttp import connector
print(json.dumps([
    len(connector._SSL_CONTEXT_VERIFIED.get_ca_certs()),
    connector._SSL_CONTEXT_VERIFIED.verify_mode.name,
    [os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")],
]))
"""


@pytest.mark.parametrize("module", ["whistle.http.serve", "whistle.commands.intake"])
@pytest.mark.parametrize("before", [[None, None], ["/a", "/b"]])
def test_no_certificate_is_read_and_none_is_trusted(module: str, before: list[str | None]) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SSL_CERT")}
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    environment.update({k: v for k, v in zip(names, before, strict=True) if v is not None})
    done = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT.format(module=module)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert json.loads(done.stdout) == [0, "CERT_REQUIRED", before]
