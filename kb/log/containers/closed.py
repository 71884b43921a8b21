"""What kb cannot look into, by its first bytes, and what would read it."""

import re

from kb.errors import InputError

_CLOSED: tuple[tuple[bytes, str, str], ...] = (
    (b"\x04\x22\x4d\x18", "is packed with lz4", "lz4 -dc FILE | kb match"),
    (b"\x02\x21\x4c\x18", "is packed with lz4 (legacy)", "lz4 -dc FILE | kb match"),
    (b"\x1f\x9d", "is packed with compress", "zcat FILE | kb match"),
    (b"\x1f\xa0", "is packed with compress (LZH)", "zcat FILE | kb match"),
    (b"LZIP\x01", "is packed with lzip", "lzip -dc FILE | kb match"),
    (b"\x89LZO\0", "is packed with lzop", "lzop -dc FILE | kb match"),
    (b"\xff\x06\0\0sNaPpY", "is packed with snappy", "snzip -dc FILE | kb match"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive", "7z x FILE, then kb match FOLDER"),
    (b"Rar!\x1a\x07", "is a rar archive", "unrar x FILE, then kb match FOLDER"),
    (b"070701", "is a cpio archive", "cpio -idm < FILE, then kb match FOLDER"),
    (b"070702", "is a cpio archive", "cpio -idm < FILE, then kb match FOLDER"),
    (b"070707", "is a cpio archive", "cpio -idm < FILE, then kb match FOLDER"),
    (b"!<arch>\n", "is an ar archive", "ar x FILE, then kb match FOLDER"),
    (b"MSCF\0\0\0\0", "is a cabinet archive", "cabextract FILE, then kb match FOLDER"),
    (b"\xed\xab\xee\xdb", "is an rpm package", "rpm2cpio FILE | cpio -idm"),
    (b"LPKSHHRH", "is a binary journal", "journalctl --file FILE -k -o short-monotonic | kb match"),
    (b"KDUMP   ", "is a kernel dump (kdump)", "makedumpfile --dump-dmesg FILE dmesg.txt, then kb match dmesg.txt"),
    (b"makedumpfile", "is a kernel dump (flattened)", "makedumpfile -R vmcore < FILE, then makedumpfile --dump-dmesg"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a file of Outlook or Office", "save the mail as text, or its attachment"),
    (b"ElfFile\0", "is a Windows event log", "export it as text"),
    (b"\x78\x9f\x3e\x22", "is an attachment of Outlook's (TNEF)", "tnef FILE, then kb match FOLDER"),
    (b"-----BEGIN PGP MESSAGE-----", "is encrypted (PGP)", "gpg -d FILE | kb match"),
    (b"age-encryption.org/", "is encrypted (age)", "age -d FILE | kb match"),
    (b"Salted__", "is encrypted (openssl)", "decrypt it first"),
    (b"\x7fELF", "is an ELF file", "of a vmcore: makedumpfile --dump-dmesg FILE dmesg.txt, then kb match dmesg.txt"),
)
"""First bytes of what kb cannot look into, what it is, and what would read it."""


_SEALED = re.compile(r"is (?:packed|encrypted) |is a (?:7z|rar) |is an rpm |is a cabinet ")
"""What holds no word of a log as it was printed: what reads like one in its bytes is a piece of one."""
_CMS = re.compile(rb"\x30[\x80-\x84].{0,4}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01(?:\x07\x03|\x09\x10\x01\x17)", re.S)
"""RFC 5652: a ContentInfo of envelopedData, or of authEnvelopedData (RFC 5083)."""


def closed(head: bytes, name: str) -> InputError | None:
    """Why an input cannot be looked into, and what would read it; None for what may be text."""
    if _CMS.match(head) is not None:
        help_ = "openssl cms -decrypt -inform DER -in FILE, with the key of who it was sent to"
        return InputError("is encrypted (S/MIME)", path=name, help=help_)
    for magic, reason, help_ in _CLOSED:
        if head.startswith(magic):
            return InputError(reason, path=name, help=help_)
    return None


def sealed(error: InputError) -> bool:
    """Whether what :func:`closed` names cannot be read as it is, either: it is packed or encrypted all through."""
    return _SEALED.match(error.reason) is not None
