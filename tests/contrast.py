"""Contrast of colours as WCAG 2.2 defines it (1.4.3, relative luminance)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Colour:
    """Red, green and blue of sRGB, each from 0 to 1."""

    red: float
    green: float
    blue: float

    @classmethod
    def of(cls, text: str) -> Self:
        """Of ``#22282c``, or of ``rgb(34, 40, 44)`` as browsers say it."""
        if found := re.fullmatch(r"#(..)(..)(..)", text):
            return cls(*(int(part, 16) / 255 for part in found.groups()))
        found = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", text)
        assert found is not None, text
        return cls(*(int(part) / 255 for part in found.groups()))

    @property
    def luminance(self) -> float:
        """From 0, black, to 1, white."""
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (self.red, self.green, self.blue)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """From 1, the same, to 21, black on white."""
    dark, light = sorted((one.luminance, other.luminance))
    return (light + 0.05) / (dark + 0.05)
