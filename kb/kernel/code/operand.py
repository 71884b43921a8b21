"""A memory operand: which registers an address is made of."""

from collections.abc import Mapping
from typing import NamedTuple


class Operand(NamedTuple):
    """``base + index * scale + displacement``."""

    base: str | None
    by: str | None = None
    """The index register."""
    scale: int = 1
    displacement: int = 0

    def address(self, registers: Mapping[str, int], bits: int = 64) -> int | None:
        """The effective address; None where a register is not printed."""
        total = self.displacement
        for name, times in ((self.base, 1), (self.by, self.scale)):
            if name is None:
                continue
            if name not in registers:
                return None
            total += registers[name] * times
        return total & ((1 << bits) - 1)

    @property
    def text(self) -> str:
        """As a person writes it: ``RAX + RCX*8 + 0x58``."""
        parts = [name for name in (self.base,) if name]
        if self.by:
            parts.append(f"{self.by}*{self.scale}" if self.scale > 1 else self.by)
        if self.displacement or not parts:
            sign = "-" if self.displacement < 0 else "+"
            parts.append(f"{sign} {abs(self.displacement):#x}" if parts else f"{self.displacement:#x}")
        return " + ".join(parts).replace("+ + ", "+ ").replace("+ - ", "- ")
