# SPDX-License-Identifier: AGPL-3.0-or-later
"""What reaches a terminal: aligned, uncoloured unless it is one, and never a report's escapes."""

import io
import json

from whistle.desk.errors import ServerRefusedError, UsageError
from whistle.desk.terminal import Cell, Terminal, indented, printable
from whistle.i18n import Catalogue

TEXTS = Catalogue.load("id")


def terminal(**more: bool) -> Terminal:
    return Terminal(TEXTS, io.StringIO(), io.StringIO(), **more)


def written(made: Terminal) -> str:
    assert isinstance(made.out, io.StringIO)
    return made.out.getvalue()


def test_escape_sequences_never_pass() -> None:
    hostile = "\x1b]0;x\x07\x1b[2Jhalo\u202e\u0085\r\nbaris"
    assert printable(hostile) == "]0;x[2Jhalo\nbaris"
    assert list(indented("a\n\x1b[1mb")) == ["  a", "  [1mb"]


def test_tables_are_aligned() -> None:
    made = terminal()
    made.table([[Cell("a"), Cell("b")], [Cell("lebih"), Cell("c", "late")]])
    made.table([])
    assert written(made) == "a      b\nlebih  c\n"


def test_colour_only_when_asked() -> None:
    made = terminal(colour=True)
    made.line("telat", "late")
    made.line("biasa")
    assert written(made) == "\x1b[1;31mtelat\x1b[0m\nbiasa\n"


def test_json_is_one_object_in_utf_8() -> None:
    made = terminal(as_json=True)
    made.result({"b": "é", "a": None})
    assert written(made).index('"a"') < written(made).index('"b"')
    assert json.loads(written(made)) == {"a": None, "b": "é"}
    assert "é" in written(made)


def test_errors_are_sentences() -> None:
    made = terminal()
    made.fail(UsageError("desk.error.case_number"))
    made.fail(ServerRefusedError("x", {"id": "Ditolak\x1b[2J.", "en": "Refused."}, 422))
    made.fail(ServerRefusedError("x", {}, 422))
    assert isinstance(made.err, io.StringIO)
    lines = made.err.getvalue().splitlines()
    assert lines[0].startswith("whistle-desk: Nomor perkara")
    assert lines[1] == "whistle-desk: Ditolak[2J."
    assert lines[2] == "whistle-desk: Server perkara menolak (x)."
