from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from kb.store import Store
from kb.tui.feed import Feed
from kb.tui.lists.item import Item
from kb.tui.widgets.triage_list import COUNT, times
from tests.tui.driving import WARNING, Flow, drive, log, seed


def test_a_log_shows_its_reports_with_verdict_and_place(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("2 reports   1 known", "L2", "L16", "nofs-high-order-watermark")
        lines = here.text().split("\n")
        rows = [line for line in lines if "L2" in line or "L16" in line]
        assert rows[0].split()[1:6] == ["•", "·", "WARNING", "in", "foo_bar"]
        assert rows[1].split()[1:5] == ["▲", "✓!", "page", "allocation"]
        assert rows[1].split()[-2] == "nofs-high-order-watermark"

    drive(flow, files=[log(tmp_path)], size=(120, 30))


def test_the_summary_follows_the_cursor(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("no case matches; c starts one")
        await here.keys("down")
        await here.shows("yes     nofs-high-order-watermark")
        await here.shows("affected: the report shows that 97a16fc82a7c")

    drive(flow, files=[log(tmp_path)])


def test_typing_filters_and_escape_brings_all_back(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("slash")
        await here.type("ALLOC")
        await here.shows("1 of 2 reports")
        await here.gone("foo_bar")
        await here.type("zzz")
        await here.shows("0 of 2 reports")
        await here.keys("escape")
        await here.shows("  2 reports", "foo_bar")

    drive(flow, files=[log(tmp_path)])


def test_a_word_with_kind_before_it_filters_by_kind(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("slash")
        await here.type("kind:warn")
        await here.keys("enter")
        await here.shows("1 of 2 reports")
        await here.keys("enter")
        await here.shows("1 Evidence")
        await here.shows("WARNING: CPU: 1 PID: 77")

    drive(flow, files=[log(tmp_path)])


def test_sorting_by_title_and_back_to_front(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        titles = lambda: [here.app.triage.catalog.at(i).title[:4] for i in range(2)]  # noqa: E731
        assert titles() == ["WARN", "page"]
        await here.keys("s", "s")
        await here.shows("by title ↑")
        assert titles() == ["WARN", "page"]
        await here.keys("r")
        assert titles() == ["page", "WARN"]

    drive(flow, files=[log(tmp_path)])


def test_marked_rows_are_copied_together(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("space", "space")
        await here.until(lambda: here.text().count("* ") == 2, "both are marked")
        await here.keys("y")
        assert [line.split("  ")[1][:7] for line in here.app.clipboard.split("\n")] == ["WARNING", "page al"]

    drive(flow, files=[log(tmp_path)])


def test_marked_rows_are_declared_one_problem(tmp_path: Path) -> None:
    from kb.store.duplicates import Duplicates

    async def flow(here: Flow) -> None:
        await here.keys("d")
        await here.shows("mark at least two")
        await here.keys("space", "space", "d")
        await here.shows("2 signatures are one problem")

    drive(flow, files=[log(tmp_path)], db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        assert Duplicates(store).same_as("kb1:35cb166c9cbb7e74") == ["kb1:d14720ab9c46fa39"]


def test_a_log_without_reports_says_so(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("no kernel report in 1 line")
        await here.keys("enter", "down", "y", "a", "c", "end")  # nothing to act on, nothing breaks

    drive(flow, stdin=b"[    1.000000] eth0: link up\n")


def test_a_log_without_reports_is_shown_and_searched(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("no kernel report in 300 lines", "eth0: link up 1")
        await here.keys("slash")
        await here.type("up 250")
        await here.shows("link up 250")
        await here.keys("enter", "y")
        assert here.app.clipboard.endswith("link up 250")

    drive(flow, stdin=b"".join(b"[ %5d.000000] eth0: link up %d\n" % (at, at) for at in range(300)))


def test_an_empty_log_says_that_it_is() -> None:
    async def flow(here: Flow) -> None:
        await here.shows("there is no line in it")

    drive(flow, stdin=b"")


def test_of_a_log_without_reports_the_messages_that_a_case_knows_are_rows() -> None:
    text = b"[    3.000000] foo: module verification failed: signature and/or required key missing - tainting kernel\n"

    async def flow(here: Flow) -> None:
        await here.shows("1 notice   1 known", "module-signature-unverified")
        await here.keys("enter")
        await here.shows("subtype == module-unverified")
        await here.keys("2")
        await here.shows("Decoded: notice")

    drive(flow, stdin=text, size=(120, 40))


def test_a_missing_file_is_told_on_the_screen(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("no such file")

    drive(flow, files=[str(tmp_path / "absent.log")])


def test_standard_input_is_a_log_like_any_other() -> None:
    async def flow(here: Flow) -> None:
        await here.shows("1 report   1 known   by time ↑   standard input")

    drive(flow, stdin=seed())


def test_a_log_that_is_still_written_is_shown_and_grows(tmp_path: Path) -> None:
    reading, writing = os.pipe()

    async def flow(here: Flow) -> None:
        os.write(writing, WARNING)
        await here.shows("1 report ")
        await here.shows("following")
        await here.keys("space")
        await here.shows("marked: a one note")
        os.write(writing, seed())
        await here.shows("2 reports")
        await here.shows("marked: a one note")  # each look for more bytes leaves it there
        os.close(writing)
        await here.gone("following")
        await here.shows("2 reports   1 known")

    drive(flow, feed=Feed(reading))


def filled(path: Path, count: int) -> Path:
    with Store(path) as store:
        for number in range(count):
            kind = "oops" if number % 3 else "warning"
            store.record(
                f"kb1:{number:016x}",
                title=f"WARNING in func_{number:04}",
                kind=kind,
                kernel="6.1.0",
                seen=f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z",
            )
    return path


def test_the_store_shows_the_latest_first_and_its_last_page(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("func_0249", "250 signatures")
        await here.keys("end")
        await here.shows("func_0000")
        assert here.app.triage.list.item is not None
        assert here.app.triage.list.item.title == "WARNING in func_0000"
        await here.keys("home")
        await here.shows("func_0249")

    drive(flow, db=filled(tmp_path / "kb.db", 250))


def test_the_store_is_filtered_by_words_and_kind(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("func_0029")
        await here.keys("slash")
        await here.type("kind:warning func_002")
        await here.shows("3 of 30 signatures", "func_0021")  # 21, 24, 27: every third is a warning

    drive(flow, db=filled(tmp_path / "kb.db", 30))


def test_an_empty_store_is_not_made_by_looking(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("nothing yet: kb match --record fills it")

    drive(flow, db=tmp_path / "kb.db")
    assert not (tmp_path / "kb.db").exists()


def test_a_recorded_report_is_diagnosed_again_from_its_log(tmp_path: Path) -> None:
    from kb.api import KnowledgeBase

    with KnowledgeBase(tmp_path / "kb.db") as base:
        for report in base.read(seed()):
            base.record(report, source="ticket:1", host="db17")

    async def flow(here: Flow) -> None:
        await here.shows("yes     nofs-high-order-watermark")
        await here.keys("enter")
        await here.shows("Samples of its logs: 1", "db17")
        await here.keys("enter")
        await here.shows("kworker/31:0: page allocation failure: order:5")

    drive(flow, db=tmp_path / "kb.db")


def test_what_is_no_store_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "kb.db").write_bytes(b"this is no database, but long enough to be taken for one" * 20)

    async def flow(here: Flow) -> None:
        await here.shows("not a database")

    drive(flow, db=tmp_path / "kb.db")


def test_rows_of_the_store_are_judged_while_the_cursor_rests(tmp_path: Path) -> None:
    from kb.api import KnowledgeBase

    with KnowledgeBase(tmp_path / "kb.db") as base:
        for report in base.read(WARNING + seed()):
            base.record(report)

    async def flow(here: Flow) -> None:
        await here.until(lambda: {item.verdict for item in both(here)} == {"yes", "none"}, "both are judged")

    def both(here: Flow) -> list[Item]:
        return [item for item in map(here.app.triage.catalog.at, range(2)) if item is not None]

    drive(flow, db=tmp_path / "kb.db")


def test_the_footer_shows_what_the_keys_do_now() -> None:
    async def flow(here: Flow) -> None:
        foot = lambda: here.text().rstrip().split("\n")[-1]  # noqa: E731
        await here.until(lambda: "/ Filter" in foot() and "Back" not in foot(), "nothing to go back from")
        await here.keys("slash")
        await here.type("ki")
        await here.until(lambda: "tab Complete" in foot() and "esc Back" in foot(), "keys of the filter")
        assert "/ Filter" not in foot()
        await here.keys("tab", "escape")
        await here.until(lambda: "/ Filter" in foot() and "Back" not in foot(), "as before")

    drive(flow, stdin=seed())


def test_a_count_that_is_too_long_is_rounded_and_never_cut() -> None:
    counts = (1, 7, 12_345, 99_999, 123_456, 9_999_999, 12_000_000, 4_000_000_000)
    said = ["1", "×7", "×12,345", "×99,999", "×123k", "×9,999k", "×12M", "×4,000M"]
    assert [times(count) for count in counts] == said
    assert max(map(len, said)) <= COUNT


def test_the_footer_offers_to_drop_what_there_is_to_drop_and_only_then(tmp_path: Path) -> None:
    """Neither a mark nor a filter that goes moves the focus."""

    async def flow(here: Flow) -> None:
        foot = lambda: here.text().rstrip().split("\n")[-1]  # noqa: E731
        await here.until(lambda: "Filter" in foot() and "Back" not in foot(), "nothing to go back from")
        await here.keys("space")
        await here.until(lambda: "esc Back" in foot() and "1 marked" in here.text(), "a mark to drop")
        await here.shows("d one problem", "e export")
        await here.keys("up", "space")
        await here.until(lambda: "Back" not in foot() and "marked" not in here.text(), "no mark")
        await here.keys("slash")
        await here.type("warn")
        await here.keys("enter")
        await here.until(lambda: "esc Back" in foot() and "1 of 2 reports" in here.text(), "a filter to drop")
        await here.keys("escape")
        await here.until(lambda: "Back" not in foot() and "2 reports" in here.text(), "no filter")

    drive(flow, files=[log(tmp_path)])


def test_each_of_several_logs_can_be_read_whole_whether_a_report_is_in_it_or_not(tmp_path: Path) -> None:
    quiet, empty = tmp_path / "quiet.log", tmp_path / "calm.log"
    quiet.write_bytes(b"[    1.000000] usb 1-1: new device\n[    2.000000] the second line\n")
    empty.write_bytes(b"[    1.000000] nothing to be seen\n")

    async def flow(here: Flow) -> None:
        await here.shows("2 reports")
        await here.keys("L")
        await here.shows("Logs: 3, 2 without a report", "quiet.log", "calm.log")
        await here.keys("down", "enter")
        await here.shows("Log: ", "the second line")
        await here.keys("L", "down", "down", "enter")
        await here.shows("nothing to be seen")
        await here.keys("escape")
        await here.gone("nothing to be seen")
        await here.shows("WARNING in foo_bar")

    drive(flow, files=[log(tmp_path), str(quiet), str(empty)])


def test_while_a_log_is_shown_whole_nothing_tells_of_a_row_nor_acts_on_one(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.log"
    quiet.write_bytes(b"[    1.000000] usb 1-1: new device\n")

    async def flow(here: Flow) -> None:
        def foot() -> str:
            return here.text().splitlines()[-1]

        await here.until(lambda: "Sort" in foot() and "New case" in foot(), "keys of rows")
        await here.shows("blamed ")
        await here.keys("L", "down", "enter")
        await here.shows("1 line, no kernel report", "quiet.log")
        await here.gone("blamed ")
        await here.until(lambda: not any(word in foot() for word in ("Sort", "Note", "New case")), "no keys of rows")
        await here.until(lambda: "Back" in foot(), "the way back")
        await here.keys("W")
        await here.shows("choose a report first")
        await here.keys("c", "a", "escape")
        await here.until(lambda: "Sort" in foot() and "blamed " in here.text(), "the row again")

    drive(flow, files=[log(tmp_path), str(quiet)])


def test_what_an_archive_holds_beside_its_logs_is_a_row_until_it_is_asked_for(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "sos.tar", "w") as packed:
        for name in ("etc/conf0", "etc/conf1", "sos_commands/kernel/dmesg", "var/log/messages"):
            data = Path(log(tmp_path)).read_bytes() if name.endswith("dmesg") else b"[    1.000000] " + name.encode()
            member = tarfile.TarInfo(f"sos/{name}")
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))

    async def flow(here: Flow) -> None:
        await here.shows("2 reports")
        await here.keys("L")
        await here.shows("Logs: 2, 1 without a report; 2 other files", "dmesg", "messages", "2 files of the archive")
        assert "conf0" not in here.text()
        await here.keys("end", "enter")
        await here.shows("conf0", "conf1")
        await here.keys("end", "enter")
        await here.shows("[    1.000000] etc/conf1")

    drive(flow, files=[str(tmp_path / "sos.tar")])


def test_of_an_archive_without_a_report_a_log_is_shown_rather_than_what_else_it_holds(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "sos.tar", "w") as packed:
        for name in ("etc/conf0", "var/log/messages"):
            member = tarfile.TarInfo(f"sos/{name}")
            member.size = len(name)
            packed.addfile(member, io.BytesIO(name.encode()))

    async def flow(here: Flow) -> None:
        await here.shows("sos.tar!sos/var/log/messages", "1   var/log/messages")

    drive(flow, files=[str(tmp_path / "sos.tar")])


def test_where_none_of_several_logs_has_a_report_the_others_are_a_key_away(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.log").write_bytes(b"[    1.000000] this is " + name.encode() + b"\n")

    async def flow(here: Flow) -> None:
        await here.shows("this is one", "L: the other logs")
        await here.keys("L", "down", "enter")
        await here.shows("this is two")

    drive(flow, files=[str(tmp_path / "one.log"), str(tmp_path / "two.log")])


def test_a_log_without_a_report_is_read_once(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    text = b"[    3.000000] foo: module verification failed: signature and/or required key missing - tainting kernel\n"
    os.write(writing, text)
    os.close(writing)

    async def flow(here: Flow) -> None:
        await here.shows("1 notice   1 known")

    drive(flow, files=[f"/dev/fd/{reading}"])  # what was read of a pipe is gone
    os.close(reading)
