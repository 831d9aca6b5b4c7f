# SPDX-License-Identifier: AGPL-3.0-or-later
"""tor's log lines as sentences for the operator.

- Pure: a line in, at most one sentence out.
- A sentence is never a piece of tor's own line: those can hold addresses of relays. What is not in
  the tables here is left out.
- The percentage only rises, and each trouble is told once until tor gets further.

Source: Tor control-spec, "Bootstrap phases", whose tags are stable.
"""

import re
from dataclasses import dataclass

DONE = 100

_BOOTSTRAPPED = re.compile(r"\[notice\] Bootstrapped (\d{1,3})% \((\w+)\)")

_PHASES = {
    "starting": "starting",
    "conn_pt": "connecting to a bridge",
    "conn_done_pt": "connected to a bridge",
    "conn_proxy": "connecting to a proxy",
    "conn_done_proxy": "connected to a proxy",
    "conn": "connecting to a relay",
    "conn_done": "connected to a relay",
    "handshake": "shaking hands with a relay",
    "handshake_done": "shook hands with a relay",
    "onehop_create": "opening a connection to a directory",
    "requesting_status": "asking which relays exist",
    "loading_status": "learning which relays exist",
    "loading_keys": "loading the directories' keys",
    "requesting_descriptors": "asking for the relays' descriptions",
    "loading_descriptors": "loading the relays' descriptions",
    "enough_dirinfo": "knows enough relays to build circuits",
    "ap_conn_pt": "connecting to a bridge for circuits",
    "ap_conn": "connecting to a relay for circuits",
    "ap_conn_done": "connected to a relay for circuits",
    "ap_handshake": "shaking hands with a relay for circuits",
    "ap_handshake_done": "shook hands with a relay for circuits",
    "circuit_create": "building a circuit",
}

_TROUBLES = (
    (
        r"Problem bootstrapping|No route to host|is unreachable",
        "tor has trouble connecting; it goes on trying.",
    ),
    (
        r"skewed time|clock is .* (ahead|behind)|Your system clock|clock jumped",
        "this computer's clock seems to be wrong; tor needs the right time.",
    ),
    (
        r"another Tor process is running",
        "another tor still uses this state directory; it must end first.",
    ),
    (r"No space left on device", "the disk is full; tor cannot save its state."),
    (
        r"is not owned by this user|too permissive",
        "a folder of tor's state has the wrong owner or permissions.",
    ),
)
_TROUBLE_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), text) for pattern, text in _TROUBLES)
_IS_WARNING = re.compile(r"\[(warn|err)\]")


@dataclass(frozen=True)
class Progress:
    """How far tor is (0 to 100), and one plain sentence about it."""

    percent: int
    text: str


class Narrator:
    """Remembers what was told, so that nothing is told twice."""

    def __init__(self) -> None:
        self.percent = 0
        self._told: set[str] = set()

    def hear(self, line: str) -> Progress | None:
        """Returns what the operator should know about one line of tor's log, if anything."""
        found = _BOOTSTRAPPED.search(line)
        if found is not None:
            return self._advance(int(found[1]), found[2])
        if _IS_WARNING.search(line):
            for pattern, text in _TROUBLE_PATTERNS:
                if pattern.search(line):
                    return self._once(text)
        return None

    def silence(self) -> Progress | None:
        """Returns what to say when tor got no further for a while; None if that was said."""
        if self.percent >= DONE:
            return None
        return self._once("tor cannot reach the network so far; it goes on trying.")

    def _advance(self, percent: int, tag: str) -> Progress | None:
        if not self.percent < percent <= DONE:
            return None
        self.percent = percent
        self._told.clear()
        if percent == DONE:
            return Progress(DONE, "tor is connected.")
        doing = f": {_PHASES[tag]}" if tag in _PHASES else ""
        return Progress(percent, f"tor is connecting, {percent} %{doing}.")

    def _once(self, text: str) -> Progress | None:
        if text in self._told:
            return None
        self._told.add(text)
        return Progress(self.percent, text)
