"""Cut a byte stream into JSON objects (JSON-RPC puts no length before a message; RFC 7047 section 4).

Only braces and strings matter for finding the end of an object, and all else is skipped by one regular
expression in C, so a reply of several megabytes costs about one match per row. Each byte is looked at once,
however the stream was cut. Whether the object is valid JSON inside is the decoder's business.
"""

import re
from typing import NoReturn

from overlace.wire.errors import MalformedError

DEFAULT_SIZE_LIMIT = 16 * 1024 * 1024
"""Largest message accepted, in bytes; a whole Open_vSwitch database is far below it."""

_WHITESPACE = b" \t\r\n"
# Unrolled loops that cannot be split in two ways, so backtracking is linear. Possessive quantifiers would say the
# same, but Python before 3.11.5 (Debian 12 has 3.11.2) loses characters in them (CPython issue 106052).
_OUTSIDE_STRING = re.compile(rb'[^{}"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^{}"]*)*', re.DOTALL)
_INSIDE_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_OPEN, _CLOSE, _QUOTE, _BACKSLASH = b'{}"\\'


class JsonFramer:
    """Incremental splitter: feed chunks, get whole JSON objects as bytes."""

    def __init__(self, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self._size_limit = size_limit
        self._buffer = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self._failure: str | None = None

    @property
    def buffered(self) -> int:
        """Bytes held back because their object is not complete."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk and return the objects that it completes, in order.

        Raises MalformedError when something other than an object stands at the top level or an object grows
        over the size limit; the stream has no way to resynchronise then, so every later call raises too.
        """
        if self._failure is not None:
            raise MalformedError(self._failure)
        self._buffer += chunk
        messages: list[bytes] = []
        start = 0
        while (end := self._scan()) is not None:
            self._check_size(end - start)
            messages.append(bytes(self._buffer[start:end]))
            start = end
        self._drop(start)
        self._check_size(len(self._buffer))
        return messages

    def _check_size(self, size: int) -> None:
        if size > self._size_limit:
            self._fail(f"JSON message longer than {self._size_limit} bytes")

    def _scan(self) -> int | None:
        """Advance to the end of the current object; None when the buffer ends first."""
        while True:
            if self._depth == 0 and not self._enter_object():
                return None
            pattern = _INSIDE_STRING if self._in_string else _OUTSIDE_STRING
            match = pattern.match(self._buffer, self._scanned)
            self._scanned = match.end() if match else self._scanned
            if self._scanned == len(self._buffer) or self._buffer[self._scanned] == _BACKSLASH:
                return None
            if self._step(self._buffer[self._scanned]):
                return self._scanned

    def _step(self, byte: int) -> bool:
        """Pass one quote or brace; True when it closes the object."""
        self._scanned += 1
        if byte == _QUOTE:
            self._in_string = not self._in_string
        elif byte == _OPEN:
            self._depth += 1
        elif byte == _CLOSE:
            self._depth -= 1
        return self._depth == 0

    def _enter_object(self) -> bool:
        """Skip white space between objects; False when no object has begun."""
        buffer = self._buffer
        while self._scanned < len(buffer) and buffer[self._scanned] in _WHITESPACE:
            self._scanned += 1
        if self._scanned == len(buffer):
            return False
        if buffer[self._scanned] != _OPEN:
            self._fail("not a JSON object at the top level of the stream")
        self._scanned += 1
        self._depth = 1
        return True

    def _drop(self, count: int) -> None:
        if self._depth == 0:
            count = self._scanned
        del self._buffer[:count]
        self._scanned -= count

    def _fail(self, why: str) -> NoReturn:
        self._failure = why
        self._buffer.clear()
        self._scanned = 0
        raise MalformedError(why)
