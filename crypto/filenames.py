# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taming file names and media types that strangers supply.

Invariants: the result has no folder part, no control, format or unassigned character (so nothing
that reverses text direction), no more than 200 characters, and is never empty; applying the rule
twice changes nothing. Names are for showing: nobody builds a path from them.
"""

import re
import unicodedata
from typing import Final

MAX_NAME: Final = 200
UNNAMED: Final = "file"
UNKNOWN_TYPE: Final = "application/octet-stream"
_PART: Final = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}"
_MEDIA_TYPE: Final = re.compile(f"{_PART}/{_PART}")


def clean_name(name: str) -> str:
    """Return a name fit to show."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(
        each for each in last if unicodedata.category(each)[0] not in "CZ" or each == " "
    )
    # Again: what an invisible character kept apart may now belong together.
    shortened = unicodedata.normalize("NFC", visible).strip(" .")
    if len(shortened) > MAX_NAME:
        stem, dot, ending = shortened.rpartition(".")
        keep = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
        shortened = (shortened[: MAX_NAME - len(keep)] + keep).strip(" .")
    return shortened or UNNAMED


def clean_media_type(media_type: str) -> str:
    """Return a lower-case type/subtype without parameters, or the unknown type."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare if _MEDIA_TYPE.fullmatch(bare) else UNKNOWN_TYPE
