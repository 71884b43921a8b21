"""Who may do what: tokens out of a file, of which only hashes are kept."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kb.errors import UsageError

ROLES = ("read", "record", "annotate", "admin")
"""Each may do what those before it may."""
_FORM = 'a line a token: NAME ROLE SHA256, where SHA256 is what printf %s "$TOKEN" | sha256sum prints'


@dataclass(frozen=True, slots=True)
class Token:
    """A token, as far as it is kept."""

    name: str
    role: str
    digest: bytes


def load(path: Path) -> tuple[Token, ...]:
    """The tokens of a file.

    Raises:
        UsageError: It cannot be read, or a line of it is no token.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise UsageError(f"the tokens cannot be read: {reason}", path=str(path), help=_FORM) from None
    found = tuple(_parsed(text.splitlines(), str(path)))
    if not found:
        raise UsageError("no token in it", path=str(path), help=_FORM)
    return found


def _parsed(lines: Iterable[str], path: str) -> Iterable[Token]:
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            name, role, digest = words
            token = Token(name, role, bytes.fromhex(digest))
        except ValueError:
            token = None
        if token is None or role not in ROLES or len(token.digest) != hashlib.sha256().digest_size:
            error = UsageError("is no token", path=path, help=_FORM)
            error.line = number
            raise error
        yield token


def who(tokens: Iterable[Token], secret: str) -> Token | None:
    """Whose secret it is; all tokens are compared, whichever it is, each in constant time."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return found


def allows(role: str, needed: str) -> bool:
    """Whether a role may do what another may."""
    return ROLES.index(role) >= ROLES.index(needed)
