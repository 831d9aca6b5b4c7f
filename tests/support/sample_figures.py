# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small objects of the shapes of docs/spec/figures.md, for tests of whoever shows them."""

from typing import Any

DAYS = (7, 30, 60, 90)


def share(count: int, of: int, *, shown: bool = True) -> dict[str, Any]:
    value = round(10_000 * count / of) if shown and of else None
    low = None if value is None else max(0, value - 600)
    high = None if value is None else min(10_000, value + 600)
    return {"count": count, "of": of, "share": value, "low": low, "high": high}


def cohort(days: int, count: int, of: int, *, mature: bool) -> dict[str, Any]:
    parts = share(count, of, shown=mature)
    del parts["of"]
    return {"days": days, "mature": mature, **parts}


def week(number: int, first: str, last: str) -> dict[str, Any]:
    received = 12 + number % 9
    counts = (received * 5 // 10, received * 7 // 10, received * 8 // 10, received * 9 // 10)
    rows = [
        cohort(days, count, received, mature=number < 8 - position)
        for position, (days, count) in enumerate(zip(DAYS, counts, strict=True))
    ]
    return {
        "from": first,
        "to": last,
        "received": received,
        "followed_up": rows,
        "examined": rows,
    }


WEEKS = (
    ("2026-07-06", "2026-07-12"),
    ("2026-07-13", "2026-07-19"),
    ("2026-07-20", "2026-07-26"),
    ("2026-07-27", "2026-08-02"),
    ("2026-08-03", "2026-08-16"),
    ("2026-08-17", "2026-08-23"),
    ("2026-08-24", "2026-08-30"),
    ("2026-08-31", "2026-09-06"),
    ("2026-09-07", "2026-09-13"),
    ("2026-09-14", "2026-09-27"),
)


def sample_figures() -> dict[str, Any]:
    """figures.json"""
    weekly = [week(number, *days) for number, days in enumerate(WEEKS)]
    received = sum(row["received"] for row in weekly)
    within = [{"days": days, **share(60 + days // 3, 120)} for days in DAYS]
    edges = (0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 75, 90)
    waits = (9800, 9300, 8600, 8000, 6900, 5200, 4300, 3700, 3100, 2600, 2200, 1900, 1700, 1500)
    curve = [
        {
            "days": days,
            "at_risk": 140 - 7 * place,
            "events": 5,
            "waiting": waiting,
            "low": max(0, waiting - 700),
            "high": min(10_000, waiting + 700),
        }
        for place, (days, waiting) in enumerate(zip(edges, waits, strict=True))
    ]
    causes = {
        "upheld_action": 21,
        "upheld_fixed": 17,
        "insufficient": 19,
        "outside_mandate": 9,
        "joined": 4,
        "set_aside": 0,
        "referred": 6,
        "withdrawn": 3,
    }
    points = [
        {"days": days, "at_risk": 150 - 9 * place, "events": 2, "share": 60 * place}
        | {"low": 40 * place, "high": 90 * place}
        for place, days in enumerate(edges)
    ]
    outcomes = [
        {"code": code, "count": count, "settled": count // 3, "not_settled": count // 5}
        | {"silent": count - count // 3 - count // 5}
        for code, count in causes.items()
        if code not in {"referred", "withdrawn"}
    ]
    return {
        "v": 1,
        "definitions": "2026-1",
        "as_of": "2026-09-27",
        "received": received,
        "open": received - 73,
        "closed": 70,
        "withdrawn": 3,
        "headline": {"followed_up": within, "examined": within},
        "weekly": weekly,
        "first_follow_up": {
            "n": received,
            "events": 70,
            "median": {"days": 10, "low": 7, "high": 14},
            "curve": curve,
        },
        "outcome": {
            "n": received,
            "curves": [
                {"cause": cause, "events": events, "points": points}
                for cause, events in causes.items()
            ],
        },
        "open_ages": [
            {"from": first, "to": last, "count": count}
            for (first, last), count in zip(
                ((0, 7), (8, 30), (31, 60), (61, 90), (91, 180), (181, 365), (366, None)),
                (14, 31, 20, 11, 9, 2, 0),
                strict=True,
            )
        ],
        "oldest_open_days": 203,
        "outcomes": outcomes,
        "confirmations": {
            "asked": 70,
            "settled": sum(row["settled"] for row in outcomes),
            "not_settled": sum(row["not_settled"] for row in outcomes),
            "silent": sum(row["silent"] for row in outcomes),
        },
        "contested": share(6, 76),
        "same_day_closings": share(1, 76),
        "hasty_closings": share(4, 76),
        "canaries": {
            "sent": 6,
            "answered": 5,
            "within": [
                {"days": 3, "count": 3},
                {"days": 7, "count": 4},
                {"days": 30, "count": 5},
            ],
            "median_days": 3,
            "worst_days": 30,
        },
        "slowing": {"flag": False, "windows": 8, "days": None, "before": None, "after": None},
    }


def sample_tables() -> dict[str, Any]:
    """tables.json"""
    since = "2026-09-27"

    def cell(value: str, count: int | None) -> dict[str, Any]:
        return {"value": value, "count": count, "since": since}

    def row(unit: str, yes: int | None, no: int | None, standing: str) -> dict[str, Any]:
        below = None
        if yes is not None or no is not None:
            below = "examined" if yes is None else "not_examined" if no is None else None
        known = None if yes is None or no is None else round(10_000 * yes / (yes + no))
        return {
            "unit": unit,
            "examined": yes,
            "not_examined": no,
            "below": below,
            "share": known,
            "standing": standing,
            "since": since,
        }

    return {
        "v": 1,
        "definitions": "2026-1",
        "as_of": since,
        "k": 10,
        "oneway": [
            {"by": "service", "cells": [cell("ktp-pindah", 58), cell("kk", None)]},
            {"by": "subject", "cells": [cell("asked_refused", 61), cell("asked_paid", 44)]},
            {"by": "how", "cells": [cell("spoken", 70), cell("tariff", None)]},
            {"by": "asked", "cells": [cell("50k_100k", 47), cell("under_50k", 33)]},
            {"by": "paid", "cells": [cell("zero", 80), cell("under_50k", None)]},
        ],
        "twoway": [
            {
                "rows": "subject",
                "columns": "how",
                "cells": [
                    {"row": subject, "column": how, "count": count, "since": since}
                    for subject, how, count in (
                        ("asked_refused", "spoken", 40),
                        ("asked_refused", "tariff", None),
                        ("asked_paid", "spoken", 30),
                        ("asked_paid", "tariff", None),
                    )
                ],
            },
            {
                "rows": "service",
                "columns": "asked",
                "cells": [
                    {"row": "ktp-pindah", "column": "50k_100k", "count": 25, "since": since},
                    {"row": "kk", "column": "50k_100k", "count": None, "since": since},
                ],
            },
        ],
        "units": [
            row("kel-melati", 16, 40, "worst"),
            row("kel-kenanga", 27, 11, "within"),
            row("kel-cempaka", None, None, "too_few"),
            row("kec-taman", 34, None, "within"),
            row("disdukcapil", 21, 10, "within"),
        ],
        "funnel": {
            "days": 30,
            "targets": [{"as_of": since, "examined": 88, "of": 140, "share": 6286}],
            "limits": [
                {"n": 30, "low95": 4333, "high95": 8000, "low998": 3333, "high998": 8667},
                {"n": 60, "low95": 5000, "high95": 7500, "low998": 4167, "high998": 8167},
            ],
        },
        "ranking": {"best": [], "worst": ["kel-melati"], "compared": 4},
        "money": [
            {
                "by": "service",
                "value": "ktp-pindah",
                "asked_at_least": 4_350_000,
                "asked_median": "50k_100k",
                "paid_at_least": 2_100_000,
                "paid_median": "50k_100k",
                "since": since,
            },
            {
                "by": "service",
                "value": "kk",
                "asked_at_least": None,
                "asked_median": None,
                "paid_at_least": None,
                "paid_median": None,
                "since": since,
            },
        ],
    }


def sample_suppression() -> dict[str, Any]:
    """suppression.json"""
    names = ("unit", "service", "subject", "how", "asked", "paid", "subject_how", "service_asked")
    tables = [
        {"table": name, "cells": 5, "shown": 3, "hidden": 2, "kept": 0}
        for name in (*names, "unit_examined", "money")
    ]
    return {
        "v": 1,
        "definitions": "2026-1",
        "as_of": "2026-09-27",
        "k": 10,
        "tables": tables,
        "attack": {"releases": 1, "cells": 21, "changes": 0, "found": 0},
    }
