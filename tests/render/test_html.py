"""The page: valid, complete in itself, silent in a browser; nothing of a log acts; every claim leads to its lines."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import api
from kb.cli import main
from kb.identity.group import Groups
from kb.log.kept import Kept
from kb.model.verdict import Diagnosis
from kb.pictures.choose import alone
from kb.render.html.card import card
from kb.render.html.document import page
from kb.render.html.svg import svg
from kb.render.safe import safe
from kb.words.speak import words
from tests.pictures.test_pictures import KASAN, STUCK
from tests.render.test_hostile import ACTS, HOSTILE, drives

ROOT = Path(__file__).resolve().parents[2]
LOGS = sorted(ROOT.glob("cases/*/*.log"))
MARKUP = (
    "<script>alert(1)</script>", "]]>", "<![CDATA[x", "\"'`", "' onload='x", '" onerror="x', "<!-- x", "--> <b>",
    "</style><p>", "</title>", "</code></div>", "</svg>", "&lt;b&gt;", "&#60;b&#62;", "{{ 7 * 7 }}", "{% raw %}",
    "javascript:alert(1)", "\ufdd0", "\U0001ffff", "\x00", "\x0c",
)  # fmt: skip
ALLOWED = set(
    "html head body meta title link style header h1 h2 p main article dl div dt dd code span a figure figcaption svg "
    "rect line path text details summary ul li br section footer".split()
)
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome", "chrome-headless-shell")


def made(log: Path | bytes, *, lang: str = "en", cases: Any = None) -> str:
    """The page of a log."""
    groups, kept = Groups(), Kept()
    with api.KnowledgeBase() as base:
        for report in api.read(log, notices=True, kept=kept):
            groups.add(api.diagnose(report, base.cases if cases is None else cases))
    return page(list(groups.take()), words(lang), "1.0", kept)


def parsed(text: str) -> Any:
    """The tree of a page; raises where a browser would have to guess."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def names(tree: Any) -> Iterator[str]:
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield element.tag.rpartition("}")[2]


def proved(text: str) -> Any:
    """The tree of a page that holds nothing which acts, and whose links all lead somewhere."""
    tree = parsed(text)
    assert set(names(tree)) <= ALLOWED
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not str(name).startswith("on")
            assert name != "style"
            if name == "href":
                assert value == "data:," or value[1:] in ids or value.startswith(("https://", "http://")), value
    return tree


def shown(tree: Any) -> dict[str, str]:
    """Lines of the log on a page, by their ids."""
    rows = tree.findall(".//div[@class='log']/div")
    return {row.get("id"): "".join(row.find("code").itertext()) for row in rows}


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
def test_the_page_of_a_log_is_valid_and_shows_all_its_lines(log: Path) -> None:
    tree = proved(made(log))
    lines = [line.decode("utf-8", "surrogateescape") for line in log.read_bytes().splitlines()]
    assert bool(shown(tree)) >= log.name.startswith("match-")
    if shown(tree):
        assert list(shown(tree).values()) == [safe(line) for line in lines]
        assert list(shown(tree)) == [f"L{number}" for number in range(1, len(lines) + 1)]


def test_pages_of_real_logs_are_valid(corpus: Path) -> None:
    for log in sorted([*corpus.glob("real/*.log"), *corpus.glob("vm/*.log")])[::5]:
        proved(made(log, cases=()))


def test_every_claim_leads_to_a_marked_line(example: Path) -> None:
    tree = parsed(made(example))
    marked = {row.get("id") for row in tree.findall(".//div[@class='log']/div[@class='marked']")}
    claims = tree.findall(".//dl[@class='claims']/div")
    linked = [[a.get("href")[1:] for a in claim.findall(".//span[@class='at']/a")] for claim in claims]
    assert sum(bool(links) for links in linked) > 20
    assert {link for links in linked for link in links} <= marked
    assert {"L1", "L33"} <= marked


def test_the_policy_allows_the_style_of_the_page_and_nothing_else(example: Path) -> None:
    tree = parsed(made(example))
    policy = tree.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
    digest = hashlib.sha256(tree.find(".//style").text.encode()).digest()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(digest).decode()}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "@import" not in tree.find(".//style").text
    assert "url(" not in tree.find(".//style").text


def test_the_page_is_light_and_dark_and_can_be_printed(example: Path) -> None:
    style = parsed(made(example)).find(".//style").text
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    assert set(re.findall(r"var\((--[\w-]+)\)", style)) <= set(re.findall(r"(--[\w-]+):", style))


def test_what_pictures_and_claims_are_made_of_has_a_colour(example: Path) -> None:
    """A class that no rule names would be drawn black, light and dark."""
    text = made(example) + made(KASAN.encode()) + made(STUCK.format(100, 3, 20).encode())
    style = (ROOT / "kb/render/html/style.css").read_text(encoding="utf-8")
    classes = set(re.findall(r'<(?:rect|path)[^>]* class="([\w-]+)"|class="(p-[\w-]+)"', text))
    assert sorted(name for pair in classes for name in pair if name and f".{name}" not in style) == []


@pytest.mark.parametrize("odd", [*MARKUP, *HOSTILE, *ACTS])
def test_no_word_of_a_log_is_markup(odd: str) -> None:
    word = odd.replace("\n", " ").encode("utf-8", "surrogatepass")
    log = STUCK.format(100, 3, 20).replace("[cc:3]", "[@@:3]").replace("Comm: cc", "Comm: @@").encode()
    log = log.replace(b"@@", word) + b"[  101.000000] host " + word + b" behind\n"
    text = made(log)
    tree = proved(text)
    assert drives(text) == []
    lines = [line.decode("utf-8", "surrogateescape") for line in log.split(b"\n")]
    if "\r" not in odd:  # which may end a line
        assert [safe(line) for line in lines if line] == list(shown(tree).values())


@given(st.text(st.characters(exclude_categories=()), max_size=40))
@settings(max_examples=60)
def test_no_value_of_a_diagnosis_is_markup(any_text: str) -> None:
    found = _example()
    match = dataclasses.replace(
        found.matches[0],
        case=dataclasses.replace(
            found.matches[0].case,
            title=any_text,
            summary=any_text,
            sources=tuple(dataclasses.replace(one, url=any_text) for one in found.matches[0].case.sources),
        ),
    )
    report = dataclasses.replace(found.report, title=any_text, comm=any_text, host=any_text, module=any_text)
    groups = Groups()
    groups.add(dataclasses.replace(found, report=report, matches=(match,)))
    text = page(list(groups.take()), words("en"), "1.0")
    proved(text)
    assert drives(text) == []


def _example() -> Diagnosis:
    with api.KnowledgeBase() as base:
        log = next((ROOT / "cases/nofs-high-order-watermark").glob("match-*.log"))
        return next(api.diagnose(report, base.cases) for report in api.read(log))


def test_a_link_of_a_case_is_one_of_the_web_or_none() -> None:
    found = _example()
    case = found.matches[0].case
    evil = dataclasses.replace(case, sources=(dataclasses.replace(case.sources[0], url="javascript:alert(1)"),))
    match = dataclasses.replace(found.matches[0], case=evil)
    groups = Groups()
    groups.add(dataclasses.replace(found, matches=(match,)))
    assert "javascript" not in page(list(groups.take()), words("en"), "1.0")


def test_of_a_long_log_the_reports_are_shown_with_some_lines_around() -> None:
    noise = "".join(f"[{number:5}.000000] usb 1-1: line\n" for number in range(3000))
    log = (noise + STUCK.format(3000, 3, 20) + noise + STUCK.format(9000, 4, 20)).encode()
    tree = proved(made(log))
    numbers = [int(name[1:]) for name in shown(tree)]
    assert numbers[0] == 3001 - 15
    assert set(range(3001 - 15, 3005 + 16)) <= set(numbers)
    assert len(numbers) < 60
    gaps = [int("".join(gap.itertext()).split()[0]) for gap in tree.findall(".//div[@class='log']/p")]
    assert sum(gaps) + len(numbers) == len(log.splitlines())


def test_lines_of_several_inputs_have_ids_of_their_own(tmp_path: Path) -> None:
    for name, cpu in (("one", 3), ("two", 4)):
        (tmp_path / name).write_text(KASAN.replace("cat", f"cat{cpu}").replace("foo_read", f"foo_read{cpu}"))
    out = tmp_path / "page.html"
    assert main(["match", "--html", "-o", str(out), str(tmp_path / "one"), str(tmp_path / "two")]) == 1
    tree = proved(out.read_text(encoding="utf-8"))
    assert {"L1", "f2-L1"} <= set(shown(tree))
    assert str(tmp_path) not in out.read_text(encoding="utf-8")


def test_a_packed_log_is_shown_unpacked() -> None:
    log = STUCK.format(100, 3, 20).encode()
    assert shown(parsed(made(gzip.compress(log)))) == shown(parsed(made(log)))


def test_a_log_that_is_kept_in_part_shows_its_reports() -> None:
    log = b"[    1.000000] a line\n" * 50 + STUCK.format(100, 3, 20).encode()
    groups, kept = Groups(), Kept(most=100)
    for report in api.read(log, kept=kept):
        groups.add(api.diagnose(report, ()))
    tree = proved(page(list(groups.take()), words("en"), "1.0", kept))
    assert {"L51", "L55"} <= set(shown(tree))


@pytest.mark.parametrize("args", [["match", "--html"], ["match", "--html", "--each", "--lang", "zh"]])
def test_the_exit_codes_are_those_of_match(
    args: list[str], example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([*args, str(example)]) == 0
    known = capsys.readouterr().out
    assert proved(known).get("lang") == args[-1].replace("--html", "en")
    (tmp_path / "unknown").write_text(KASAN)
    assert main([*args, str(tmp_path / "unknown")]) == 1
    proved(capsys.readouterr().out)
    (tmp_path / "quiet").write_text("[    1.000000] usb 1-1: new device\n")
    assert main([*args, str(tmp_path / "quiet")]) == 3
    proved(capsys.readouterr().out)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(example.read_bytes())))
    assert main(args) == 0
    assert len(shown(proved(capsys.readouterr().out))) == len(example.read_bytes().splitlines())


def test_the_page_never_overwrites_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text(STUCK.format(100, 3, 20))
    assert main(["match", "--html", "-o", str(log), str(log)]) == 2
    assert main(["match", "-o", str(tmp_path / "out"), str(log)]) == 2
    assert log.read_text() == STUCK.format(100, 3, 20)
    capsys.readouterr()


def test_equal_reports_are_one_entry() -> None:
    tree = proved(made((STUCK.format(100, 3, 20) + STUCK.format(130, 3, 50)).encode()))
    assert len(tree.findall(".//article")) == 1
    assert len(tree.findall(".//figure")) == 2  # a timeline and the stuck CPU


def test_a_drawing_alone_is_an_image() -> None:
    from xml.etree import ElementTree

    from kb.pictures.draw import Drawing, Label

    root = ElementTree.fromstring(svg(Drawing(10, 10, (Label(1, 1, "<b>\x00&"),)), '"x"'))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "".join(root.itertext()) == "<b>\\x00&"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_image_has_the_labels_of_the_answer_in_a_column_and_what_they_say_in_the_next(lang: str) -> None:
    from xml.etree import ElementTree

    (found,) = api.match(ROOT / "cases/nofs-high-order-watermark/match-seed.log")
    root = ElementTree.fromstring(card([alone(found)], words(lang)))
    told: dict[str, list[str]] = {"p-label": [], "p-mono": []}
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        told.get(text.get("class", ""), []).append(text.text or "")
    assert words(lang)("label.now") in told["p-label"]
    assert "echo 1 > /proc/sys/vm/compact_memory" in told["p-mono"]


@pytest.mark.extra
def test_a_browser_has_nothing_to_say_of_a_page(tmp_path: Path, example: Path) -> None:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    hostile = STUCK.format(100, 3, 20).replace("cc", "<script>").encode()
    for index, log in enumerate((example.read_bytes(), KASAN.encode(), hostile)):
        file = tmp_path / f"{index}.html"
        file.write_text(made(log), encoding="utf-8")
        args = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom", file.as_uri()]
        done = subprocess.run([browser, *args], capture_output=True, timeout=120, check=True)
        assert b"CONSOLE" not in done.stderr
        assert b"</html>" in done.stdout
