"""Line charts as SVG, written by hand: two logarithmic axes, a line for each series, a dot for each figure."""

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]
"""Of one series, from left to right; all above zero."""

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 50
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e")
_STYLE = "font-family:sans-serif;font-size:12px"


class Axis:
    """A logarithmic axis that takes the values from `start` to `end` of the picture."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low, self._high = math.log10(min(values)), math.log10(max(values))
        if self._high - self._low < 0.5:
            self._low, self._high = self._low - 0.25, self._high + 0.25
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        """Where a value stands."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return round(self._start + share * (self._end - self._start), 1)

    def ticks(self) -> list[float]:
        """One, two and five of each power of ten within it."""
        powers = range(math.floor(self._low), math.ceil(self._high) + 1)
        every = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        return [each for each in every if self._low - 1e-9 <= math.log10(each) <= self._high + 1e-9]


def chart(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """The picture; `across` and `up` say what the axes are. Raises ValueError without a point."""
    points = [point for each in series.values() for point in each]
    if not points:
        raise ValueError(f"nothing to draw: {title}")
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    x = Axis([point[0] for point in points], _LEFT, right)
    y = Axis([point[1] for point in points], bottom, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" style="{_STYLE}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 20, title),
        _text((_LEFT + right) / 2, _HEIGHT - 10, across, "middle"),
        _text(_LEFT, _TOP - 6, up),
    ]
    for tick in x.ticks():
        parts.append(_line(x.at(tick), _TOP, x.at(tick), bottom))
        parts.append(_text(x.at(tick), bottom + 16, f"{tick:,g}", "middle"))
    for tick in y.ticks():
        parts.append(_line(_LEFT, y.at(tick), right, y.at(tick)))
        parts.append(_text(_LEFT - 6, y.at(tick) + 4, f"{tick:,g}", "end"))
    for number, (name, line) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [(x.at(one), y.at(other)) for one, other in line]
        path = " ".join(f"{one},{other}" for one, other in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{one}" cy="{other}" r="3" fill="{colour}"/>' for one, other in places]
        parts.append(_text(right + 10, _TOP + 16 * number + 10, name, colour=colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = "black") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def _line(x: float, y: float, end_x: float, end_y: float) -> str:
    return f'<line x1="{x}" y1="{y}" x2="{end_x}" y2="{end_y}" stroke="#ddd"/>'
