"""The JSON Schemas of kb's outputs, in kb/schemas: ``report.json`` is ``kb.report/1``."""

import json
from importlib.resources import files
from typing import Any

from kb.errors import UsageError


def names() -> list[str]:
    """The names of the outputs that have one: ``kb.report/1`` ..."""
    return sorted(_name(one.name) for one in files("kb").joinpath("schemas").iterdir() if one.name.endswith(".json"))


def _name(file: str) -> str:
    return f"kb.{file.removesuffix('.json').replace('identity-', 'identity.')}/1"


def text(name: str = "kb.report/1") -> str:
    """A schema as it stands in its file.

    Args:
        name: Its name, whole (``kb.report/1``) or bare (``report``).

    Raises:
        UsageError: There is no such output.
    """
    bare = name.removeprefix("kb.").partition("/")[0]
    whole = f"kb.{bare}/1"
    if whole not in names() or name not in (whole, f"kb.{bare}", bare):
        import difflib

        near = difflib.get_close_matches(name, [*names(), *(one[3:-2] for one in names())], 1)
        raise UsageError(f"no schema {name!r}", help=f"did you mean: {near[0]}" if near else "kb schema --list")
    return files("kb").joinpath("schemas", f"{bare.replace('.', '-')}.json").read_text(encoding="utf-8")


def schema(name: str = "kb.report/1") -> dict[str, Any]:
    """A schema (JSON Schema, draft 2020-12) as plain values; as :func:`text`."""
    found: dict[str, Any] = json.loads(text(name))
    return found
