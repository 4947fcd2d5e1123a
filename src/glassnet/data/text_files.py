"""Files of text as they come: packed or not, in UTF-8, UTF-16 or a named encoding, with any line ends."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from glassnet.data.untrusted_files import (
    CHUNK,
    DEFLATE_LIMIT,
    ContentError,
    bound_expansion,
    check_expansion,
    name_format,
    open_regular_file,
    refuse_answer,
    shorten,
)
from glassnet.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: The bytes at the beginning that tell encoding and line ends.
HEAD = 1 << 16

#: What packed files begin with.
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}

#: What a text in UTF-16 begins with.
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

#: What to do with a text that is not in the encoding that a model was trained on.
OF_ANOTHER = "save the file as UTF-8, or give predict or evaluate its --encoding"


class TextFile(NamedTuple):
    """A text to be read as UTF-8 with line feeds, the most bytes that it may have, and what was converted.

    `remedy` says what to do with a text that is none.
    """

    file: IO[bytes]
    limit: int
    remarks: tuple[str, ...]
    remedy: str = "save the file as UTF-8, or name its encoding, such as --encoding {}"


@contextlib.contextmanager
def open_text(path: Path, encoding: str | None = None, *, learned: bool = False) -> Iterator[TextFile]:
    """Open a text file, unpacked as its first bytes say, and decoded.

    Without an encoding the text is UTF-8, or UTF-16 where it begins with that mark. A mark counts more than an
    encoding of one byte a character. Where that was `learned` from another file, so do letters that UTF-8 has and
    such an encoding would make a hash of. `FileError` is raised if the file cannot be read, or the reader raises
    `ContentError`; `UsageError` if no such encoding is known.
    """
    codec = _find_codec(encoding)
    with open_regular_file(path) as (raw, size), contextlib.ExitStack() as stack:
        start = raw.read(4)
        packed = next((kind for magic, kind in _PACKED.items() if start.startswith(magic)), None)
        raw.seek(0)
        if size == 0:
            raise ContentError("is empty")
        limit, file = bound_expansion(size), raw
        if packed == "gzip":
            _refuse_bomb(raw, size)
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw))
        elif packed == "zip":
            file = stack.enter_context(_open_zipped(raw))
        else:
            limit = size
        head = file.read(HEAD)
        file.seek(0)
        if not head:
            raise ContentError("is empty once unpacked")
        mark = next((codec for mark, codec in _UTF_16.items() if head.startswith(mark)), None)
        _refuse_other_formats(head, packed)
        ending = {".gz": "gzip", ".zip": "zip"}.get(path.suffix.lower())
        remarks = [] if ending == packed else [f"read as {packed or 'plain text'}, which it is by its first bytes"]
        if codec and _says_otherwise(head, codec, learned):
            remarks.append(f"read as UTF-{16 if mark else 8}, which it is by its first bytes, and not as {codec}")
            codec = None
        decoder = codec or mark
        is_old_mac = _has_returns_alone(head, decoder)
        if decoder or is_old_mac:
            remedy = OF_ANOTHER if learned else "say another --encoding"
            recoded = _Recoded(file, decoder, is_old_mac, 2 if mark and not codec else 0, remedy)
            file, limit = cast(IO[bytes], io.BufferedReader(recoded, HEAD)), 4 * limit
        text = TextFile(file, limit, tuple(remarks))
        yield text._replace(remedy=OF_ANOTHER) if learned else text


def _refuse_bomb(raw: IO[bytes], size: int) -> None:
    """Refuse gzip data that end by saying that they are too long, and are; a lie shows when they are read."""
    raw.seek(max(size - 4, 0))
    said, limit = int.from_bytes(raw.read(4), "little"), bound_expansion(size)
    raw.seek(0)
    if limit < said <= DEFLATE_LIMIT * size:  # else the end is cut off, which shows when they are read
        unpacker, unpacked = zlib.decompressobj(wbits=31), 0
        while unpacked <= limit and (chunk := unpacker.unconsumed_tail or raw.read(HEAD)):
            unpacked += len(unpacker.decompress(chunk, CHUNK))
        check_expansion(unpacked, size)
        raw.seek(0)


def _find_codec(encoding: str | None) -> str | None:
    """Return the name of an encoding of text, None for UTF-8, which is read line by line."""
    if encoding is None:
        return None
    try:
        info = codecs.lookup(encoding)
        bytes(1).decode(encoding, errors="replace")
        decoder: Any = info.incrementaldecoder
        decoder("strict")
    except (LookupError, ValueError, TypeError):
        raise UsageError(
            "encoding", f"no encoding of text is called {encoding[:30]!r}; say utf-8, latin-1, cp1252 or utf-16"
        ) from None
    return None if info.name in ("utf-8", "utf-8-sig") else info.name


def _says_otherwise(head: bytes, codec: str, learned: bool) -> bool:
    """Whether a text is UTF-8 or UTF-16 by its first bytes, though an encoding of single bytes is named."""
    if len(bytes(range(256)).decode(codec, errors="replace")) != 256:
        return False
    if head.startswith((codecs.BOM_UTF8, *_UTF_16)):
        return True
    try:
        text = codecs.getincrementaldecoder("utf-8")("strict").decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        return False
    return learned and not text.isascii()


def _refuse_other_formats(head: bytes, packed: str | None) -> None:
    """Refuse what is no text by its first bytes."""
    refuse_answer(head)
    found = name_format(head)
    is_binary = b"\0" in head or found in ("PDF", "gzip")  # a text may begin with PAR1 as well
    if found is not None and is_binary and head[:2] not in _UTF_16:
        inside = " inside" if packed else ""
        raise ContentError(
            f"is no text as its name says; by its first bytes{inside} ({head[:4].hex(' ')}) it is {found}"
        )


def _has_returns_alone(head: bytes, decoder: str | None) -> bool:
    """Whether lines end with a carriage return and no line feed, as on old Macs."""
    text = head.decode(decoder, errors="replace") if decoder else head.decode("latin-1")
    return "\n" not in text and "\r" in text[: -1 if len(head) == HEAD else None]


@contextlib.contextmanager
def _open_zipped(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """Open the only member of a zip."""
    try:
        archive = zipfile.ZipFile(raw)
        file = archive.open(_find_member(archive))
    except (zipfile.BadZipFile, struct.error, RuntimeError, ValueError, OverflowError) as error:
        raise ContentError(f"is damaged ({shorten(error)}): copy or download it again") from None
    with archive, file:
        try:
            yield file
        except (zipfile.BadZipFile, zlib.error) as error:
            raise ContentError(f"is damaged ({shorten(error)}): copy or download it again") from None
        except EOFError:
            raise ContentError("ends in the middle of the zip: copy or download it again") from None


def _find_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only file in a zip; folders, hidden files and what macOS adds do not count."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    names = [Path(member.filename).name for member in members]
    if "[Content_Types].xml" in names:
        raise ContentError("is an Excel workbook by its content: name it .xlsx, or save the sheet as CSV")
    members = [
        member
        for member, name in zip(members, names, strict=True)
        if not name.startswith(".") and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        raise ContentError(f"is a zip of {len(members)} files; expected one: unpack it and name the table in it")
    member = members[0]
    if member.flag_bits & 1:
        raise ContentError("is a zip with a password: unpack it first")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ContentError("is a zip packed in another way than Deflate: unpack it first")
    if member.file_size > DEFLATE_LIMIT * (member.compress_size + 1):
        raise ContentError(
            f"is damaged: its zip promises {member.file_size:,} bytes in {member.compress_size:,} packed ones"
        )
    check_expansion(member.file_size, member.compress_size)
    return member


class _Recoded(io.RawIOBase):
    """A text in another encoding, or with returns for line ends, as UTF-8 with line feeds."""

    def __init__(self, file: IO[bytes], decoder: str | None, is_old_mac: bool, start: int, remedy: str) -> None:
        super().__init__()
        self._remedy = remedy
        self._file, self._name, self._is_old_mac = file, decoder, is_old_mac
        self._decoder = codecs.getincrementaldecoder(decoder)("strict") if decoder else None
        self._position = start
        self._file.seek(start)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer with the next bytes of UTF-8; 0 is the end."""
        view = memoryview(buffer).cast("B")
        while not self._left:
            chunk = self._file.read(HEAD)
            self._left = self._recode(chunk)
            if not chunk:
                break
        part = self._left[: len(view)]
        view[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)

    def _recode(self, chunk: bytes) -> bytes:
        if self._decoder is None:
            return chunk.replace(b"\r", b"\n")
        before = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk, final=not chunk)
            self._position += len(chunk)
            text = text.replace("\r", "\n") if self._is_old_mac else text
            return text.encode()
        except UnicodeDecodeError as error:
            place = self._position - before + error.start + 1
            raise ContentError(f"byte {place:,} of the text is not {self._name}; {self._remedy}") from None
        except UnicodeEncodeError:
            raise ContentError(f"holds half a character (a surrogate), no text in {self._name}") from None
