"""What a crash left behind, handed in to a service: vmcore-dmesg of kdump, and what pstore kept. Standard library only:
it runs on the machine that crashed.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import re
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from kb.errors import InputError, UsageError
from kb.log.files import open_regular, passed_over

_LOG = re.compile(r"dmesg|console-ramoops|kmsg-ramoops|ftrace-ramoops", re.I)
"""Files of /var/crash (kdump-tools, kexec-tools, makedumpfile) and of pstore that are kernel logs; a vmcore is not."""
_LARGEST = 64 << 20
"""Bytes of a log that is handed in."""
_TOO_LONG = f"longer than {_LARGEST} bytes"
_PATIENCE = 60.0
"""Seconds that the service may take to answer."""
_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Crash:
    """The logs that one crash left: a file, or an archive of several, which tell of the same event."""

    name: str
    data: bytes

    @property
    def digest(self) -> str:
        """What says that it is the same again."""
        return hashlib.sha256(self.data).hexdigest()


def crashes(paths: Iterable[str], told: Callable[[str], None]) -> Iterator[Crash]:
    """What lies in files and folders; a folder below one that is named is one crash.

    Args:
        paths: Files, and folders such as ``/var/crash`` and ``/var/lib/systemd/pstore``.
        told: Takes what was passed over.

    Raises:
        InputError: A path is not there.
    """
    for path in paths:
        if not os.path.isdir(path):
            data = _read(path)
            if len(data) > _LARGEST:
                told(f"{path}: not handed in: {_TOO_LONG}")
            else:
                yield Crash(os.path.basename(path), data)
            continue
        entries = sorted(os.scandir(path), key=lambda each: each.name)
        yield from _packed(path, [each.path for each in entries if not each.is_dir(follow_symlinks=False)], told)
        for each in entries:
            if each.is_dir(follow_symlinks=False):
                below = [os.path.join(at, name) for at, _, names in os.walk(each.path) for name in names]
                yield from _packed(each.path, sorted(below), told)


def _packed(folder: str, files: list[str], told: Callable[[str], None]) -> Iterator[Crash]:
    logs: list[tuple[str, bytes]] = []
    for path in files:
        if _LOG.search(os.path.basename(path)) is None:
            continue
        reason = passed_over(path, folder)
        if reason is None and os.path.getsize(path) > _LARGEST:
            reason = _TOO_LONG
        if reason is not None:
            told(f"{path}: not handed in: {reason}")
            continue
        logs.append((os.path.relpath(path, folder), _read(path)))
    if len(logs) == 1:
        yield Crash(os.path.basename(folder), logs[0][1])
    elif logs:
        held = io.BytesIO()
        with tarfile.open(fileobj=held, mode="w") as archive:
            for name, data in logs:
                entry = tarfile.TarInfo(name)  # no times, no owners: the same files are the same bytes
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        yield Crash(os.path.basename(folder), held.getvalue())


def _read(path: str) -> bytes:
    with open_regular(path) as file:
        return file.read(_LARGEST + 1)


class Service:
    """Where crashes are handed in.

    Args:
        url: Of the service.
        token: Which may record; None where it asks for none.
        wait: Seconds for which a service that cannot be reached is tried again: after a crash, networks are late.

    Raises:
        UsageError: It is no URL.
    """

    def __init__(self, url: str, token: str | None = None, wait: float = 60.0):
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise UsageError(f"{url!r} is no URL of a service", help="http://HOST:PORT, where kb serve listens")
        self._url = url.rstrip("/")
        self._token = token
        self._wait = wait

    def record(self, crash: Crash, *, host: str, source: str) -> list[dict[str, Any]]:
        """Hand in; what each report became (``/v1/record``). Handed in again, nothing is counted.

        Raises:
            InputError: The service does not take it, or cannot be reached.
        """
        query = urlencode({"host": host, "source": source, "key": f"crash:{crash.digest}", "name": crash.name})
        headers = {"Content-Type": "application/octet-stream", "User-Agent": "kb"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(f"{self._url}/v1/record?{query}", crash.data, headers, method="POST")
        until, pause = time.monotonic() + self._wait, 1.0
        while True:
            reason, final = "", False
            try:
                with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                    return list(json.load(answer)["recorded"])
            except urllib.error.HTTPError as error:
                reason, final = _problem(error), error.code not in _AGAIN
            except (OSError, http.client.HTTPException) as error:
                reason = f"cannot be reached: {getattr(error, 'reason', error)}"
            except (ValueError, KeyError, TypeError):
                reason, final = "answers as no service of kb does", True
            if final or time.monotonic() + pause > until:
                raise InputError(f"{self._url} {reason}", path=crash.name, help="--to is where kb serve listens")
            time.sleep(pause)
            pause = min(2 * pause, 30.0)


def _problem(error: urllib.error.HTTPError) -> str:
    try:
        detail = str(json.loads(error.read(1 << 16))["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        detail = str(error.reason)
    return f"answers {error.code}: {detail[:300]}"


class Done:
    """What was handed in before, by its digest: a line each in a file.

    Args:
        path: The file, which need not be there yet; None: nothing is remembered.
    """

    def __init__(self, path: str | None):
        self._path = path
        self._known: set[str] = set()
        if path is not None and os.path.exists(path):
            with open(path, encoding="ascii", errors="replace") as file:
                self._known = set(file.read().split())

    def __contains__(self, crash: Crash) -> bool:
        return crash.digest in self._known

    def add(self, crash: Crash) -> None:
        """Remember."""
        self._known.add(crash.digest)
        if self._path is not None:
            with open(self._path, "a", encoding="ascii") as file:
                file.write(f"{crash.digest}\n")
