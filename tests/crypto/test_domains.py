# SPDX-License-Identifier: AGPL-3.0-or-later
"""Labels keep every use of a key or hash apart."""

from crypto.domains import Domain


def test_labels_are_distinct_and_well_formed() -> None:
    labels = [domain.value for domain in Domain.__members__.values()]
    assert len(set(labels)) == len(Domain.__members__)
    for each in labels:
        assert each.startswith("whistle/v1/")
        assert each.isascii()
        assert "\x00" not in each
