"""The errors kb raises. A malformed *log* raises none of them: it becomes a report that is ``corrupted``.

KbError
├── UsageError            the call or the command line is wrong                          (exit 2)
├── InputError            an input file that cannot be read: absent, unreadable, bad gzip (exit 4)
│   └── NoLog             one that is no log, and in which nothing is lost: a picture, a store
├── CaseError             a case that cannot be used                                      (exit 4)
│   ├── CaseInvalid       its text breaks a rule of the format
│   ├── CaseDuplicate     two cases of one library bear the same id
│   └── CaseChanged       the file changed since it was shown
└── StoreError            a store that cannot be used                                     (exit 4)
    ├── StoreLocked       another process held the write lock for too long
    ├── StoreTooNew       written by a newer kb
    └── StoreCorrupt      not a database, or damaged
"""


class KbError(Exception):
    """Base of all errors of kb: ``reason``, and where known ``path``, ``line`` (1-based) and ``help``."""

    def __init__(self, reason: str, *, path: str | None = None, line: int | None = None, help: str | None = None):
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.line = line
        self.help = help

    def __str__(self) -> str:
        text = self.reason
        if self.path is not None:
            path = self.path if self.path.isprintable() else ascii(self.path)  # a name may hold a line end
            text += f"\n  --> {path}" + (f":{self.line}" if self.line is not None else "")
        if self.help is not None:
            text += f"\n  help: {self.help}"
        return text


class UsageError(KbError):
    """The call or the command line is wrong."""


class InputError(KbError):
    """An input file that cannot be read at all."""


class NoLog(InputError):
    """An input file that is no log: where nobody named it, it is passed over."""


class CaseError(KbError):
    """A case that cannot be used."""


class CaseInvalid(CaseError):
    """A case whose text breaks a rule of the format."""


class CaseDuplicate(CaseError):
    """Two cases of one library bear the same id."""


class CaseChanged(CaseError):
    """A case file changed since it was shown."""


class StoreError(KbError):
    """A store that cannot be used."""


class StoreLocked(StoreError):
    """Another process held the store's write lock for longer than kb waits."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of kb."""


class StoreCorrupt(StoreError):
    """The store's file is no database, or is damaged."""
