# SPDX-License-Identifier: AGPL-3.0-or-later
"""The wheel, built from the source distribution and used far away from the checkout."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"whistle", "crypto", "onion", "case_mgmt"}

INSIDE = """
import json, sys
from pathlib import Path
import whistle, crypto, onion, case_mgmt
from case_mgmt.store.sqlcipher import open_store
from crypto.receipt import generate
from whistle.assets import static_dir, templates_dir
from whistle.i18n import Catalogue

open_store(Path(sys.argv[1]) / "cases.db", "ab" * 32).close()
print(json.dumps({
    "homes": [str(Path(m.__file__).parents[1]) for m in (whistle, crypto, onion, case_mgmt)],
    "assets": [str(static_dir()), str(templates_dir())],
    "words": len(generate(lambda n: bytes(n)).words("id")),
    "title": Catalogue.load("en").t("landing.title"),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Source distribution -> wheel, as a packager would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build"]
    subprocess.run([*build, "-t", "sdist", "-d", str(folder)], cwd=ROOT, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder / "source", filter="data")
    (source_folder,) = (folder / "source").iterdir()
    subprocess.run([*build, "-t", "wheel", "-d", str(folder)], cwd=source_folder, check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_it_works_far_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    done = subprocess.run(
        [sys.executable, "-P", "-c", INSIDE, str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["homes"]) == {str(site)}
    assert all(path.startswith(str(site)) for path in told["assets"])
    assert told["words"] == 12
    assert told["title"]
