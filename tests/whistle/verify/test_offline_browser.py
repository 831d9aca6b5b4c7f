# SPDX-License-Identifier: AGPL-3.0-or-later
"""The offline page in real Firefox, opened from disk: the same verdicts as the program's.

Sizes: the page has 140 kB, of which its script 62 kB and the two word lists 32 kB.
"""

import asyncio
import base64
import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from case_mgmt.publication.leaves import Code, FollowUp, Kind
from crypto.encoding import canonical_json
from crypto.manifest import instance_fingerprint_words
from crypto.tlog.cosignature import cosign
from tests.support.firefox import Firefox
from tests.support.firefox_page import Page
from tests.support.org import seed
from tests.support.published import WITNESSES, write
from tests.whistle.verify.conftest import Scene
from whistle.cli import main
from whistle.verify.faults import Fault
from whistle.verify.offline_page import offline_page
from whistle.verify.texts import load_verify_texts

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
MAX_PAGE = 160_000
ENGLISH = load_verify_texts("en")


def packed(folder: Path, form: str) -> Path:
    """The folder as one file."""
    if form == "zip":
        return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))
    target = folder.with_suffix("." + form)
    with tarfile.open(target, "w:gz" if form == "tgz" else "w") as archive:
        archive.add(folder, folder.name)
    return target


async def opened(firefox: Firefox, tmp_path: Path, width: int = 1280) -> Page:
    file = tmp_path / "verify.html"
    file.write_bytes(offline_page())
    page = await firefox.new_page(width=width)
    await page.goto(file.as_uri())
    if await page.count("#language"):
        await page.click("#language", navigates=False)
    return page


async def judged(page: Page, release: Path, earlier: Path | None = None) -> str:
    """Choose, press, wait; what the result says."""
    await page.set_files("#archive", [release])
    if earlier is not None:
        await page.set_files("#kept", [earlier])
    await page.click("#go", navigates=False)
    for _ in range(300):
        if not await page.evaluate("document.getElementById('go').disabled"):
            break
        await asyncio.sleep(0.1)
    if await page.evaluate("document.getElementById('result').hidden"):
        return await page.text("#progress")
    return await page.text("#result")


def drop_report(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    case = next(leaf.case for leaf in leaves if leaf.kind is Kind.REPORT)
    scene.town.relog(scene.third, [leaf for leaf in leaves if leaf.case != case])


def follow(scene: Scene, case: bytes, wait: int) -> None:
    leaves = scene.leaves_of(scene.third)
    event = FollowUp(Code.UPDATED, wait, case, b"a" * 32)
    scene.town.relog(scene.third, [*leaves, event.leaf(leaves[-1].period, b"n" * 32)])


def reorder(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    leaves.insert(1, leaves.pop(len(leaves) // 2))
    scene.town.relog(scene.third, leaves)


def split(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.second)
    scene.town.relog(scene.third, [*leaves[:-1], replace(leaves[-1], commitment=b"s" * 32)])


def replace_release(scene: Scene) -> None:
    scene.town.amend(scene.second, reason="quietly better")
    scene.town.reseal(scene.second)


def figures(*path: str | int) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        file = scene.third / "data/figures.json"
        whole = json.loads(file.read_bytes())
        place = whole
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] += 1
        write(file, canonical_json(whole))
        scene.town.reseal(scene.third)

    return change


def forge_cosignature(scene: Scene) -> None:
    entries = [leaf.encode() for leaf in scene.leaves_of(scene.third)]
    line = cosign(seed(f"witness {WITNESSES[1]}"), WITNESSES[1], "another text\n", 1)
    note = scene.town.checkpoint(entries, WITNESSES[:1]) + line
    write(scene.third / "log/checkpoint", note.encode())
    scene.town.reseal(scene.third)


def too_few(scene: Scene) -> None:
    scene.town.relog(scene.third, scene.leaves_of(scene.third), WITNESSES[:1])


def truncate(scene: Scene) -> None:
    file = scene.third / "log/tile/0/000"
    write(file, file.read_bytes()[:-7])
    scene.town.reseal(scene.third)


def pass_off(scene: Scene) -> None:
    case = next(each for each in scene.city.cases if not each.is_canary)
    file = scene.third / "canaries.json"
    revealed = json.loads(file.read_bytes())
    revealed["revealed"].append({"case": case.pseudonym.hex(), "secret": "00" * 32})
    write(file, canonical_json(revealed))
    scene.town.recount(scene.third, scene.leaves_of(scene.third))


def other_signature(scene: Scene) -> None:
    write(scene.third / "release.sig", (scene.first / "release.sig").read_bytes())


def change_file(scene: Scene) -> None:
    write(scene.third / "data/tables.json", b"{}")


TAMPERED: list[tuple[Callable[[Scene], None], Fault]] = [
    (drop_report, Fault.REPORT_DROPPED),
    (lambda scene: follow(scene, b"x" * 16, 3), Fault.CASE_INVENTED),
    (lambda scene: follow(scene, scene.leaves[1].case, 0), Fault.BACK_DATED),
    (reorder, Fault.REORDERED),
    (split, Fault.SPLIT_VIEW),
    (replace_release, Fault.RELEASE_REPLACED),
    (figures("received"), Fault.TOTAL_WRONG),
    (figures("weekly", 2, "examined", 1, "count"), Fault.COHORT_WRONG),
    (forge_cosignature, Fault.COSIGNATURE_FORGED),
    (too_few, Fault.QUORUM_MISSING),
    (truncate, Fault.TILE_TRUNCATED),
    (pass_off, Fault.CANARY_FALSE),
    (other_signature, Fault.SIGNATURE_FORGED),
    (change_file, Fault.FILE_CHANGED),
]


def sentence_begins(fault: Fault) -> str:
    """The part of the fault's sentence before its place."""
    return ENGLISH.t(f"verify.fault.{fault}", where="\0").split("\0")[0].strip()


async def test_honest_release_in_every_form_and_language(scene: Scene, tmp_path: Path) -> None:
    words = " ".join(instance_fingerprint_words(scene.town.org.instance_id, "en"))
    async with Firefox(level="standard") as firefox:
        for form, width in (("zip", 360), ("tar", 1280), ("tgz", 360)):
            page = await opened(firefox, tmp_path, width)
            text = await judged(page, packed(scene.third, form), packed(scene.second, "zip"))
            assert "VERIFIED" in text, text
            assert words in text
            assert await page.overflow() <= 0
            await page.click("#language", navigates=False)
            assert "BENAR" in await page.text("#result")
            loaded = "performance.getEntriesByType('resource').length"
            assert await page.evaluate(loaded) == 0
            await page.close()


_CHOOSE = """(() => {
  const files = FILES.map(([path, data]) => {
    const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
    const file = new File([bytes], path.split('/').at(-1));
    Object.defineProperty(file, 'webkitRelativePath', {value: path});
    return file;
  });
  Object.defineProperty(document.getElementById('folder'), 'files', {value: files});
})()"""


async def test_folder_is_read_too(scene: Scene, tmp_path: Path) -> None:
    """The browser's remote control cannot choose folders: the field is filled as a choice would."""
    paths = [path for path in scene.third.rglob("*") if path.is_file()]
    files = [
        [f"{path.relative_to(tmp_path).as_posix()}", base64.b64encode(path.read_bytes()).decode()]
        for path in paths
    ]
    async with Firefox(level="safer") as firefox:
        page = await opened(firefox, tmp_path)
        await page.evaluate(_CHOOSE.replace("FILES", json.dumps(files)))
        await page.click("#go", navigates=False)
        for _ in range(300):
            if not await page.evaluate("document.getElementById('go').disabled"):
                break
            await asyncio.sleep(0.1)
        assert "VERIFIED" in await page.text("body")


@pytest.mark.timeout(600)
async def test_each_deceit_is_called_by_its_name(honest: Scene, tmp_path: Path) -> None:
    async with Firefox(level="standard") as firefox:
        for number, (tamper, fault) in enumerate(TAMPERED):
            folder = tmp_path / str(number)
            copies = [
                Path(shutil.copytree(each, folder / each.name))
                for each in (honest.first, honest.second, honest.third)
            ]
            scene = Scene(honest.town, honest.city, *copies)
            tamper(scene)
            page = await opened(firefox, tmp_path)
            text = await judged(page, packed(scene.third, "zip"), packed(scene.second, "zip"))
            assert text.startswith("Result\nNOT TRUE") or "NOT TRUE" in text, (fault, text)
            assert sentence_begins(fault) in text, (fault, text)
            await page.close()


async def test_wrong_words_no_choice_and_no_archive(scene: Scene, tmp_path: Path) -> None:
    other = " ".join(instance_fingerprint_words(bytes(32), "id"))
    async with Firefox(level="standard") as firefox:
        page = await opened(firefox, tmp_path)
        await page.click("#go", navigates=False)
        assert "Choose a folder or a file first" in await page.text("#progress")
        write(tmp_path / "x.zip", b"PK nothing of the kind")
        assert "no .zip or .tar" in await judged(page, tmp_path / "x.zip")
        await page.fill("#words", other)
        text = await judged(page, packed(scene.third, "zip"))
        assert sentence_begins(Fault.INSTANCE_OTHER) in text
        await page.fill("#words", "twelve words")
        assert "12 check words" in await judged(page, packed(scene.third, "zip"))


async def test_without_script_the_page_says_so(tmp_path: Path) -> None:
    file = tmp_path / "verify.html"
    file.write_bytes(offline_page())
    assert len(file.read_bytes()) <= MAX_PAGE
    async with Firefox(level="safest") as firefox:
        page = await firefox.new_page(width=360)
        await page.goto(file.as_uri())
        text = await page.text()
        assert "perlu JavaScript" in text
        assert "needs JavaScript" in text


async def test_cities_side_by_side_fit_a_phone_and_a_desk(scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "cities"
    assert main(["federate", str(scene.third), "--out", str(out)]) == 0
    async with Firefox(level="safest") as firefox:
        for width in (360, 1280):
            page = await firefox.new_page(width=width)
            await page.goto((out / "index.html").as_uri())
            assert await page.overflow() <= 0
            assert "Kota berdampingan" in await page.text("h1")
            await page.click(".lang a")
            assert "Cities side by side" in await page.text("h1")
            assert await page.overflow() <= 0
