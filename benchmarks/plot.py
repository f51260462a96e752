"""The bar chart of docs/performance.md: the fan-out of all targets."""

from xml.sax.saxutils import escape

from benchmarks.cases import ROOM_200, ROOM_1000
from benchmarks.runs import Runs
from benchmarks.schedule import ALL, OURS

_WIDTH, _LABELS, _BAR, _GAP, _HEAD = 760, 150, 18, 8, 44
_OURS, _THEIRS = "#2f6fed", "#9aa4b2"


def fan_out(runs: Runs) -> str:
    """An SVG with the deliveries a second in rooms of 200 and of 1,000."""
    values = {
        (case.name, target.name): runs.median(target.name, case.name, "deliveries_per_s") or 0.0
        for case in (ROOM_200, ROOM_1000)
        for target in ALL
    }
    longest = max(*values.values(), 1.0)
    parts, y = [], 0
    for case in (ROOM_200, ROOM_1000):
        parts.append(f'<text x="0" y="{y + 26}" class="head">{case.name.capitalize()}: deliveries/s</text>')
        y += _HEAD
        for target in ALL:
            value = values[case.name, target.name]
            width = value / longest * (_WIDTH - _LABELS - 90)
            color = _OURS if target in OURS else _THEIRS
            parts.append(
                f'<text x="{_LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(target.name)}</text>'
                f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{color}"/>'
                f'<text x="{_LABELS + width + 6:.1f}" y="{y + 14}">{value:,.0f}</text>'
            )
            y += _BAR + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" font-family="sans-serif" font-size="13">'
        f"<style>text{{fill:#57606a}}.head{{font-size:15px;font-weight:600}}</style>{''.join(parts)}</svg>\n"
    )
