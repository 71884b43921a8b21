"""Which array an index was too large for."""

import pytest

from kb import api

HEAD = "UBSAN: array-index-out-of-bounds in drivers/foo/bar.c:1041:3\n"
STACK = (
    "CPU: 5 PID: 411 Comm: foo Not tainted 5.15.0 #1\nCall Trace:\n foo_get+0x1/0x20 [foo]\n foo_put+0x1/0x20 [foo]\n"
)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("index 9999 is out of range for type 'MR_ARRAY_INFO [240]'", (9999, "MR_ARRAY_INFO", 240)),
        ("index -1 is out of range for type 'struct foo [1]'", (-1, "struct foo", 1)),
        ("index 4 is out of range for type 'u8 []'", (4, "u8", 0)),
        ("index 4 is out of range for type 'u8 [*]'", (None, None, None)),
        ("shift exponent 64 is too large for 32-bit type 'int'", (None, None, None)),
    ],
)  # fmt: skip
def test_the_declared_size_is_a_fact(line: str, values: tuple[object, ...]) -> None:
    (found,) = api.match(f"{HEAD}{line}\n{STACK}".encode(), cases=())
    facts = (found.facts.get(f"ubsan.{name}") for name in ("index", "type", "elements"))
    assert tuple(fact.value if fact is not None else None for fact in facts) == values
