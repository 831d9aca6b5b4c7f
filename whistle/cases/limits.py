# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sizes, counts and times of the case server, each with its unit and its reason."""

from typing import Final

from whistle.limits import KIB, MIB

MAX_JSON_BODY: Final = 2 * MIB
"""A container of the largest frame (1 MiB) and 16 stanzas is 1.1 MB, in base64 1.5 MB."""
BODY_TIMEOUT: Final = 120.0
"""Seconds for a whole request body: 2 MiB at the 20 kB/s of a bad circuit."""
PIECE: Final = 256 * KIB
"""Bytes moved between disk and network at once."""

FEED_BATCH: Final = 50
"""Records asked for at once."""
FEED_MAX_BATCH: Final = 500
MAX_FEED_ANSWER: Final = 64 * MIB
"""The intake stops a listing at 16 MiB of containers, 22 MiB in base64, plus one record."""
FEED_CONNECT_TIMEOUT: Final = 120.0
"""Seconds; a rendezvous with an onion service may take a minute."""
FEED_READ_TIMEOUT: Final = 120.0
OUTBOX_BATCH: Final = 100
OUTBOX_BYTES: Final = 8 * MIB
"""Boxes pushed at once; the intake takes bodies of 16 MiB."""
FILES_BATCH: Final = 200
FILES_BYTES: Final = 1 * MIB
"""Public files pushed at once; one file may be larger."""
MAX_PUBLIC_FILE: Final = 4 * MIB
MAX_FILE_BODY: Final = 6 * MIB
"""A public file in base64."""
MAX_RELEASE_BYTES: Final = 256 * MIB
MAX_STAGED_BYTES: Final = 512 * MIB
"""One release with its own copy of the log."""
GONE_TRIES: Final = 12
"""Looks, some minutes with the pauses between them, before an attachment counts as lost: a folder
that was not mounted comes back."""
BACKOFF_FIRST: Final = 0.5
BACKOFF_MAX: Final = 30.0
"""Seconds between attempts while the feed does not answer."""

ORG_CHECK_EVERY: Final = 5.0
"""Seconds between looks at the organisation's files."""
MAX_ORG_FILE: Final = 4 * MIB
DISK_THREADS: Final = 2
READ_THREADS: Final = 2
