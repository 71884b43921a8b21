"""The allocator's state as reports print it: show_mem() blocks and OOM reports."""
