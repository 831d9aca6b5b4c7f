# SPDX-License-Identifier: AGPL-3.0-or-later
"""The header set itself."""

from multidict import CIMultiDict

from whistle.http.headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, harden, html


def test_the_policy_allows_no_script_and_no_foreign_origin() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_own_forms_still_carry_their_origin() -> None:
    assert SECURITY_HEADERS["Referrer-Policy"] == "same-origin"


def test_telling_headers_go_and_caching_is_off_unless_chosen() -> None:
    headers = CIMultiDict({"Server": "x", "date": "y", "Content-Type": "text/plain"})
    harden(headers)
    assert "Server" not in headers
    assert "Date" not in headers
    assert headers["Cache-Control"] == "no-store"
    chosen = CIMultiDict({"Cache-Control": "immutable"})
    harden(chosen)
    assert chosen["Cache-Control"] == "immutable"


def test_hardening_twice_changes_nothing() -> None:
    headers = CIMultiDict({"Content-Type": "text/plain"})
    harden(headers)
    once = headers.copy()
    harden(headers)
    assert headers == once


def test_pages_are_utf8_html() -> None:
    assert html(b"x", 422).headers["Content-Type"] == "text/html; charset=utf-8"
