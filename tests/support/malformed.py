# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests that are not quite HTTP, for any of our listening sockets.

`REFUSED`: answered with 400 by the parser. `ODD`: legal, or forgiven, or simply strange: any answer
of ours will do, but one of ours it must be.
"""

CANARY = b"kanari4711"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED: dict[str, bytes] = {
    "not http": CANARY + b"\r\n\r\n",
    "bad method": b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),
    "http2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "header without colon": GET + CANARY + b"\r\n\r\n",
    "space before colon": GET + b"X : " + CANARY + b"\r\n\r\n",
    "empty header name": GET + b": " + CANARY + b"\r\n\r\n",
    "nul in header": GET + b"X: a\x00" + CANARY + b"\r\n\r\n",
    "carriage return in header": GET + b"X: a\rb\r\n\r\n",
    "length of letters": POST + b"Content-Length: " + CANARY + b"\r\n\r\n",
    "length below zero": POST + b"Content-Length: -1\r\n\r\n",
    "length with plus": POST + b"Content-Length: +1\r\n\r\na",
    "length with underscore": POST + b"Content-Length: 1_0\r\n\r\n" + bytes(10),
    "length of 200 digits": POST + b"Content-Length: " + b"9" * 200 + b"\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "list of lengths": POST + b"Content-Length: 1, 2\r\n\r\nab",
    "length and chunked": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "unknown coding": POST + b"Transfer-Encoding: " + CANARY + b"\r\n\r\n",
    "long line": b"GET /" + CANARY + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long header": GET + b"X: " + CANARY + b"a" * 9000 + b"\r\n\r\n",
    "many headers": GET + b"".join(b"X-%d: 1\r\n" % number for number in range(200)) + b"\r\n",
}

ODD: dict[str, bytes] = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "http 1.0": b"GET / HTTP/1.0\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT other.example:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute target": b"GET http://other.example/" + CANARY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "target of dots": b"GET /../../" + CANARY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "encoded dots": b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "encoded nul": b"GET /id%00" + CANARY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad percent": b"GET /%zz%ff" + CANARY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "target in latin": b"GET /\xe9" + CANARY + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "two slashes": b"GET //other.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "trace": b"TRACE /" + CANARY + b" HTTP/1.1\r\nHost: x\r\nX: " + CANARY + b"\r\n\r\n",
    "upgrade": GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "upgrade to http2": GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    "body of a get": GET + b"Content-Length: 3\r\n\r\nabc",
    "unknown expectation": POST + b"Expect: " + CANARY + b"\r\nContent-Length: 0\r\n\r\n",
    "compressed": POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
    "range": GET + b"Range: bytes=0-0,-1\r\nIf-Range: x\r\n\r\n",
    "conditional": GET + b"If-None-Match: *\r\nIf-Modified-Since: 0\r\n\r\n",
    "cookies": GET + b"Cookie: session=" + CANARY + b"; session=; =; \xff\r\n\r\n",
    "other type": POST
    + b'Content-Type: multipart/form-data; boundary="\r\nContent-Length: 0\r\n\r\n',
    "folded header": GET + b"X: a\r\n b\r\n\r\n",
    "chunk of letters": CHUNKED + CANARY + b"\r\n",
    "chunk below zero": CHUNKED + b"-1\r\n\r\n",
    "huge chunk": CHUNKED + b"f" * 30 + b"\r\n",
    "chunk without end": CHUNKED + b"3\r\nabcXX",
    "extension of a chunk": CHUNKED + b"1;" + CANARY * 20 + b"\r\na\r\n0\r\n\r\n",
    "trailer": CHUNKED + b"0\r\nX: " + CANARY + b"\r\n\r\n",
}
