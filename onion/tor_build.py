# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the installed tor program is able to do.

- Proof of work is used only where the build has it and the version does not crash with it.
- An older tor is used, and the operator is told: an onion service with known faults protects a
  reporter better than none.

Source: `tor --version`, `tor --list-modules`; tor's ChangeLog for the versions named below.
"""

import asyncio
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from onion.errors import TorFailedError, TorMissingError

Version = tuple[int, int, int, int]

FLOOR: Version = (0, 4, 9, 11)
"""0.4.9.11 ends a race by which a rendezvous point could impersonate the service (#41297);
0.4.9.9 ends a crash of services with proof of work on (TROVE-2026-020)."""

ANSWER_TIMEOUT = 20.0
"""Seconds `tor --version` may take (measured: 0.1)."""

_VERSION = re.compile(r"^Tor version (\d+)\.(\d+)\.(\d+)\.(\d+)", re.MULTILINE)
_POW = re.compile(r"^pow: yes$", re.MULTILINE)


@dataclass(frozen=True)
class TorBuild:
    """One tor program."""

    program: Path
    version: Version
    has_proof_of_work: bool

    @property
    def is_old(self) -> bool:
        """True below the floor."""
        return self.version < FLOOR

    @property
    def use_proof_of_work(self) -> bool:
        """True if proof of work is built in and safe to switch on."""
        return self.has_proof_of_work and not self.is_old


def parse_version(text: str) -> Version:
    """Returns the version out of the answer to `tor --version`. Raises: TorFailedError."""
    found = _VERSION.search(text)
    if found is None:
        raise TorFailedError("the tor program does not tell its version")
    return int(found[1]), int(found[2]), int(found[3]), int(found[4])


def parse_has_proof_of_work(text: str) -> bool:
    """Returns whether the answer to `tor --list-modules` names proof of work."""
    return _POW.search(text) is not None


async def find_tor() -> TorBuild:
    """Finds the installed tor. Raises: TorMissingError, TorFailedError."""
    program = shutil.which("tor")
    if program is None:
        raise TorMissingError
    version = parse_version(await _ask(program, "--version"))
    has_pow = parse_has_proof_of_work(await _ask(program, "--list-modules"))
    return TorBuild(Path(program), version, has_pow)


async def _ask(program: str, question: str) -> str:
    try:
        child = await asyncio.create_subprocess_exec(
            program, question, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        raise TorFailedError("the tor program cannot be started") from None
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            answer, _ = await child.communicate()
    except TimeoutError:
        raise TorFailedError("the tor program does not answer") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return answer.decode("utf-8", "replace")
