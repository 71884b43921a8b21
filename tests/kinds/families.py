"""What holds the families of kinds.toml: a kind is of one exactly where its facts are made as those of the family."""

from kb.syntax.kinds import Family, family, kinds


def allocations_have_their_engine() -> bool:
    """What is like an allocation has the allocator's engine, and nothing else has."""
    engine = "kb.facts.allocation.facts:allocation_facts"
    return family(Family.ALLOCATION) == {kind.name for kind in kinds().values() if kind.engine == engine}


def stalls_have_their_decoder() -> bool:
    """What is like a stall has a decoder of stalls, and nothing else has."""
    decoders = {"kb.facts.stall:stall_facts", "kb.facts.hung:hung_facts"}
    return family(Family.STALL) == {kind.name for kind in kinds().values() if decoders & {*kind.decoders}}
