"""Which pictures a diagnosis has, and which a whole log."""

from collections.abc import Iterable, Sequence

from kb.identity.group import Group, Groups
from kb.model.verdict import Diagnosis
from kb.pictures.draw import Picture


def pictures(found: Diagnosis) -> list[Picture]:
    """The pictures of one report: of its memory.

    Args:
        found: The diagnosis.
    """
    made: list[Picture | None] = []
    if found.facts.detail.get("zones"):
        from kb.pictures.blocks import blocks
        from kb.pictures.walk import walk

        made += [walk(found), blocks(found)]
    if found.report.kind == "oom_kill":
        from kb.pictures.holders import holders, tasks

        made = [holders(found), tasks(found), *made]
    elif found.report.kind == "kasan":
        from kb.pictures.shadow import shadow

        made.append(shadow(found))
    return [picture for picture in made if picture is not None]


def overview(groups: Sequence[Group]) -> list[Picture]:
    """The pictures of several reports together: stuck CPUs, waiting tasks.

    Args:
        groups: Of a log, or the one of a single report.
    """
    made: list[Picture | None] = []
    if any(each.stuck for group in groups for each in group.seen):
        from kb.pictures.lockup import lockups

        made.append(lockups(groups))
    if any(group.first.report.kind == "hung_task" for group in groups):
        from kb.pictures.waits import waits

        made.append(waits(group.first for group in groups))
    return [picture for picture in made if picture is not None]


def alone(found: Diagnosis) -> Group:
    """The group of a diagnosis that stands for itself."""
    return Groups().add(found)


def together(found: Iterable[Diagnosis]) -> list[Group]:
    """The groups of several diagnoses of one log, in their order."""
    groups = Groups()
    made = [groups.add(each) for each in found]
    return list({id(group): group for group in made}.values())
