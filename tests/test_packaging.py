"""What a user installs: one name in site-packages, data and terminal program inside it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent
BOT = ROOT / "examples/ticket_bot.py"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built without network."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed (it is in the dev group)")
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That wheel as it lies in a site-packages; a wheel's purelib is its content as it is."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_only_kb_and_its_metadata_land_in_site_packages(site: Path) -> None:
    names = sorted(path.name for path in site.iterdir() if path.suffix != ".data")  # goes to share/
    assert len(names) == 2
    assert names[0] == "kb"
    assert names[1].startswith("kernel_kb-")
    assert names[1].endswith(".dist-info")


def test_completions_and_the_man_page_land_where_shells_and_man_look(site: Path) -> None:
    (data,) = (path for path in site.iterdir() if path.suffix == ".data")
    assert sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()) == [
        "data/share/bash-completion/completions/kb",
        "data/share/fish/vendor_completions.d/kb.fish",
        "data/share/kb/datasette/datasette.json",
        "data/share/kb/datasette/metadata.json",
        "data/share/man/man1/kb.1",
        "data/share/zsh/site-functions/_kb",
    ]


_OTHERS = re.compile(r"pip3? install (?:-\S+ )*['\"]?kb\b|(?<![\w-])kb\[[a-z]")


def test_nothing_tells_to_install_another_project() -> None:
    """PyPI's ``kb`` is not this one."""
    kinds = {".py", ".md", ".toml", ".txt", ".1", ".html", ".yml", ".yaml", ".service"}
    folders = ("kb", "tui", "docs", "contrib", "examples", "bench")
    files = [path for name in folders for path in (ROOT / name).rglob("*") if path.suffix in kinds]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in [*files, *ROOT.glob("*.md"), ROOT / "run", ROOT / "pyproject.toml"]
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if _OTHERS.search(line)
    ]
    assert found == []


def test_grammars_and_cases_lie_inside_kb(site: Path) -> None:
    for folder, pattern in (("grammars", "*.lark"), ("cases", "*/*")):
        here = {path.relative_to(ROOT) for path in (ROOT / folder).glob(pattern) if path.is_file()}
        installed = (path for path in (site / "kb" / folder).glob(pattern) if path.suffix != ".py" and path.is_file())
        there = {path.relative_to(site / "kb") for path in installed}
        assert here
        assert there == here


def test_no_tests_or_tools_are_shipped(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert [name for name in names if {"tests", "bench", "docs"} & {*name.split("/")[:-1]}] == []
    assert any(name == "kb/py.typed" for name in names)
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)


def test_the_installed_wheel_matches_the_example(site: Path, example: Path, tmp_path: Path) -> None:
    """Run away from the checkout, so that nothing of it can be picked up."""
    env = {**os.environ, "PYTHONPATH": str(site)}
    code = (
        "import sys, kb, kb.cli; assert kb.__file__.startswith(sys.argv.pop(1)), kb.__file__; sys.exit(kb.cli.main())"
    )
    command = [sys.executable, "-c", code, str(site), "match", "--json", str(example)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == "kb.report/1"
    assert [match["case"] for match in report["matches"] if match["verdict"] == "yes"] == ["nofs-high-order-watermark"]


@pytest.fixture(scope="module")
def checked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """What ``mypy --strict`` says of a program, where that wheel is installed and nothing of the checkout is seen."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed (it is in the dev group)")
    home = tmp_path_factory.mktemp("user")
    venv.create(home / "env", with_pip=False, symlinks=os.name != "nt")
    place = sysconfig.get_path("purelib", "venv", {"base": str(home / "env")})
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    python = Path(sysconfig.get_path("scripts", "venv", {"base": str(home / "env")})) / Path(sys.executable).name

    def check(program: str) -> list[str]:
        (home / "program.py").write_text(program, encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--python-executable", str(python)]
        done = subprocess.run([*command, "program.py"], cwd=home, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout.splitlines()

    return check


def test_a_bot_that_uses_the_api_passes_a_strict_type_checker(checked: Callable[[str], list[str]]) -> None:
    assert checked(BOT.read_text(encoding="utf-8")) == []


def test_a_type_checker_tells_a_bot_what_it_does_wrong(checked: Callable[[str], list[str]]) -> None:
    found = checked(
        "import kb\n"
        "base = kb.KnowledgeBase(1.5)\n"
        "for report in kb.read(b''):\n"
        "    base.diagnose(report).to_markdown(colour=True)\n"
        "number: int = kb.match(b'')[0].to_text()\n"
        "kb.KnowlegeBase\n"
    )
    errors = [(line.split(":")[1], line.rpartition("  ")[2]) for line in found if ": error: " in line]
    assert errors == [("2", "[arg-type]"), ("4", "[call-arg]"), ("5", "[assignment]"), ("6", "[attr-defined]")]


def test_the_bot_says_what_is_known_and_counts_each_ticket_once(site: Path, example: Path, tmp_path: Path) -> None:
    for ticket, times in (("ticket:4711", 1), ("ticket:4711", 1), ("ticket:4712", 2)):
        command = [sys.executable, str(BOT), str(tmp_path / "kb.db"), ticket, str(example)]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "`nofs-high-order-watermark`" in done.stdout
        assert f"\nseen {times}: " in done.stdout


def test_the_version_is_said_once(wheel: Path) -> None:
    import kb

    assert wheel.name.split("-")[1] == kb.__version__


def test_the_page_of_a_release_leads_into_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPI shows README.md far from the files that it names."""
    pytest.importorskip("hatchling")
    monkeypatch.syspath_prepend(str(ROOT))
    import hatch_build

    def links(**variables: str) -> list[str]:
        for name in ("GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_REF_NAME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        metadata: dict[str, Any] = {}
        hatch_build.Readme(str(ROOT), {}).update(metadata)
        assert metadata["readme"]["content-type"] == "text/markdown"
        return re.findall(r"\]\(([^)]+)\)", metadata["readme"]["text"])

    there = links(GITHUB_REPOSITORY="ada/kb", GITHUB_SERVER_URL="https://example.org", GITHUB_REF_NAME="v1.2.3")
    places = [re.fullmatch(r"https://example\.org/ada/kb/(raw|blob)/v1\.2\.3/(.+)", link) for link in there]
    assert [place and place[2] for place in places] == links()
    assert all(place and (ROOT / place[2]).exists() for place in places)
    assert all(place and (place[1] == "raw") == place[2].endswith(".svg") for place in places)


def test_one_file_runs_where_there_is_only_an_interpreter(wheel: Path, example: Path, tmp_path: Path) -> None:
    """A rescue system: no site-packages, so no google-re2 and nothing else that is compiled; no network, no pip."""
    pytest.importorskip("packaging")
    pyz = tmp_path / "kb.pyz"
    build = [sys.executable, str(ROOT / "contrib/pyz.py"), str(wheel), str(pyz)]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(pyz) as archive:
        assert [name for name in archive.namelist() if name.endswith((".so", ".pyd")) or name.startswith("re2")] == []

    def run(home: Path, *words: str, python: tuple[str, ...] = ("-I", "-S", str(pyz))) -> dict[str, object]:
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [sys.executable, *python, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    home = tmp_path / "home"
    home.mkdir()
    code = "import sys; from kb.cli import main; sys.exit(main())"
    installed = run(home, "match", "--json", str(example), python=("-c", code))
    first = run(home, "match", "--json", str(example))
    assert [match["case"] for match in first["matches"]] == ["nofs-high-order-watermark"]  # type: ignore[index,attr-defined]
    assert installed == first
    (place,) = (home / ".cache/kb").glob("pyz-*")
    assert place.stat().st_mode & 0o077 == 0
    assert run(home, "match", "--json", str(example)) == first  # from what was unpacked
    assert run(tmp_path / "nowhere/at/all", "match", "--json", str(example)) == first
    if os.getuid() == 0:  # who else could give a folder away
        (place / "kb/__init__.py").write_text("raise SystemExit('what another user left there')")
        os.chown(place, 4711, -1)
        assert run(home, "match", "--json", str(example)) == first

    again = tmp_path / "again.pyz"
    env = {**os.environ, "TZ": "Asia/Tokyo"}
    subprocess.run([*build[:-1], str(again)], cwd=tmp_path, env=env, umask=0o077, check=True)
    assert again.read_bytes() == pyz.read_bytes()


@pytest.fixture
def pyz(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What makes ``kb.pyz``, where these are all the distributions there are."""
    pytest.importorskip("packaging")
    monkeypatch.syspath_prepend(str(ROOT / "contrib"))
    import pyz  # type: ignore[import-not-found]

    requires = {
        "kernel-kb": ["old; python_version < '3.12'", "New; python_version >= '3.13'", "some[more]", "a; extra == 'b'"],
        "old": ["windows; sys_platform == 'win32'"],
        "new": ["google-re2"],
        "some": ["much; extra == 'more'", "kernel-kb"],
        "much": [],
    }  # fmt: skip

    def distribution(name: str) -> SimpleNamespace:
        if name not in requires:
            raise metadata.PackageNotFoundError(name)
        return SimpleNamespace(requires=requires[name])

    monkeypatch.setattr(pyz, "distribution", distribution)
    pyz.there = requires
    return pyz


def test_one_file_holds_what_any_python_asks_for(pyz: Any) -> None:
    assert sorted(pyz.parts("kernel-kb")) == ["kernel-kb", "much", "new", "old", "some"]


def test_one_file_is_not_made_without_a_part(pyz: Any) -> None:
    del pyz.there["old"]
    with pytest.raises(SystemExit, match="old has to go into the file"):
        pyz.parts("kernel-kb")


def test_one_file_meets_every_python_that_is_promised(pyz: Any) -> None:
    assert set(_pythons()) <= set(pyz.PYTHONS)


BY_THE_CALENDAR = {"dask", "distributed", "fsspec", "s3fs", "pillow", "pyarrow"}
"""Packages whose first number is a year, or goes up every few months whether or not anything breaks."""


def test_what_kb_runs_on_is_bound_by_the_major_version_that_was_tried() -> None:
    project = _project()
    runs_on = [*project["dependencies"], *(each for name, texts in project["optional-dependencies"].items()
                                           if name != "docs" for each in texts)]  # fmt: skip
    names = {re.split(r"[<>=]", text)[0] for text in runs_on if "<" not in text.partition(";")[0]}
    assert names == BY_THE_CALENDAR
    assert [text for text in runs_on if ">=" not in text] == []


def test_a_release_is_tried_on_every_python_that_is_promised() -> None:
    workflow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    (matrix,) = re.findall(r"^ +python: (\[.*\])$", workflow, re.M)
    assert json.loads(matrix) == _pythons()
    assert f">={_pythons()[0]}" == _project()["requires-python"]


def test_a_release_runs_no_action_that_can_be_changed_under_it() -> None:
    workflow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    actions = re.findall(r"uses: (\S+)(.*)", workflow)
    assert [name for name, _ in actions if not re.search(r"@[0-9a-f]{40}$", name)] == []
    assert [name for name, release in actions if not re.fullmatch(r" # v\d+\.\d+\.\d+", release)] == []


def _project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def _pythons() -> list[str]:
    found = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each) for each in _project()["classifiers"]]
    return [each[1] for each in found if each]


def _offline(home: Path, *what: str) -> Path:
    """A new environment with that installed out of a wheelhouse alone; its folder of scripts."""
    venv.create(home, with_pip=True, symlinks=os.name != "nt")
    scripts = Path(sysconfig.get_path("scripts", "venv", {"base": str(home)}))
    done = subprocess.run(
        [scripts / "python", "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check", *what],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return scripts


@pytest.fixture(scope="module")
def house(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels: all that kb, its service and its assistants' server run on, and what builds it."""
    house = tmp_path_factory.mktemp("wheelhouse")
    fetch = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "-d", str(house)]
    wanted = [f"{wheel}[serve,mcp]", "hatchling>=1.27"]
    if subprocess.run([*fetch, *wanted], capture_output=True, check=False).returncode:
        pytest.skip("pip cannot fetch what kb runs on")
    return house


@pytest.mark.extra
def test_wheel_and_sdist_install_without_a_network(wheel: Path, house: Path, example: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    assert subprocess.run(build, cwd=ROOT, capture_output=True, check=False).returncode == 0
    (sdist,) = tmp_path.glob("*.tar.gz")
    for number, package in enumerate((wheel, sdist)):
        home = tmp_path / f"env{number}"
        scripts = _offline(home, "--find-links", str(house), str(package))
        for script in ("kb", "kernel-kb"):
            done = subprocess.run(
                [scripts / script, "match", "--json", str(example)],
                cwd=tmp_path, env={"HOME": str(home), "PATH": os.environ["PATH"]},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["known_fixes"] is not None
        place = Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))
        metadata = next(place.glob("kernel_kb-*.dist-info"))
        tops = {line.split(",")[0].split("/")[0] for line in (metadata / "RECORD").read_text().splitlines()}
        assert tops - {".."} == {"kb", metadata.name}


HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
FRONT_ENDS = {
    "kb match dmesg.txt": ("", "nofs-high-order-watermark"),
    "kb match --html dmesg.txt": ("", "<svg"),
    "kb match --format svg dmesg.txt": ("", "<svg"),
    "kb chat dmesg.txt": ("what now\n", "compact_memory"),
    "kb ask 严重吗 dmesg.txt": ("", "严重程度"),
    "kb completion bash": ("", "complete"),
    "kb schema": ("", "kb.report/1"),
    "kb case show nofs-high-order-watermark": ("", "Demands"),
    "kb affected nofs-high-order-watermark --kernel 5.10.0": ("", "fixed"),
    "kb mcp": (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}) + "\n", '"serverInfo"'),
}


@pytest.fixture(scope="module")
def clean(wheel: Path, house: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with the samples, and the variables of somebody who has only the wheel, with its service."""
    home = tmp_path_factory.mktemp("somebody")
    scripts = _offline(home / "env", "--find-links", str(house), f"{wheel}[serve,mcp]")
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    env = {"HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8", "TERM": "xterm"}
    subprocess.run(["kb", "samples", "."], cwd=home, env=env, capture_output=True, check=True)
    return home, env


@pytest.mark.extra
@pytest.mark.parametrize("words", FRONT_ENDS)
def test_a_front_end_works_where_only_the_wheel_is_installed(words: str, clean: tuple[Path, dict[str, str]]) -> None:
    typed, shown = FRONT_ENDS[words]
    done = subprocess.run(
        words.split(), cwd=clean[0], env=clean[1], input=typed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


@pytest.mark.extra
def test_service_and_sender_work_where_only_the_wheel_is_installed(clean: tuple[Path, dict[str, str]]) -> None:
    home, env = clean
    place = home / "served"
    with place.open("wb") as said:
        server = subprocess.Popen(["kb", "serve", "--port", "0"], cwd=home, env=env, stdout=said, stderr=said)
    try:
        wait_for(lambda: b"serving on" in place.read_bytes() or server.poll() is not None, "the server listens")
        url = place.read_text().split("serving on ")[1].split()[0]
        send = ["kb", "report", "--to", url, "dmesg.txt"]
        sent = subprocess.run(send, cwd=home, env=env, capture_output=True, text=True, check=False)
        assert sent.returncode == 0, sent.stderr
        assert "osdmap_set_max_osd" in sent.stdout
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.extra
def test_the_terminal_program_works_where_only_the_wheel_is_installed(clean: tuple[Path, dict[str, str]]) -> None:
    drawn = _on_a_terminal(["kb", "tui", "dmesg.txt"], *clean, b"osdmap_set_max_osd")
    assert b"Traceback" not in drawn


def _on_a_terminal(words: list[str], folder: Path, env: dict[str, str], wanted: bytes) -> bytes:
    """What a program draws on a terminal until that is seen; then `q` ends it."""
    import pty

    shell = ["sh", "-c", 'stty rows 40 cols 120; exec "$@"', "sh", *words]
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        shell, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    seen = bytearray()

    def drawn() -> bool:
        with contextlib.suppress(BlockingIOError, OSError):
            seen.extend(os.read(ours, 65536))
        return wanted in seen or program.poll() is not None

    def ended() -> bool:
        drawn()
        return program.poll() is not None

    try:
        wait_for(drawn, lambda: bytes(seen).decode("utf-8", "replace"))
        assert program.poll() is None, seen
        os.write(ours, b"q")
        wait_for(ended, "q ends it")
        assert program.returncode == 0
    finally:
        program.kill()
        program.wait()
        os.close(ours)
    return bytes(seen)
