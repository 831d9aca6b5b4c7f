# SPDX-License-Identifier: AGPL-3.0-or-later
"""The attack finds planted violations, and nothing where nothing is given away."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from case_mgmt.figures.attack import Report, attack
from case_mgmt.figures.errors import PastError
from case_mgmt.figures.money import NOTHING
from case_mgmt.figures.published import (
    EXAMINED,
    NOT_EXAMINED,
    UNITS,
    Cell,
    Key,
    Money,
    MoneyRow,
    Published,
)

FIRST = date(2026, 3, 29)
SECOND = FIRST + timedelta(days=91)


def release(
    subjects: dict[str, int | None], received: int, day: date = FIRST, **since: date
) -> Published:
    cells = {
        Key("subject", name): Cell(count, since.get(name, day)) for name, count in subjects.items()
    }
    return Published(day, received, 0, 0, cells, {})


def found(*releases: Published) -> set[tuple[str, bool]]:
    return {(each.key.row, each.before is not None) for each in attack(releases).found}


def test_all_shown_is_nothing_found() -> None:
    assert found(release({"a": 20, "b": 30}, 50)) == set()


def test_planted_five_is_found() -> None:
    """The rule with k = 5 shows counts that the rule with k = 10 does not."""
    assert found(release({"a": 5, "b": 45}, 50)) == {("a", False)}


def test_one_hidden_cell_follows_from_the_total() -> None:
    assert found(release({"a": None, "b": 45}, 50)) == {("a", False)}


def test_two_hidden_cells_that_add_up_to_too_little() -> None:
    assert found(release({"a": None, "b": None, "c": 45}, 50)) == {("a", False), ("b", False)}


def test_two_hidden_cells_that_can_only_both_be_nearly_ten() -> None:
    """Whoever takes hidden for small knows 8 or 9; whoever does not knows nothing."""
    assert found(release({"a": None, "b": None, "c": 45}, 62)) == {("a", False), ("b", False)}


def test_two_hidden_cells_of_which_one_must_be_large_are_safe() -> None:
    assert found(release({"a": None, "b": None, "c": 45}, 75)) == set()


def test_a_cell_that_was_shown_before_does_not_hide_another() -> None:
    before = release({"a": None, "x": None, "b": 40, "c": 45}, 110)
    after = release({"a": None, "x": 32, "b": None, "c": 60}, 137, SECOND)
    assert ("a", False) in found(before, after)


def test_a_change_of_five_is_found() -> None:
    before = release({"a": 20, "b": 30}, 50)
    after = release({"a": 25, "b": 45}, 70, SECOND)
    assert found(before, after) == {("a", True)}


def test_a_change_of_ten_and_a_kept_value_are_not() -> None:
    before = release({"a": 20, "b": 30, "c": 40}, 90)
    after = release({"a": 20, "b": 42, "c": 40}, 108, SECOND, a=FIRST, c=FIRST)
    assert found(before, after) == set()


def test_a_change_that_follows_from_the_total_is_found() -> None:
    before = release({"a": 20, "b": 30}, 50)
    after = release({"a": 20, "b": 42}, 67, SECOND, a=FIRST)
    assert found(before, after) == {("a", True)}


def test_a_new_release_opens_an_old_one() -> None:
    """Hidden then, shown now, in a time in which too few came for it to have been empty."""
    before = release({"a": None, "b": None, "c": 50}, 75)
    after = release({"a": 12, "b": None, "c": 50}, 79, SECOND, c=FIRST)
    assert ("a", False) in found(before, after)


def test_rows_and_columns_together() -> None:
    margins = {Key("subject", "a"): 30, Key("subject", "b"): 40}
    margins |= {Key("how", "x"): 30, Key("how", "y"): 40}
    inner: dict[Key, int | None] = {
        Key("subject_how", "a", "x"): None,
        Key("subject_how", "a", "y"): 23,
        Key("subject_how", "b", "x"): 23,
        Key("subject_how", "b", "y"): None,
    }
    cells = {key: Cell(count, FIRST) for key, count in (margins | inner).items()}
    report = attack([Published(FIRST, 70, 0, 0, cells, {})])
    assert {each.key for each in report.found} == {Key("subject_how", "a", "x")}
    assert {(each.low, each.high) for each in report.found} == {(7, 7)}


def offices(rows: dict[str, tuple[int | None, int | None]], examined: int, of: int) -> Published:
    cells = {}
    for unit, (yes, no) in rows.items():
        said = yes is not None or no is not None
        cells[Key(UNITS, unit, EXAMINED)] = Cell(yes, FIRST, below=said and yes is None)
        cells[Key(UNITS, unit, NOT_EXAMINED)] = Cell(no, FIRST, below=said and no is None)
    return Published(FIRST, of, examined, of, cells, {})


def test_an_office_below_ten_is_safe_only_beside_another_hidden_one() -> None:
    alone = offices({"a": (40, None), "b": (50, 20)}, 90, 116)
    assert {each.key.column for each in attack([alone]).found} == {NOT_EXAMINED}
    hidden = offices({"a": (40, None), "b": (None, None), "c": (50, 20)}, 120, 160)
    assert attack([hidden]).found == ()


def test_a_sum_of_money_gives_a_band_away() -> None:
    """Few reports, one of which must be of the highest band for the sum to be reached."""
    cells = {
        Key("service", "ktp"): Cell(45, FIRST),
        Key("service", "kk"): Cell(30, FIRST),
        Key("asked", "50k_100k"): Cell(50, FIRST),
        Key("asked", "50m_1b"): Cell(None, FIRST),
        Key("asked", "zero"): Cell(None, FIRST),
    }
    silent = Published(FIRST, 75, 0, 0, cells, {})
    much = MoneyRow(Money(52_000_000, "50k_100k"), NOTHING, FIRST)
    little = MoneyRow(Money(1_000_000, "50k_100k"), NOTHING, FIRST)
    told = replace(silent, money={"ktp": much, "kk": little})
    assert attack([silent]).found == ()
    assert {each.key for each in attack([told]).found} >= {Key("asked", "50m_1b")}


def test_a_city_with_next_to_no_reports_has_nothing_to_find() -> None:
    assert found(release({"a": None, "b": None}, 4)) == set()


def test_releases_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(PastError):
        attack([release({"a": 20, "b": 30}, 60)])


def test_what_a_belief_contradicts_is_attacked_without_it() -> None:
    """A card was corrected: a count has fallen, so that nobody can believe it never does."""
    before = release({"a": 60, "b": 30}, 90)
    after = release({"a": 40, "b": 57}, 97, SECOND)
    assert found(before, after) == set()


def test_no_release_no_tables() -> None:
    assert attack([Published(FIRST, 0, 0, 0, {}, {})]) == Report(1, 0, 0, ())
