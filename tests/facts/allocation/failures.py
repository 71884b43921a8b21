"""Small reports of failed allocations whose sums are done by hand, and what is said of them."""

from kb import api
from kb.model.verdict import Diagnosis, Reason

HEAD = "[1.0] foo: page allocation failure: order:{order}, mode:{mode}, nodemask=(null),cpuset=/,mems_allowed=0\n"


WHERE = "[1.0] CPU: 1 PID: 77 Comm: foo Not tainted {kernel} #1\n[1.0] Call Trace:\n"


KERNEL = "0xcc0(GFP_KERNEL)"


def report(
    zones: str,
    *,
    order: int = 0,
    mode: str = KERNEL,
    kernel: str = "5.10.0",
    frames: tuple[str, ...] = ("warn_alloc+0x1/0x2", "foo_read+0x1/0x2"),
    counters: str = "",
) -> Diagnosis:
    """The diagnosis of one failure."""
    text = HEAD.format(order=order, mode=mode) + WHERE.format(kernel=kernel)
    text += "".join(f"[1.0]  {frame}\n" for frame in frames) + "[1.0] Mem-Info:\n" + counters
    text += "".join(f"[1.0] {line}\n" for line in zones.strip().splitlines())
    (found,) = api.match(text.encode(), cases=())
    return found


def reason(diagnosis: Diagnosis, name: str) -> Reason:
    return next(reason for reason in diagnosis.facts.reasoning if reason.name == name)


def why(diagnosis: Diagnosis, name: str) -> list[str]:
    return [part.name for part in reason(diagnosis, name).why]


LRU = "active_anon:{anon}kB inactive_anon:0kB active_file:{file}kB inactive_file:0kB unevictable:16000kB"


def normal(free: int = 2000, *, anon: int = 0, file: int = 0, blocks: str = "500*4kB (UME) 0*8kB 0*16kB 0*32kB") -> str:
    lru = LRU.format(anon=anon, file=file)
    return (
        f"Node 0 Normal free:{free}kB min:4000kB low:5000kB high:6000kB {lru} present:400000kB managed:400000kB\n"
        f"lowmem_reserve[]: 0 0\nNode 0 Normal: {blocks} = {free}kB"
    )


TWO = """\
Node 0 DMA32 free:{dma}kB min:400kB low:500kB high:600kB reserved_highatomic:0KB present:1000000kB managed:1000000kB
lowmem_reserve[]: 0 3000 3000
Node 0 Normal free:{free}kB min:4000kB low:5000kB high:6000kB reserved_highatomic:0KB managed:3000000kB
lowmem_reserve[]: 0 0 0
Node 0 DMA32: 100*4kB (UME) = {dma}kB
Node 0 Normal: 100*4kB (UME) = {listed}kB
"""


ATOMIC = "0xa20(GFP_ATOMIC)"
