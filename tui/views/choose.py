"""Which view a report is seen by: what it bears decides, then its kind."""

from kb.model.verdict import Diagnosis
from kb.pictures.tables.code import listing
from kb.pictures.tables.cycle import cycle
from kb.tui.desk import STALLS
from kb.tui.views.view import Scene, View

_OBJECTS = ("kasan", "kfence", "kmsan", "kcsan", "slab_corruption", "memory_leak")
_FAULTS = ("oops", "double_fault", "kernel_bug", "stack_guard", "cet", "cfi", "serror", "stack_overflow")
_FIELDS = ("mce", "hardware_error", "io_error", "block_timeout", "fs_error", "iommu_fault", "gpu_hang", "irq",
           "netdev_watchdog", "notice", "bad_page", "busy_inodes", "file_count")  # fmt: skip


def view_of(scene: Scene) -> View:
    """The view of a report."""
    return _class(scene.found)(scene)


def _class(found: Diagnosis) -> type[View]:
    # imported when a report of the kind is opened: a list that is only looked through pays for none
    kind = found.report.kind
    if kind == "oom_kill":
        from kb.tui.views.oom import OomView

        return OomView
    if any(zone.get("replay") or zone.get("buddy") for zone in found.facts.detail.get("zones") or ()):
        from kb.tui.views.allocation import AllocationView

        return AllocationView
    if kind == "hung_task":
        from kb.tui.views.hung import HungView

        return HungView
    if kind in STALLS:
        from kb.tui.views.stall import StallView

        return StallView
    if kind == "lockdep" and cycle(found) is not None:
        from kb.tui.views.locks import LockView

        return LockView
    if kind in _OBJECTS:
        from kb.tui.views.objects import ObjectView

        return ObjectView
    if kind in _FAULTS and (found.report.registers is not None or listing(found) is not None):
        from kb.tui.views.fault import FaultView

        return FaultView
    from kb.tui.views.plain import FieldsView, TraceView

    return FieldsView if kind in _FIELDS else TraceView
