# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages weigh, and what the one stylesheet may hold."""

import re
from dataclasses import replace
from datetime import date

import pytest

from tests.support.sample_pages import TOKEN, all_pages, sample_site, sample_statistics
from whistle.i18n import LANGUAGES, Language
from whistle.intake.contexts import FormContext, LandingContext, Service, Unit
from whistle.intake.pages import Pages

FIRST_PAGE = 20_000  # with its stylesheet
ANY_PAGE = 40_000
STYLE = 9_200

PAGES = Pages(sample_site())
CSS = PAGES.style.decode()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_first_page_weighs_little_and_takes_two_requests(lang: Language) -> None:
    page = PAGES.landing(lang, LandingContext(sample_statistics()))
    assert len(page) + len(PAGES.style) <= FIRST_PAGE
    fetched = re.findall(rb'(?:src|srcset|data|poster)="|<link[^>]*href="(?!data:)', page)
    assert len(fetched) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_stays_small(lang: Language) -> None:
    for name, page in all_pages(PAGES, lang):
        assert len(page) <= ANY_PAGE, name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_form_of_a_city_with_many_offices_stays_small(lang: Language) -> None:
    units = tuple(
        Unit(f"kel-{n}", {"id": f"Kelurahan Nama Panjang {n}", "en": f"Village {n}"}, "kelurahan")
        for n in range(250)
    )
    services = tuple(
        Service(f"layanan-{n}", {"id": f"Layanan Nama {n}", "en": f"Service {n}"}, 0)
        for n in range(60)
    )
    pages = Pages(replace(sample_site(), units=units, services=services))
    assert len(pages.report_form(lang, FormContext(TOKEN, date(2026, 9, 7)))) <= ANY_PAGE


def test_stylesheet_is_small_and_fetches_nothing() -> None:
    assert len(PAGES.style) <= STYLE
    for word in ("url(", "@import", "@font-face", "http", "expression", "image-set"):
        assert word not in CSS.lower()
    assert CSS.count("{") == CSS.count("}")


def test_stylesheet_address_follows_its_content() -> None:
    assert re.fullmatch(r"/style-[0-9a-f]{16}\.css", PAGES.style_path)
    assert Pages(sample_site()).style_path == PAGES.style_path


@pytest.mark.parametrize("rule", ["prefers-color-scheme:dark", "@media print", ":focus-visible"])
def test_stylesheet_covers(rule: str) -> None:
    assert rule in CSS


def palette(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z]+):(#[0-9a-f]{3,6})", block))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(letter * 2 for letter in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


LIGHT, DARK = (
    palette(block) for block in re.findall(r":root\{(?:color-scheme[^}]*|--[^}]*)\}", CSS)[:2]
)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast_is_enough(colours: dict[str, str]) -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11."""
    for ground in ("paper", "card", "wash"):
        for text in ("ink", "soft", "brand"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for edge in ("edge", "gold"):
            assert contrast(colours[edge], colours[ground]) >= 3, (edge, ground)
    for text, ground in (("on", "brand"), ("warn", "alarm"), ("ink", "alarm"), ("paper", "gold")):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
