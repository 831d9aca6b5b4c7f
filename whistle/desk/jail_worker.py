# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs inside the sandbox, under the system's own Python, on the reporter's file in /in.

Never imported: whistle.desk.sandbox hands its source to bubblewrap. Everything it says may have
been written by the file it looked at, so case_mgmt.desk.jail_answer reads it as hostile.

    jail_worker.py clean SUFFIX | picture SUFFIX | pages SUFFIX

Its answer goes to standard output: a line of JSON, then bytes. Limits are set before the file is
opened; the programs it starts inherit them and get no standard output of ours.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable

MIB = 1024 * 1024
MEMORY = 1024 * MIB  # address space of each process
CPU_SECONDS = 60
FILE_BYTES = 320 * MIB
PROCESSES = 64
DESCRIPTORS = 128
MAX_SIDE = 1200  # pixels of a picture that leaves
MAX_PIXELS = 64_000_000  # of a picture that comes in: 64 megapixels are 192 MB decoded
MAX_PAGES = 3
MAX_NAMES = 300
MAX_NAME = 80
NOTHING = frozenset({"", "-1", "None"})  # what poppler says of a date that is not there
STRUCTURE = frozenset({"format", "Palette"})  # what a file cannot be without
KEEP_RATIO = True
FOLDER = "/tmp/work"  # noqa: S108 - a private file system that ends with this process

Answer = tuple[dict[str, object], list[bytes]]


class NoAnswer(Exception):  # noqa: N818 - it is one
    """Why there is none; the only argument is a code."""


def main() -> None:
    """One task, one answer."""
    _limit()
    out = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    os.mkdir(FOLDER)
    os.chdir(FOLDER)
    task, source = sys.argv[1], f"/in/berkas{sys.argv[2]}"
    try:
        head, bodies = {"clean": _clean, "picture": _picture, "pages": _pages}[task](source)
    except NoAnswer as error:
        head, bodies = {"failure": str(error)}, []
    except ImportError:
        head, bodies = {"failure": "no_tool"}, []
    except MemoryError:
        head, bodies = {"failure": "too_large"}, []
    except Exception:  # whatever a parser raises, the file is to blame
        head, bodies = {"failure": "unreadable"}, []
    out.write(json.dumps(head).encode() + b"\n")
    for body in bodies:
        out.write(body)
    out.flush()
    os._exit(0)


def _limit() -> None:
    for what, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))


# --- clean copies ---------------------------------------------------------------------------------


def _clean(source: str) -> Answer:
    from libmat2 import parser_factory

    # mat2 writes beside what it reads; /in cannot be written to.
    here = "berkas" + os.path.splitext(source)[1]
    os.symlink(source, here)
    parser, _type = parser_factory.get_parser(here)
    if parser is None:
        raise NoAnswer("unreadable")
    parser.sandbox = False  # this is one already, and a narrower one
    found = _values(parser.get_meta())
    if not parser.remove_all():
        raise NoAnswer("unreadable")
    cleaned = parser.output_filename
    after = _values(_meta_of(cleaned))
    # What now says something else (an encoder's name, a zero date) no longer says what it said.
    left = {name for name, value in after.items() if found.get(name, value) == value}
    with open(os.open(cleaned, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
        content = stream.read()
    return {"size": len(content), "found": _listed(found), "left": _listed(left)}, [content]


def _meta_of(path: str) -> dict[str, object]:
    from libmat2 import parser_factory

    parser, _type = parser_factory.get_parser(path)
    if parser is None:
        raise NoAnswer("unreadable")
    parser.sandbox = False
    meta: dict[str, object] = parser.get_meta()
    return meta


def _values(meta: dict[str, object]) -> dict[str, str]:
    """Metadata by name; that of the parts of a document is taken out of them."""
    values: dict[str, str] = {}
    for name, value in meta.items():
        if isinstance(value, dict):
            values.update(_values(value))
        elif str(value) not in NOTHING and name not in STRUCTURE:
            values[str(name)[:MAX_NAME]] = str(value)
    return values


def _listed(names: Iterable[str]) -> list[str]:
    return sorted(names)[:MAX_NAMES]


# --- previews -------------------------------------------------------------------------------------


def _picture(source: str) -> Answer:
    import gi

    gi.require_version("GdkPixbuf", "2.0")
    from gi.repository import GdkPixbuf

    form, width, height = GdkPixbuf.Pixbuf.get_file_info(source)
    if form is None or width < 1 or height < 1:
        raise NoAnswer("unreadable")
    if width * height > MAX_PIXELS:
        raise NoAnswer("too_large")
    side = min(MAX_SIDE, max(width, height))
    pixbuf = GdkPixbuf.Pixbuf.new_from_file_at_scale(source, side, side, KEEP_RATIO)
    pixbuf = pixbuf.apply_embedded_orientation()
    if pixbuf.get_has_alpha():
        wide, high = pixbuf.get_width(), pixbuf.get_height()
        nearest = GdkPixbuf.InterpType.NEAREST
        pixbuf = pixbuf.composite_color_simple(wide, high, nearest, 255, 16, 0xFFFFFF, 0xDDDDDD)
    return _answer([_pixels(pixbuf)], 1)


def _pixels(pixbuf: object) -> tuple[int, int, bytes]:
    get = pixbuf  # a GdkPixbuf.Pixbuf, which has no types
    width, height = get.get_width(), get.get_height()  # type: ignore[attr-defined]
    stride, channels = get.get_rowstride(), get.get_n_channels()  # type: ignore[attr-defined]
    data = get.read_pixel_bytes().get_data()  # type: ignore[attr-defined]
    rows = []
    for at in range(0, height * stride, stride):
        row = data[at : at + width * channels]
        if channels == 4:
            thin = bytearray(width * 3)
            for channel in range(3):
                thin[channel::3] = row[channel::4]
            row = bytes(thin)
        rows.append(row)
    return width, height, b"".join(rows)


def _pages(source: str) -> Answer:
    _run("pdftoppm", "-f", "1", "-l", str(MAX_PAGES), "-scale-to", str(MAX_SIDE), source, "page")
    made = sorted(name for name in os.listdir(".") if name.endswith(".ppm"))
    if not made:
        raise NoAnswer("unreadable")
    return _answer([_ppm(name) for name in made[:MAX_PAGES]], _page_count(source))


def _page_count(source: str) -> int:
    for line in _run("pdfinfo", source).splitlines():
        if line.startswith(b"Pages:"):
            return int(line[6:])
    return 0


def _run(program: str, *words: str) -> bytes:
    path = f"/usr/bin/{program}"
    if not os.path.exists(path):
        raise NoAnswer("no_tool")
    command = [path, *words]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return done.stdout


def _ppm(name: str) -> tuple[int, int, bytes]:
    """A binary PPM as poppler writes it: P6, width, height, 255, pixels."""
    with open(name, "rb") as stream:
        if stream.readline() != b"P6\n":
            raise NoAnswer("unreadable")
        width, height = (int(number) for number in stream.readline().split())
        stream.readline()
        return width, height, stream.read()


def _answer(pictures: list[tuple[int, int, bytes]], total: int) -> Answer:
    listed = [{"width": width, "height": height} for width, height, _pixels in pictures]
    return {"pages": listed, "total": total}, [pixels for _width, _height, pixels in pictures]


if __name__ == "__main__":
    main()
