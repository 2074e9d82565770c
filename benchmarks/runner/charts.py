"""Plots of curves: the percentiles of single calls, time and memory against live blocks, against processors.

Like plots.py: SVG by hand. A chart has one or two panels side by side; a line for each allocator, subjects thicker and drawn
last, told apart by colour and by the shape of their marks. Axes are logarithmic.
"""

import math
import re

from . import figures
from .plots import Axis, Look, document, escape, ticks

WIDTH, PANEL_TOP, PANEL_HEIGHT, LEFT, RIGHT, BOTTOM = 860, 92, 290, 62, 18, 50


class Panel:
    """One coordinate system. `x_ticks` are (place, text); `lines` are (allocator, [(x, y)])."""

    def __init__(self, title, x_title, y_title, x_ticks, lines):
        self.title, self.x_title, self.y_title, self.x_ticks = title, x_title, y_title, x_ticks
        self.lines = [(name, [(x, y) for x, y in points if y and y > 0]) for name, points in lines]
        self.lines = [line for line in self.lines if line[1]]

    def values(self):
        return [y for _, points in self.lines for _, y in points]

    def draw(self, look, begin, end, marks):
        low, high = min(self.values()) * 0.85, max(self.values()) * 1.2
        places = [x for x, _ in self.x_ticks]
        bottom = PANEL_TOP + PANEL_HEIGHT
        across = Axis(min(places), max(places), begin, end) if len(places) > 1 else lambda _x: (begin + end) / 2
        up = Axis(low, high, bottom, PANEL_TOP)
        parts = [f'<text x="{begin}" y="{PANEL_TOP - 10}" class="strong small">{escape(self.title)}</text>']
        for t in ticks(low, high) if high / low < 50 else decades(low, high):
            parts.append(f'<line x1="{begin}" x2="{end}" y1="{up(t):.1f}" y2="{up(t):.1f}" class="grid"/>'
                         f'<text x="{begin - 7}" y="{up(t) + 4:.1f}" text-anchor="end" class="small">{short(t)}</text>')
        for x, text in self.x_ticks:
            parts.append(f'<line x1="{across(x):.1f}" x2="{across(x):.1f}" y1="{PANEL_TOP}" y2="{bottom}" class="grid"/>'
                         f'<text x="{across(x):.1f}" y="{bottom + 17}" text-anchor="middle" class="small">{escape(text)}</text>')
        parts.append(f'<text x="{(begin + end) / 2:.1f}" y="{bottom + 37}" text-anchor="middle" class="small muted">'
                     f'{escape(self.x_title)}</text><text x="{begin - LEFT + 8}" y="{PANEL_TOP - 28}" class="small muted">'
                     f"{escape(self.y_title)}</text>")
        for name, points in sorted(self.lines, key=lambda line: line[0] in look.subjects):
            path = "M" + "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in points)
            width = 2.6 if name in look.subjects else 1.5
            parts.append(f'<path d="{path}" fill="none" stroke="{look.colour[name]}" stroke-width="{width}" '
                         'stroke-linejoin="round"/>')
            parts += [look.mark(name, across(x), up(y), 3.6, f"{name}: {short(y)}") for x, y in points if marks]
        return parts


def decades(low, high):
    return [10.0 ** e for e in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]


def short(value):
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def chart(results, title, note, panels, marks=True):
    panels = [panel for panel in panels if panel.lines]
    if not panels:
        return None
    look = Look(results)
    names = [n for n in results.allocators() if any(n == name for panel in panels for name, _ in panel.lines)]
    height = PANEL_TOP + PANEL_HEIGHT + BOTTOM
    parts = [f'<text x="16" y="24" class="head">{escape(title)}</text><text x="16" y="42" class="small muted">{escape(note)}</text>',
             look.legend(names, 24, height - 2 + 14)]
    share = WIDTH / len(panels)
    for i, panel in enumerate(panels):
        parts += panel.draw(look, i * share + LEFT, (i + 1) * share - RIGHT, marks)
    return document(WIDTH, height + 28, title, parts)


# --- latency ---

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999)
SHOWN = {0.5: "50 %", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.9999: "99.99", 0.99999: "99.999"}


def histogram_sum(results, workload, allocator, name):
    """The histograms of all rounds as one, sorted; buckets of different rounds may begin a little apart (clock rates)."""
    total = {}
    if figures.cell_status(results.runs(workload, allocator)) != "ok":
        return []
    for run in results.runs(workload, allocator):
        for begin, calls in run.histograms.get(name, []):
            total[begin] = total.get(begin, 0) + calls
    return sorted(total.items())


def quantile(buckets, share):
    """Where the bucket begins below or in which a share of all calls lies."""
    wanted, seen = share * sum(calls for _, calls in buckets), 0
    for begin, calls in buckets:
        seen += calls
        if seen >= wanted:
            return begin
    return buckets[-1][0]


def latency(results):
    workload = "latency"
    panels = []
    for name in ("malloc", "free"):
        lines = []
        for allocator in results.allocators():
            buckets = histogram_sum(results, workload, allocator, name)
            if buckets:
                calls = sum(n for _, n in buckets)
                lines.append((allocator, [(1 / (1 - q), quantile(buckets, q)) for q in QUANTILES if calls * (1 - q) >= 10]))
        panels.append(Panel(name, "per cent of calls that take at most so long", "nanoseconds",
                            [(1 / (1 - q), text) for q, text in SHOWN.items()], lines))
    return chart(results, "How long single calls take", "each call of a request server timed by itself; logarithmic, lower is better; "
                 "the clock's own cost is in it", panels, marks=False)


# --- scale ---


def series(results, pattern, metric):
    """[(allocator, [(number in the workload's name, median of the metric)])]"""
    lines = []
    for allocator in results.allocators():
        points = []
        for workload, _ in results.all_workloads():
            found = re.fullmatch(pattern, workload)
            value = figures.median(results, workload, allocator, "metric:" + metric) if found else None
            if value:
                points.append((float(found[1]), value))
        lines.append((allocator, sorted(points)))
    return lines


def x_ticks_of(lines, text):
    return [(x, text(x)) for x in sorted({x for _, points in lines for x, _ in points})]


def power(x):
    superscript = str(round(math.log10(x))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return "10" + superscript


def scaling(results):
    pattern = r"scaling_(1e\d+)"
    time, memory = series(results, pattern, "pair_ns"), series(results, pattern, "over_bytes")
    return chart(results, "From a thousand live blocks to a hundred million", "blocks of 16 to 32 bytes, one at random freed and another "
                 "taken; reaching a random block (caches, page tables) is in the time; logarithmic", [
                     Panel("free and malloc", "live blocks", "nanoseconds", x_ticks_of(time, power), time),
                     Panel("memory beside the block", "live blocks", "bytes a block", x_ticks_of(memory, power), memory)])


def processors(results):
    pattern = r"processors_(\d+)"
    time = series(results, pattern, "pair_ns")
    live, rss = (dict(dict(series(results, pattern, m)).get("loam", [])) for m in ("live_kib", "rss_kib"))
    memory = [("loam", [(x, rss[x] / live[x]) for x in sorted(rss) if live.get(x)])]
    return chart(results, "On 1 to 512 processors, played one after the other", "the same work and the same live blocks in all "
                 "(benchmarks/processors/processors.c); logarithmic", [
                     Panel("free and malloc", "processors", "nanoseconds", x_ticks_of(time, lambda x: f"{x:.0f}"), time),
                     Panel("resident over live", "processors", "ratio", x_ticks_of(memory, lambda x: f"{x:.0f}"), memory)])


def all_charts(results):
    """(name, svg) of those for which there are figures."""
    made = [("latency", latency(results)), ("scaling", scaling(results)), ("processors", processors(results))]
    return [(name, svg) for name, svg in made if svg]
