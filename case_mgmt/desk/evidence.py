# SPDX-License-Identifier: AGPL-3.0-or-later
"""Decides under which name a reporter's file may be saved on the investigator's computer.

The name comes from outside and is treated as hostile:

1. it is one path component: no separators, no `..`, no drive, no leading dot or dash;
2. it shows what it is: no control or formatting characters (right-to-left overrides, zero-width),
   no look-alike slashes, NFKC, only letters, marks, digits and `._-() `;
3. it can be written anywhere: at most 120 bytes, no device names, no trailing dot or space;
4. no two files of one case share a name, also not on a file system that ignores case.

`safe_name` is idempotent: a safe name stays as it is.
"""

import unicodedata
from collections.abc import Iterable, Set
from dataclasses import dataclass

from crypto.body import AttachmentRef

MAX_NAME_BYTES = 120
MAX_EXTENSION_BYTES = 12
FALLBACK = "berkas"
_PUNCTUATION = frozenset("._-() ")
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)}
)
# Kinds that can run something at a double click; the desk warns, it does not rename.
_RISKY_KINDS = {
    "programs": """
        apk app appimage bin com cpl deb dll drv elf exe flatpakref ocx pif rpm run scr so sys
    """,
    "installers": "application appref-ms appx appxbundle ipa msi msix msp mst pkg snap xpi",
    "scripts": """
        ahk bash bat cmd command csh fish hta jar jnlp js jse ksh lua mjs php pl ps1 ps1xml psc1
        psd1 psm1 py pyc pyw pyz rb sct sh tcl vb vbe vbs ws wsc wsf wsh zsh
    """,
    "shortcuts": """
        desktop diagcab gadget inf ins isp library-ms lnk msc reg scf search-ms
        settingcontent-ms shb shs theme themepack url webloc website
    """,
    "pages": "chm htm html mht mhtml shtml svg svgz swf xbap xht xhtml xml xsl xslt",
    "disks": "cab daa dmg img iso udf vhd vhdx vmdk wim",
    "office": """
        accda accdb accde ade adp doc docm dot dotm iqy mda mdb mde odb one pot potm ppa ppam
        pps ppsm ppt pptm pub rtf sldm slk wiz wll xla xlam xll xls xlsb xlsm xlt xltm xlw
    """,
}
_RISKY = frozenset(name for kinds in _RISKY_KINDS.values() for name in kinds.split())


@dataclass(frozen=True)
class EvidenceFile:
    """One attachment as the desk will name it: `position` counts from 1 over the whole case."""

    position: int
    ref: AttachmentRef
    name: str
    risky: bool


def safe_name(offered: str) -> str:
    """The name to save under; never empty, never a path."""
    text = unicodedata.normalize("NFKC", offered)
    text = text.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(_keep(character) for character in text)
    kept = " ".join(kept.split())
    kept = unicodedata.normalize("NFKC", kept).strip(" .-_")
    stem, extension = _split(kept)
    stem = _cut(stem, MAX_NAME_BYTES - len(extension.encode())).strip(" .-_")
    if not stem:
        stem = FALLBACK
    if stem.split(".", 1)[0].rstrip().lower() in _DEVICES:
        stem = f"{FALLBACK}-{stem}"
    return stem + extension


def is_risky(name: str) -> bool:
    """Whether opening a file of this (safe) name may run something."""
    return name.rpartition(".")[2].casefold() in _RISKY and "." in name


def unique_name(name: str, taken: Set[str]) -> str:
    """The same name, or with ` (2)`, … before its extension; `taken` holds casefolded names."""
    stem, extension = _split(name)
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        suffix = f" ({number})"
        room = MAX_NAME_BYTES - len(extension.encode()) - len(suffix)
        candidate = _cut(stem, room).rstrip() + suffix + extension
    return candidate


def name_all(refs: Iterable[AttachmentRef]) -> tuple[EvidenceFile, ...]:
    """Names every attachment of a case, in order, each name once."""
    taken: set[str] = set()
    files: list[EvidenceFile] = []
    for position, ref in enumerate(refs, start=1):
        name = unique_name(safe_name(ref.name), taken)
        taken.add(name.casefold())
        files.append(EvidenceFile(position, ref, name, is_risky(name)))
    return tuple(files)


def checksum_list(entries: Iterable[tuple[str, str]]) -> bytes:
    """A list `sha256sum --check` reads: safe name and verified SHA-256, in the order given."""
    lines = (f"{digest}  {name}\n" for name, digest in entries)
    return "".join(lines).encode()


def _keep(character: str) -> str:
    if character in _PUNCTUATION or unicodedata.category(character)[0] in "LMN":
        return character
    if unicodedata.category(character) in {"Cf", "Cc", "Cs", "Co", "Cn"}:
        return " " if character in "\t\n\r" else ""
    return " " if unicodedata.category(character)[0] == "Z" else "_"


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    is_extension = extension.isalnum() and len(extension.encode()) <= MAX_EXTENSION_BYTES
    if not dot or not stem or not is_extension:
        return name, ""
    return stem, dot + extension


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")
