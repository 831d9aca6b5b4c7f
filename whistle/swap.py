# SPDX-License-Identifier: AGPL-3.0-or-later
"""Memory must not reach a disk: looks for swap, and decides whether a server may start with it.

Invariants:

* a real organisation's server does not start while swap is on, unless its operator says so;
* compressed swap in memory (zram) without a disk behind it is no swap in this sense;
* a system that does not tell (no /proc) is treated as one without swap: there is nothing to read.

Source: proc(5) swaps; the kernel's Documentation/admin-guide/blockdev/zram.rst, "writeback".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SWAPS: Final = Path("/proc/swaps")
BLOCK_DEVICES: Final = Path("/sys/block")
_ZRAM: Final = "/dev/zram"

REFUSAL: Final = (
    "swap is on: what reporters write could reach the disk from memory. "
    "Switch it off (swapoff -a, and remove it from /etc/fstab), or, if it is encrypted with a key "
    "that is new at every start of the machine, add --allow-swap"
)
WARNING: Final = (
    "swap is on: what is written here may reach this computer's disk. "
    "That is all right for a demo; a real organisation's servers refuse to start like this."
)


@dataclass(frozen=True)
class SwapRule:
    """What decides: is this a demo, and did the operator allow swap?"""

    is_demo: bool
    is_allowed: bool


def disk_swap(swaps: Path = SWAPS, devices: Path = BLOCK_DEVICES) -> list[str]:
    """Return the names of swap areas that a disk holds."""
    try:
        lines = swaps.read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return []
    areas = [line.split()[0] for line in lines if line.strip()]
    return [area for area in areas if not _is_memory_only(area, devices)]


def _is_memory_only(area: str, devices: Path) -> bool:
    if not area.startswith(_ZRAM):
        return False
    try:
        behind = (devices / Path(area).name / "backing_dev").read_text(encoding="ascii")
    except OSError:
        return True  # a kernel without writeback
    return behind.strip() == "none"


def verdict(areas: list[str], rule: SwapRule) -> str | None:
    """Return why a server must not start, or None."""
    if not areas or rule.is_allowed or rule.is_demo:
        return None
    return REFUSAL
