# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter's file holds: its content, or, of a stock age file, the content sealed in it.

A stock age file (docs/spec/offline.md section 7) reaches the desk as an attachment that is sealed
once more, to the investigators. It is opened here with the identity of whoever is at the desk.

- An age file is recognised by the type the intake gave it, or by its name; what it holds is only
  taken for complete when its last piece was authentic, like every attachment.
- One that does not open is a sentence, never a reason to lose the file: it can be saved sealed.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BufferedRandom
from typing import Final

from case_mgmt.desk.evidence import EvidenceFile, is_risky, safe_name
from case_mgmt.desk.kinds import HEAD_BYTES, FileKind, kind_of
from crypto.errors import AuthenticationError, CryptoError
from crypto.private.age_open import Opener
from whistle.desk.casefile import CaseFile
from whistle.desk.errors import GateRefusedError
from whistle.desk.sandbox import MAX_INPUT, held_in_memory
from whistle.desk.workbench import Workbench

AGE_TYPE: Final = "application/age-encryption"
_AGE_ENDING: Final = ".age"


@dataclass(frozen=True)
class Material:
    """One file of a case, to be looked at: what it holds, under a safe name."""

    case: CaseFile
    file: EvidenceFile

    @property
    def is_sealed_inside(self) -> bool:
        """Whether the file is itself an age file."""
        name = self.file.name.casefold()
        return self.file.ref.type == AGE_TYPE or name.endswith(_AGE_ENDING)

    @property
    def name(self) -> str:
        """The name of what it holds."""
        name = self.file.name
        if self.is_sealed_inside and name.casefold().endswith(_AGE_ENDING):
            return safe_name(name[: -len(_AGE_ENDING)])
        return name

    @property
    def risky(self) -> bool:
        """Whether opening what it holds may run something."""
        return is_risky(self.name)


@dataclass(frozen=True)
class Held:
    """Verified content in memory."""

    stream: BufferedRandom
    size: int
    sha256: str
    head: bytes
    kind: FileKind


@contextlib.asynccontextmanager
async def content_of(bench: Workbench, material: Material) -> AsyncIterator[AsyncIterator[bytes]]:
    """The content in pieces; right only if the iteration ends without an error.

    Raises, while iterating: GateRefusedError, UnreachableError.
    """
    async with bench.attachment(material.case, material.file) as pieces:
        if material.is_sealed_inside:
            yield _opened(pieces, Opener(bench.identity.recipient_seed))
        else:
            yield pieces


@contextlib.asynccontextmanager
async def held(bench: Workbench, material: Material, limit: int = MAX_INPUT) -> AsyncIterator[Held]:
    """The whole content, verified, in memory for as long as the block runs.

    Raises: GateRefusedError, UnreachableError, SandboxError (too large).
    """
    async with content_of(bench, material) as pieces:
        stream = await held_in_memory(pieces, limit)
    with stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
        stream.seek(0)
        head = stream.read(HEAD_BYTES)
        yield Held(stream, size, digest, head, kind_of(head, material.name))


async def _opened(pieces: AsyncIterator[bytes], opener: Opener) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            plain = opener.update(piece)
            if plain:
                yield plain
        last = opener.final()
        if last:
            yield last
    except AuthenticationError as error:
        raise GateRefusedError("desk.age.cannot_open") from error
    except CryptoError as error:
        raise GateRefusedError("desk.age.malformed") from error
