# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names that the public log goes by: in the manifest, among the organisation's files, as a log."""

from typing import Final

from crypto.manifest import ManifestContent

LOG: Final = "log"
"""The log's key among the services of the manifest; an organisation without it keeps no log."""
LOG_POLICY: Final = "log-policy.txt"
"""The organisation's file that names the log's key and its witnesses (C2SP tlog-policy)."""


def has_log(manifest: ManifestContent) -> bool:
    """Whether this organisation keeps a public log."""
    return LOG in manifest.services


def log_origin(instance_id: bytes) -> str:
    """The name of an organisation's log."""
    return f"whistle/{instance_id.hex()}"
