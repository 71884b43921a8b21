"""A photograph or a screenshot of a panic: the text of the QR codes in it, by zxing-cpp and Pillow (the extra ``qr``).

drivers/gpu/drm/drm_panic.c draws either the address that :mod:`kb.log.containers.screens.drm_qr` reads or, where no
address was configured, the kernel's own lines. The letters beside the code are not read.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO

from kb.errors import InputError
from kb.log.containers.roles import says_log
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_HELD = 96_000_000
"""Bytes of a picture once unpacked: a byte a point and colour, and two more a point to find a code in it."""
_POINTS = 12_000_000
"""Points from which on a photograph is read at half its size or less, as JPEG lets one: telephones take 108 million."""
_CODES = 8


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The texts of the codes; none is no log, but nothing that can be looked into any further."""
    try:
        texts = _texts(name, read, walk)
    except InputError as error:
        if name == walk.name or says_log(name):
            walk.unread.append(error)
        else:
            walk.pass_over(name, error.reason)
        return
    for number, text in enumerate(texts, 1):
        inner = "" if len(texts) == 1 else f"code{number}"
        yield Member(inner, pieces(iter((text + b"\n",))), text=True, note="read from the QR code of a picture")


def _texts(name: str, read: Read, walk: Walk) -> list[bytes]:
    try:
        import zxingcpp
        from PIL import Image
    except ImportError as error:
        reason = "is a picture: reading the QR code of a panic in it needs zxing-cpp and Pillow"
        raise InputError(reason, path=name, help="pip install 'kernel-kb[qr]', or give the log's text") from error
    data = walk.hold(read, name)
    if data is None:
        return []
    try:
        Image.MAX_IMAGE_PIXELS = None  # ours is asked before anything is unpacked
        with Image.open(io.BytesIO(data)) as image:
            shrink = max(image.width * image.height / _POINTS, 1) ** 0.5
            image.draft("L", (int(image.width / shrink), int(image.height / shrink)))
            if image.width * image.height * (len(image.getbands()) + 2) > _HELD:
                most = _HELD // (len(image.getbands()) + 2)
                raise InputError(f"is a picture of more than {most} points", path=name, help="cut the code out of it")
            codes = zxingcpp.read_barcodes(image.convert("L"))
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise InputError("is a picture that cannot be read", path=name, help="give the log's text") from error
    finally:
        walk.release(len(data))
    texts = [bytes(code.bytes) for code in codes[:_CODES] if code.bytes]
    if not texts:
        raise InputError("is a picture without a QR code that can be read", path=name, help="give the log's text")
    return texts
