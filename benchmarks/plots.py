"""Plots as SVG, written by hand: they need nothing to be made and nothing to be seen."""

import math
from html import escape
from typing import Any

LEFT, WIDTH, ROW, TOP, BOTTOM = 300, 520, 18, 64, 40
SERIES = {"small": "#8a8f98", "large": "#b3261e"}


def growth(result: dict[str, Any]) -> str:
    """A line for each case: its median in the small store, and in the large one, on a scale of ratios."""
    lines = [line for line in result.get("by date", result["as loaded"]) if line["ratio"] is not None]
    values = [line[side]["ms"] for line in lines for side in SERIES] or [1.0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)

    def x(value: float) -> float:
        return LEFT + WIDTH * (math.log10(value) - low) / max(high - low, 1)

    height = TOP + ROW * len(lines) + BOTTOM
    sizes = " · ".join(f"{result[side]:,} events" for side in SERIES)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 90} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="11">',
        f"<title>Median time of a page, {sizes}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        '<text x="16" y="24" font-size="15">Median time of a page</text>',
    ]
    for place, (side, colour) in enumerate(SERIES.items()):
        at = LEFT + place * 170
        parts.append(f'<circle cx="{at}" cy="20" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{at + 9}" y="24">{result[side]:,} events</text>')
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts.append(f'<path d="M{at:.1f} {TOP - 14}V{height - BOTTOM + 4}" stroke="#ddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{height - 18}" text-anchor="middle">{10.0**power:g} ms</text>')
    for place, line in enumerate(lines):
        y = TOP + ROW * place
        over = line["ratio"] > line["most"]
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(line["name"])}</text>')
        ends = [x(line[side]["ms"]) for side in SERIES]
        parts.append(f'<path d="M{ends[0]:.1f} {y}H{ends[1]:.1f}" stroke="#c9ccd1" stroke-width="3"/>')
        for end, colour in zip(ends, SERIES.values(), strict=True):
            parts.append(f'<circle cx="{end:.1f}" cy="{y}" r="4" fill="{colour}"/>')
        told = f"{line['ratio']:.2f}" + (" !" if over else "")
        weight = ' font-weight="bold"' if over else ""
        parts.append(f'<text x="{LEFT + WIDTH + 20}" y="{y + 4}"{weight}>{told}</text>')
    return "\n".join([*parts, "</svg>", ""])
