"""GFP masks by era. Expected flags come from the headers of the releases named."""

import pytest

from kb.kernel.gfp import decode, tables
from kb.kernel.release import Release

SEED = frozenset({"free_pcp", "letters:UEM", "unstable", "no_node_line", "gfp:bare"})


def test_seed_mask_is_nofs_from_the_caller_and_comp_kmemcg_from_the_slab_layer() -> None:
    gfp = decode(0x104050, traits=SEED | {"stack:kmalloc_order>get_free_pages"}, slab=True)
    assert gfp.era == "3.8-3.15, RHEL 7"
    assert gfp.certain == ("__GFP_WAIT", "__GFP_IO", "__GFP_COMP", "__GFP_KMEMCG")
    assert gfp.caller == ("__GFP_WAIT", "__GFP_IO")
    assert gfp.slab_layer == ("__GFP_COMP", "__GFP_KMEMCG")
    assert gfp.name == "GFP_NOFS"
    assert gfp.has("__GFP_FS") is False


def test_a_bit_whose_name_depends_on_the_kernel_is_reported_not_guessed() -> None:
    gfp = decode(0x104050, traits=SEED)
    assert gfp.certain == ("__GFP_WAIT", "__GFP_IO", "__GFP_COMP")
    assert set(gfp.possible) == {"__GFP_NOACCOUNT", "__GFP_KMEMCG", "__GFP_ACCOUNT"}
    assert gfp.has("__GFP_KMEMCG") is None
    assert "__GFP_FS" in gfp.absent


@pytest.mark.parametrize(
    ("mask", "names", "release", "name", "flags"),
    [
        (
            0x6000C0,
            "GFP_KERNEL",
            None,
            "GFP_KERNEL",
            {"__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"},
        ),
        (0xA20, "GFP_ATOMIC", "6.1.0-56-amd64", "GFP_ATOMIC", {"__GFP_HIGH", "__GFP_ATOMIC", "__GFP_KSWAPD_RECLAIM"}),
        (0x820, "GFP_ATOMIC", "6.12.117+deb12-amd64", "GFP_ATOMIC", {"__GFP_HIGH", "__GFP_KSWAPD_RECLAIM"}),
        (0x20, None, "3.10.0-514.el7.x86_64", "GFP_ATOMIC", {"__GFP_HIGH"}),
        (0x2080020, "GFP_ATOMIC", "4.9.80", "GFP_ATOMIC", {"__GFP_HIGH", "__GFP_ATOMIC", "__GFP_KSWAPD_RECLAIM"}),
    ],
)
def test_composite_names_per_era(mask, names, release, name, flags) -> None:
    gfp = decode(mask, names=names, release=Release.parse(release) if release else None)
    assert gfp.name == name
    assert set(gfp.certain) == flags


def test_printed_names_that_do_not_decode_to_the_hex_win() -> None:
    gfp = decode(0x40DC0, names="GFP_ATOMIC", release=Release.parse("5.4"))
    assert gfp.agree is False
    assert "__GFP_HIGH" in gfp.certain
    assert gfp.assumption is not None


def test_printed_names_correct_a_release_of_another_era() -> None:
    gfp = decode(0xCC0, names="GFP_KERNEL")
    assert gfp.agree is True
    assert gfp.has("__GFP_FS") is True


def test_rhel_9_5_has_lost_the_atomic_bit_although_uname_says_5_14() -> None:
    assert decode(0x820, names="GFP_ATOMIC", release=Release.parse("5.14.0-503.11.1.el9_5.x86_64")).agree is True
    assert decode(0x820, names="GFP_ATOMIC", release=Release.parse("5.14.0-427.13.1.el9_4.x86_64")).agree is False


def test_every_printed_compound_decodes_to_itself() -> None:
    for table in tables():
        for name, value in table.masks.items():
            if value and (name, value) in table.prints and name.startswith("GFP_"):
                shown = table.shown(value)
                assert table.value(shown) == value, (table.label, name)
