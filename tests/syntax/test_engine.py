"""Loading grammars: line tokens, totality, and a cache that nobody else can write."""

import itertools
import os
import stat

import pytest

from kb.model.log import Line
from kb.syntax import engine


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    engine.load.cache_clear()
    yield tmp_path / "kb" / "grammars"
    engine.load.cache_clear()


def kinds(parser, *texts):
    lines = [Line(text, number, number, b"") for number, text in enumerate(texts, 1)]
    return [(token.type, token.line.number) for token in engine.tokens(engine.parse_lines(parser, lines))]


def test_a_token_is_a_line_and_knows_its_fields():
    parser = engine.load("meminfo")
    (token,) = engine.tokens(engine.parse_lines(parser, engine.split("foreign\n7 pages RAM")))
    assert (token.type, token.index, token.line.number, token.value) == ("RAM", 1, 2, "7 pages RAM")
    assert token.fields == {"ram": "7"}


def test_groups_that_took_no_part_are_no_fields():
    (token,) = engine.tokens(engine.parse_lines(engine.load("meminfo"), engine.split("9 pages HighMem")))
    assert token.fields == {"highmem": "9"}


@pytest.mark.parametrize("name", ["meminfo", "oom"])
def test_every_pair_of_terminals_is_a_sentence(name):
    from lark import Lark

    parser = engine.build(name)
    assert isinstance(parser, Lark)
    names = [terminal.name for terminal in parser.terminals if terminal.name not in parser.ignore_tokens]
    for pair in itertools.product(names, repeat=2):
        interactive = parser.parse_interactive("")
        for kind in pair:
            assert kind in interactive.accepts(), pair
            interactive.feed_token(engine.LineToken(kind, Line("", 0, 0, b""), 0, None, ()))
        assert "$END" in interactive.accepts()


def test_tables_are_written_once_to_a_private_folder(own_cache):
    engine.load("oom")
    (path,) = own_cache.iterdir()
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    engine.load.cache_clear()
    parser = engine.load("oom")
    assert path.read_bytes() == before
    assert kinds(parser, "Unreclaimable slab info:", "two words") == [("SLAB_HEAD", 1)]


def test_a_damaged_cache_is_built_anew(own_cache):
    engine.load("oom")
    (path,) = own_cache.iterdir()
    path.write_bytes(b"no pickle")
    engine.load.cache_clear()
    assert kinds(engine.load("oom"), "Unreclaimable slab info:") == [("SLAB_HEAD", 1)]
    assert path.read_bytes() != b"no pickle"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners here")
def test_a_folder_that_others_may_write_to_is_not_used(own_cache):
    own_cache.mkdir(parents=True)
    own_cache.chmod(0o777)
    assert kinds(engine.load("oom"), "Unreclaimable slab info:") == [("SLAB_HEAD", 1)]
    assert list(own_cache.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners here")
def test_a_folder_that_others_may_read_is_closed(own_cache):
    own_cache.mkdir(parents=True)
    own_cache.chmod(0o755)
    engine.load("oom")
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700


def test_a_folder_that_is_a_link_is_not_used(own_cache, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    own_cache.parent.mkdir(parents=True)
    own_cache.symlink_to(elsewhere)
    assert kinds(engine.load("oom"), "Unreclaimable slab info:") == [("SLAB_HEAD", 1)]
    assert list(elsewhere.iterdir()) == []


def test_importing_the_module_does_not_import_lark():
    import subprocess
    import sys

    code = "import sys, kb.syntax.engine, kb.parse.memory.meminfo, kb.parse.memory.oom; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
