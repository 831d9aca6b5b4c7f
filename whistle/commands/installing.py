# SPDX-License-Identifier: AGPL-3.0-or-later
"""Puts signed files into force: verified first, then all at once.

Invariant: a folder with a manifest that `crypto.manifest` would refuse, with files it does not
name, or with a lower serial than before never becomes the organisation's.
"""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

from case_mgmt.publication.names import LOG_POLICY
from crypto.errors import CryptoError
from crypto.manifest import Manifest, verify_manifest
from whistle.commands.errors import CommandError
from whistle.layout import Layout
from whistle.sitefiles import LIST_NAME, SIGNATURE_NAME, SiteList, verify_list

SIGNED_FILES = ("manifest.json", "manifest.sig", "instance.id")
HASHED_FILES = ("policy.json", "catalogue.json")
SITE_FILES = (LIST_NAME, SIGNATURE_NAME)


def install(layout: Layout, signed: Path) -> None:
    """Puts a signed manifest into force, together with the policy and catalogue it names.

    All five files change place at once, after they were verified, and with them the signed list
    of the site's files: a new one if there is one, otherwise that in force. Raises: CommandError.
    """
    fresh = layout.state / "org.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name in SIGNED_FILES:
        _copy(signed / name, fresh / name)
    for name in HASHED_FILES:
        _copy(layout.draft / name, fresh / name)
    if (layout.draft / LOG_POLICY).exists():
        _copy(layout.draft / LOG_POLICY, fresh / LOG_POLICY)
    copy_site_list(signed if _site_files(signed) else layout.org, fresh)
    _verify(fresh, layout.org)
    old = layout.state / "org.old"
    shutil.rmtree(old, ignore_errors=True)
    if layout.org.exists():
        layout.org.rename(old)
    fresh.rename(layout.org)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(layout.draft)


def _site_files(folder: Path) -> list[Path]:
    """The list of the site's files with its signature, if both are there."""
    paths = [folder / name for name in SITE_FILES]
    return paths if all(path.exists() for path in paths) else []


def copy_site_list(source: Path, target: Path) -> None:
    """Copies the signed list of the site's files, if there is one. Raises: CommandError."""
    for path in _site_files(source):
        if source != target:
            _copy(path, target / path.name)


def _copy(source: Path, target: Path) -> None:
    try:
        target.write_bytes(source.read_bytes())
    except OSError as error:
        message = f"{source} cannot be read: {error.strerror}"
        raise CommandError(message) from error


def _verify(fresh: Path, present: Path) -> None:
    """The new manifest is genuine, names these files, and is no step back. Raises: CommandError."""
    try:
        manifest = read_manifest(fresh)
        for name in (*HASHED_FILES, *_log_policy(fresh, manifest)):
            if hashlib.sha256((fresh / name).read_bytes()).hexdigest() != manifest.files[name]:
                message = f"{name} is not the file the signed manifest names"
                raise CommandError(message)
        if (present / "manifest.json").exists():
            before = read_manifest(present, manifest.not_before)
            if before.instance_id != manifest.instance_id or before.serial >= manifest.serial:
                message = "the manifest in force has the same or a higher serial, or another root"
                raise CommandError(message)
        listed, present_list = (_site_list(one, manifest.instance_id) for one in (fresh, present))
        if listed and present_list and listed.serial < present_list.serial:
            message = "the list of the site's files in force has a higher serial"
            raise CommandError(message)
    except (CryptoError, OSError, ValueError, KeyError) as error:
        message = f"the signed files cannot be used ({type(error).__name__}: {error})"
        raise CommandError(message) from error


def _log_policy(fresh: Path, manifest: Manifest) -> list[str]:
    """The log policy, if the manifest names one or one lies there."""
    is_there = (fresh / LOG_POLICY).exists()
    return [LOG_POLICY] if is_there or LOG_POLICY in manifest.files else []


def _site_list(org: Path, instance_id: bytes) -> SiteList | None:
    """The verified list of the site's files, if there is one. Raises: CryptoError, OSError."""
    paths = _site_files(org)
    if not paths:
        return None
    data, signature = (path.read_bytes() for path in paths)
    return verify_list(data, signature, instance_id)


def read_manifest(org: Path, today: date | None = None) -> Manifest:
    """Verifies the manifest of a folder, as of its own first day unless told otherwise.

    Raises: CryptoError, OSError, ValueError.
    """
    instance = bytes.fromhex((org / "instance.id").read_text(encoding="ascii").strip())
    data, signature = (org / "manifest.json").read_bytes(), (org / "manifest.sig").read_bytes()
    day = today or date.fromisoformat(json.loads(data)["not_before"])
    return verify_manifest(data, signature, instance, day)
