"""A paste that begins within the stamp of its first line."""

from kb import api

HEAD = "22365.832373] swapper/3: page allocation failure: order:0, mode:0x20\n"
NEXT = "[122365.832382] CPU: 3 PID: 0 Comm: swapper/3 Not tainted 4.1.12-3 #1\n"


def test_its_time_is_that_of_the_next_line_for_nobody_knows_which_digits_are_lost() -> None:
    (found,) = api.reports((HEAD + NEXT).encode())
    assert (found.time, found.wall, found.headline) == (122365.832382, None, HEAD[14:].strip())
    (whole,) = api.reports(("[1" + HEAD + NEXT).encode())
    assert whole.time == 122365.832373
    (alone,) = api.reports((HEAD + NEXT[16:]).encode())
    assert alone.time is None
