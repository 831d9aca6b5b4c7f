# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a backup, by culprit.

Invariant: no message holds a key, or bytes of a file; paths and numbers are the operator's own.
"""


class BackupError(Exception):
    """Base of the errors here; never raised itself."""


class SourceError(BackupError):
    """The servers' own files are not in order: nothing was backed up."""


class DestinationError(BackupError):
    """The place of the backups cannot be read or written, or holds something else."""


class DamageError(BackupError):
    """A backup is incomplete, changed, or not signed by this organisation."""


class PlaceError(BackupError):
    """The place to restore to is not empty or not writable."""
