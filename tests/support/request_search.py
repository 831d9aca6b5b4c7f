# SPDX-License-Identifier: AGPL-3.0-or-later
"""What recorded requests tell: canaries in any encoding, words of a receipt, runs of its words."""

import re
from collections.abc import Iterable, Sequence

from tests.support.canaries import find

_SEPARATORS = (" ", "-", "+", "\n", "\r\n", ",", '","', '", "', "%20", "")
_LONG = 5  # letters; four letters occur by chance in megabytes of sealed pieces
_RUN = 2  # words in a row


def runs(words: Sequence[str]) -> list[str]:
    """Neighbouring words, however they are joined."""
    starts = range(len(words) - _RUN + 1)
    return [each.join(words[at : at + _RUN]) for each in _SEPARATORS for at in starts]


def vocabulary(texts: Iterable[bytes]) -> set[str]:
    """Words that requests hold whatever the receipt says: names of members, paths, headers."""
    return {word.decode() for text in texts for word in re.findall(rb"[a-z]+", text.lower())}


def _alone(word: str) -> re.Pattern[bytes]:
    """The word between characters that neither base64 nor a longer word holds."""
    return re.compile(rb"(?<![A-Za-z0-9+/_-])%s(?![A-Za-z0-9+/_-])" % word.encode(), re.IGNORECASE)


def leaks(
    requests: Iterable[bytes], canaries: Sequence[str], words: Sequence[str], ordinary: set[str]
) -> list[str]:
    """What is found, one line each; empty if nothing leaked."""
    wanted = [*canaries, *runs(words)]
    single = [word for word in words if word not in ordinary]
    found: list[str] = []
    for request in requests:
        head, _, body = request.partition(b"\n\n")
        line = head.partition(b"\n")[0].decode()
        pieces = line.startswith("PUT /api/v1/blobs/")
        hits = find(wanted, head) + find(wanted, body)
        for word in single:
            where = head if pieces and len(word) < _LONG else request
            if _alone(word).search(where):
                hits.append(f"word {word[:2]}…")
        found += [f"{line[:60]}: {hit}" for hit in hits]
    return found
