# SPDX-License-Identifier: AGPL-3.0-or-later
"""Does an opened backup really hold what it must?  Asked before it is put into place.

Each check is one function from an `Opened` to the sentence that says what was found; it raises
DamageError instead when something is wrong.  The table CHECKS is the list of them.

Invariant: nothing below the folder is changed.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from case_mgmt.acts import Act, SignedAct, verify_chain
from case_mgmt.errors import CaseError
from case_mgmt.model import DeviceKey
from crypto.errors import CryptoError
from crypto.manifest import Manifest
from crypto.signing import public_from_seed
from onion.address import encode_address
from whistle.backup.databases import NAMES, check, connected, read_key
from whistle.backup.errors import BackupError, DamageError, SourceError
from whistle.backup.listing import verify_list
from whistle.backup.shelf import Found
from whistle.backup.source import BLOBS
from whistle.backup.taking import read_org
from whistle.backup.tallies import differences, tally
from whistle.layout import Layout

ONION_PUBLIC: Final = "hs_ed25519_public_key"
ONION_HEADER: Final = 32  # bytes of text before the key in tor's file


@dataclass(frozen=True)
class Opened:
    """An opened backup: where, the open list it belongs to, what was counted, who may sign."""

    layout: Layout
    found: Found
    tallies: Mapping[str, Any]
    manifest: Manifest

    def databases(self) -> Iterator[tuple[str, Path, str]]:
        """(service, file, key) of each database that is there."""
        for service, name in sorted(NAMES.items()):
            path = self.layout.state / service / name
            if service in self.tallies or path.exists():
                yield service, path, read_key(path.with_name("db.key"))


def opened(folder: Path, found: Found, tallies: Mapping[str, Any], instance: str) -> Opened:
    """Verifies who made the backup.  Raises DamageError.

    SECURITY: anybody may seal to the backup's public recipient; only the signature by a service key
    that the root key's manifest names makes it this organisation's (test_restore.py).
    """
    layout = Layout(folder)
    try:
        manifest = read_org(layout.org, instance)
    except SourceError as error:
        raise DamageError("the backup is not of the organisation with this instance id") from error
    content = found.content
    public = manifest.services.get(content.signer)
    if content.instance != instance or public is None:
        raise DamageError("the backup is not of the organisation with this instance id")
    verify_list(public, found.signature, found.data)
    return Opened(layout, found, tallies, manifest)


def prove(one: Opened) -> list[str]:
    """Every check; the sentences in order.  Raises DamageError at the first that fails."""
    said: list[str] = []
    for step in CHECKS:
        try:
            said += step(one)
        except DamageError:
            raise
        except BackupError as error:
            raise DamageError(str(error)) from error
    return said


def check_keys(one: Opened) -> Iterator[str]:
    """Service keys are those the manifest names."""
    for service in sorted(set(NAMES) & set(one.found.content.parts)):
        seed = bytes.fromhex(read_key(one.layout.state / service / "service.key"))
        if one.manifest.services.get(service) != public_from_seed(seed):
            raise DamageError(f"the service key of {service} is not the one the manifest names")
        yield f"{service}: service key belongs to manifest {one.manifest.serial}"


def check_databases(one: Opened) -> Iterator[str]:
    """Keys fit, every page is whole, references hold."""
    for service, path, key in one.databases():
        check(path, key)
        yield f"{service}: database opens, every page verifies"


def check_tallies(one: Opened) -> Iterator[str]:
    """Rows, ledger and open clocks are those that were counted when the backup was made."""
    for service, path, key in one.databases():
        before, after = one.tallies.get(service), tally(service, path, key)
        if before is None:
            raise DamageError(f"{service} was not counted when the backup was made")
        wrong = differences(before, after)
        if wrong:
            raise DamageError(f"{service} differs from what was counted: {'; '.join(wrong)}")
        rows = ", ".join(f"{count} {name}" for name, count in sorted(after["rows"].items()))
        yield f"{service}: {rows}"


def check_blobs(one: Opened) -> Iterator[str]:
    """Every sealed file that a row names is there, in full."""
    for service, path, key in one.databases():
        with connected(path, key) as connection:
            rows = connection.execute("SELECT id, size FROM blobs").fetchall()
        folder = one.layout.state / service / BLOBS
        for name, size in rows:
            with contextlib.suppress(OSError):
                if (folder / str(name)).stat().st_size == size:
                    continue
            raise DamageError(f"{service}: a sealed file is missing or not whole")
        yield f"{service}: {len(rows)} sealed files, all whole"


def check_ledger(one: Opened) -> Iterator[str]:
    """The acts of each case form one chain, each signed by a key the manifest knows."""
    path = one.layout.cases / NAMES["cases"]
    if not path.exists():
        return
    chains: dict[str, list[SignedAct]] = {}
    with connected(path, read_key(one.layout.cases / "db.key")) as connection:
        heads = dict(connection.execute("SELECT id, head FROM cases").fetchall())
        rows = connection.execute(
            "SELECT case_id, content, signature, countersigner, countersignature"
            " FROM acts ORDER BY case_id, seq"
        ).fetchall()
    try:
        for case, content, signature, second, countersignature in rows:
            signed = SignedAct(
                Act.parse(content), signature, second and DeviceKey(second), countersignature
            )
            _require_known(one.manifest, signed)
            chains.setdefault(case, []).append(signed)
        whole = {case: verify_chain(chain) for case, chain in chains.items()}
    except (CaseError, CryptoError) as error:
        raise DamageError("the ledger of a case is damaged") from error
    if whole != heads:
        raise DamageError("a case does not end where its ledger ends")
    yield f"cases: {len(chains)} ledgers, {len(rows)} signed acts, every chain verifies"


def check_onions(one: Opened) -> Iterator[str]:
    """The onion keys give the address the manifest publishes."""
    path = one.layout.tor / "hs-intake" / ONION_PUBLIC
    if not path.exists():
        return
    address = encode_address(path.read_bytes()[ONION_HEADER:])
    if one.manifest.onion not in (None, address):
        raise DamageError("the onion key is not the one of the address in the manifest")
    yield f"onion address {address}"


def _require_known(manifest: Manifest, signed: SignedAct) -> None:
    for key in (signed.act.signer, signed.countersigner):
        if key is None:
            continue
        public = bytes.fromhex(key)
        if manifest.signer(public) is None and manifest.service_signer(public) is None:
            raise DamageError("an act is signed by somebody the manifest does not know")


CHECKS: Final[tuple[Callable[[Opened], Iterator[str]], ...]] = (
    check_keys,
    check_databases,
    check_tallies,
    check_blobs,
    check_ledger,
    check_onions,
)
