# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bodies as a browser sends them, and what is read out of the pages."""

from tests.bench.client import post

BOUNDARY = "bench0123456789"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
END = f"--{BOUNDARY}--\r\n".encode()
STORY = ("Petugas meminta biaya administrasi untuk pindah alamat KTP. " * 40)[:2048]
EMPTY_FILE = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename=""\r\n'
    "Content-Type: application/octet-stream\r\n\r\n\r\n"
)
FILE_HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="besar.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
FILE_INPUTS = 5
SAMPLE_TOKEN = "A" * 43


def report_fields(token: str, number: int, files: int = 0) -> bytes:
    """All answers and the file inputs that were left empty; the end marker is not included."""
    fields = {
        "token": token, "story": f"{number:08d} {STORY}", "happened": "asked_refused",
        "unit": "", "service": "", "place": "loket 3", "month": "04", "year": "", "how": "spoken",
        "reason": "administration", "asked": "50k_100k", "paid": "", "who": "", "witnesses": "",
        "others": "repeatedly", "elsewhere": "", "wish": "stop", "danger": "", "exclude_unit": "",
    }  # fmt: skip
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "".join([*parts, *[EMPTY_FILE] * (FILE_INPUTS - files)]).encode()


def report(token: str, number: int) -> bytes:
    """A prepared request with a report of 2 KB."""
    return post("/id/report", MULTIPART, report_fields(token, number) + END)


def code_request(words: str) -> bytes:
    """A prepared request that types a code."""
    body = f"code={words.replace(' ', '+')}".encode()
    return post("/id/status", "application/x-www-form-urlencoded", body)


def token_of(page: bytes) -> str:
    """The hidden token of a form page."""
    return page.split(b'name="token" value="', 1)[1].split(b'"', 1)[0].decode()


def words_of(page: bytes) -> str:
    """The twelve words of a receipt page."""
    listed = page.split(b'<ol class="words"', 1)[1].split(b"</ol>", 1)[0].decode()
    return " ".join(part.rsplit(">", 1)[-1] for part in listed.split("</li>")[:-1])
