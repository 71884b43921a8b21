"""Machine code of ``Code:`` lines: the memory operand of the trapping instruction, a disassembly."""
