# SPDX-License-Identifier: AGPL-3.0-or-later
"""Python and the age-encryption package open each other's containers and refuse damage."""

import base64
import hashlib
import json
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest

from crypto.age.writer import Sealer, seal_all
from crypto.attachment import AttachmentSealer
from crypto.envelope import check_container, seal_message
from crypto.errors import CryptoError
from crypto.frame import Frame, FrameType, Origin, decode_frame, encode_frame
from crypto.private.age_open import open_all
from crypto.rng import system_rng
from crypto.xwing import identity_to_age, recipient_from_seed
from tests.support.vectors import FOLDER, npm_package, seed

SIZES = [0, 1, 65535, 65536, 65537, 196608, 300_003]
SEEDS = [seed(f"cross/{n}") for n in range(3)]
RECIPIENTS = [recipient_from_seed(each) for each in SEEDS]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def content(size: int) -> bytes:
    return (b"whistle " * (size // 8 + 1))[:size]


def entry(
    container: bytes, plain: bytes, identities: list[str], *, frame: bool = False
) -> dict[str, Any]:
    return {
        "container": b64(container),
        "sha256": hashlib.sha256(plain).hexdigest(),
        "identities": identities,
        "frame": frame,
    }


def frames() -> list[bytes]:
    return [
        encode_frame(
            Frame(
                type=FrameType.REPORT,
                origin=Origin.ARRIVAL,
                instance_id=seed("instance"),
                thread_id=bytes(16),
                message_id=system_rng(16),
                prev=bytes(32),
                recipients_digest=bytes(32),
                day=20778,
                body=b"a" * length,
            ),
            seed("reporter") if signed else None,
        )
        for length in (0, 3856, 3857, 70_000)
        for signed in (True, False)
    ]


def written_by_python() -> list[dict[str, Any]]:
    identities = [identity_to_age(each) for each in SEEDS]
    entries = [
        entry(seal_all(RECIPIENTS[:2], content(size), system_rng), content(size), identities[:2])
        for size in SIZES
    ]
    entries += [
        entry(seal_message(data, RECIPIENTS, system_rng), data, identities, frame=True)
        for data in frames()
    ]
    streamed = Sealer(RECIPIENTS[:1], system_rng)
    container = streamed.header + streamed.update(content(200_000)) + streamed.final()
    entries.append(entry(container, content(200_000), identities[:1]))
    attachment = AttachmentSealer(system_rng)
    blob = attachment.update(content(70_000))
    end, reference = attachment.final("x", "a/b")
    padded = content(70_000).ljust(reference.padded, b"\x00")
    entries.append(entry(blob + end, padded, [reference.identity]))
    return entries


@cache
def answer() -> dict[str, Any]:
    """Let the second implementation open ours and write its own, once."""
    npm_package("age-encryption")
    node = shutil.which("node")
    if node is None:
        raise FileNotFoundError("node is not installed: run `make setup`")
    work = {
        "containers": written_by_python(),
        "stranger": identity_to_age(seed("stranger")),
        "requests": [
            {"recipients": [each.to_age() for each in RECIPIENTS[:2]], "plain": b64(plain)}
            for plain in (*map(content, SIZES), *frames()[:1])
        ],
    }
    return run(node, work)


def run(node: str, work: dict[str, Any]) -> dict[str, Any]:
    process = subprocess.run(
        [node, str(FOLDER / "verify.mjs")],
        input=json.dumps(work),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    result: dict[str, Any] = json.loads(process.stdout)
    return result


def test_javascript_opens_what_python_wrote() -> None:
    assert answer()["opened"] == sum(len(each["identities"]) for each in written_by_python())


@pytest.mark.parametrize("index", range(len(SIZES)))
def test_python_opens_what_javascript_wrote(index: int) -> None:
    container = base64.b64decode(answer()["containers"][index])
    for key in SEEDS[:2]:
        assert open_all(key, container) == content(SIZES[index])
    with pytest.raises(CryptoError):
        open_all(SEEDS[2], container)
    with pytest.raises(CryptoError):
        open_all(SEEDS[0], container[:-1])


def test_a_report_sealed_by_a_stock_tool_passes_the_servers_check() -> None:
    container = base64.b64decode(answer()["containers"][-1])
    info = check_container(container)
    assert (info.recipients, info.frame_size) == (2, 4096)
    assert decode_frame(open_all(SEEDS[1], container)).day == 20778


def test_missing_packages_are_explained() -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        npm_package("no-such-package")
