"""Which form an answer is wanted in (RFC 9110, 12.5.1)."""

from collections.abc import Sequence

from kb.serve.problem import Refused


def chosen(accept: str, offered: Sequence[str]) -> str:
    """The media type to answer in: the best of what is offered, the first of it where all are equal.

    Raises:
        Refused: 406: none of them will do.
    """
    if not accept.strip():
        return offered[0]
    wanted = [_range(part) for part in accept.split(",")[:64]]
    best, found = 0.0, None
    for media in offered:
        quality = max(((len(kind.replace("*", "")), q) for kind, q in wanted if _fits(media, kind)), default=(0, 0.0))[
            1
        ]
        if quality > best:
            best, found = quality, media
    if found is None:
        raise Refused(406, "no form that the Accept asks for", help=f"one of {', '.join(offered)}")
    return found


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (word.strip() for word in part.split(";"))
    quality = 1.0
    for each in parameters:
        if each.lower().startswith("q="):
            try:
                quality = min(max(float(each[2:]), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return kind.lower(), quality


def _fits(media: str, kind: str) -> bool:
    return kind in ("*/*", media) or (kind.endswith("/*") and media.startswith(kind[:-1]))
