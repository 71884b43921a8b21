"""``kb rekey``: the keys of a store as this version of kb makes them, out of the evidence that was kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from kb.identity.signature import signature
from kb.model.report import Report, Signature
from kb.store import Store
from kb.store.imports import Imports, Known
from kb.store.rekey import Renewed
from kb.store.rekey import rekey as rename

Sign = Callable[[Report], Signature]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done."""

    renamed: int
    untold: int
    """Signatures without evidence: they keep their ids."""
    cases: int
    """Imported cases that were keyed again."""


def rekey(store: Store, sign: Sign = signature) -> Upgraded:
    """Give every signature of a store its present id; the former ones keep resolving.

    Args:
        store: The store.
        sign: What makes signatures.
    """

    def renew(old: str, kind: str, logs: Iterable[bytes]) -> Renewed | None:
        return _renewed(old, kind, logs, sign)

    renamed, untold = rename(store, renew)
    return Upgraded(renamed, untold, _cases(store))


def _renewed(old: str, kind: str, logs: Iterable[bytes], sign: Sign) -> Renewed | None:
    """The new name by the first log that still tells it; a log that holds several reports tells by the kind."""
    from kb.api import read

    for log in logs:
        reports = list(read(log, notices=kind == "notice"))
        marks = [(report, sign(report)) for report in reports]
        if any(mark.id == old for _, mark in marks):
            report, mark = next((report, mark) for report, mark in marks if mark.id == old)
        elif marks:
            report, mark = next(((report, mark) for report, mark in marks if report.kind == kind), marks[0])
        else:
            continue
        return Renewed(mark.id, mark.key, mark.title, report.kind, mark.alt, mark.former)
    return None


def _cases(store: Store) -> int:
    """Key imported cases again, out of the splats in their prose; ids that they had keep linking."""
    from kb.imports import build
    from kb.imports.prose import splats

    imports, changed = Imports(store), 0
    for case in list(imports):
        reports = build.useful(splats(case.prose, case.id))
        keys = build.links(reports)
        if set(keys) <= set(case.signatures):
            continue
        renewed = replace(case, signatures=tuple(dict.fromkeys((*keys, *case.signatures))))
        imports.replace(Known(renewed, build.stacks(case.id, reports)))
        changed += 1
    return changed
