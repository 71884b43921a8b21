"""Letters against kernel/panic.c taint_flags[] of v6.15."""

from kb.kernel.taint import TAINTS, explain, weighty


def test_the_letters_stand_at_the_bits_of_the_kernel() -> None:
    assert "".join(sorted(TAINTS, key=lambda letter: TAINTS[letter].bit)) == "PFSRMBUDAWCIOELKXTNJH"
    assert [taint.bit for taint in TAINTS.values()] == list(range(21))


def test_letters_are_explained_in_the_order_printed_and_g_says_nothing() -> None:
    assert explain("GDOE") == (
        "D: the kernel oopsed or hit a BUG",
        "O: a module built outside the tree is loaded",
        "E: an unsigned module is loaded on a kernel that supports signatures",
    )
    assert explain("G") == ()
    assert explain("-") == ()
    assert explain("q") == ("q: not a letter of mainline kernels",)


def test_letters_have_weight() -> None:
    assert weighty("GDWOE", "damage") == ("D", "W")
    assert weighty("GDWOE", "foreign") == ("O", "E")
    assert weighty("GUIS", "damage") == ()
