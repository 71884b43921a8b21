"""OOM kills explained: which limit, who held the memory, why this victim."""
