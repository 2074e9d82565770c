"""The plots as SVG, written by hand: no library, text stays text, light and dark as the reader's screen is.

Three: the summary (each allocator a point: time across, memory up, lower left is best) and one row of marks for each
workload, for time and for peak RSS. Allocators are told apart by shape as well as by colour; subjects are large and filled.
"""

import html
import math

from . import figures

COLOURS = ["#8a8f98", "#2f7ed8", "#d9822b", "#2a9d6f", "#b05fc2", "#c2a23a", "#5bb5c9", "#c25f6b", "#7d8f3a", "#9a7b5f"]
SUBJECT_COLOURS = ["#d6224a", "#7a1fa2", "#c2185b", "#4a148c"]
SHAPES = ["circle", "square", "triangle", "diamond", "cross", "down", "plus", "bar"]

STYLE = """<style>
  text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #24292f; }
  .head { font-size: 15px; font-weight: 600; } .small { font-size: 11px; } .muted { fill: #6a737d; }
  .strong { font-weight: 700; } .ground { fill: #ffffff; } .grid { stroke: #d8dee4; stroke-width: 1; }
  .stripe { fill: #f3f5f7; } .one { stroke: #57606a; stroke-width: 1.5; } .edge { stroke: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #d6dce3; } .muted { fill: #949ca6; } .ground { fill: #14181d; } .grid { stroke: #2d343c; }
    .stripe { fill: #1a2027; } .one { stroke: #9aa4ae; } .edge { stroke: #14181d; }
  }
</style>"""


def escape(text):
    return html.escape(str(text), quote=True)


class Look:
    """The colour and the shape of each allocator."""

    def __init__(self, results):
        self.subjects = results.subjects()
        rivals = figures.rivals(results)
        self.colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(rivals)}
        self.colour.update({name: SUBJECT_COLOURS[i % len(SUBJECT_COLOURS)] for i, name in enumerate(self.subjects)})
        self.shape = {name: SHAPES[i % len(SHAPES)] for i, name in enumerate(rivals)}
        self.shape.update({name: "star" for name in self.subjects})

    def mark(self, name, x, y, size=5.0, title=""):
        points = shape_points(self.shape[name], size * (1.45 if name in self.subjects else 1.0))
        path = "M" + "L".join(f"{x + px:.1f} {y + py:.1f}" for px, py in points) + "Z"
        return (f'<path d="{path}" fill="{self.colour[name]}" class="edge" stroke-width="0.8">'
                f"<title>{escape(title or name)}</title></path>")

    def legend(self, names, x, y):
        out = []
        for name in names:
            weight = ' class="strong"' if name in self.subjects else ""
            out.append(self.mark(name, x, y - 4) + f'<text x="{x + 10}" y="{y}"{weight}>{escape(name)}</text>')
            x += 28 + 7.2 * len(name)
        return "".join(out)


def shape_points(shape, r):
    """A polygon around the origin."""
    if shape == "star":
        return [(r * (1 if i % 2 == 0 else 0.45) * math.sin(i * math.pi / 5),
                 -r * (1 if i % 2 == 0 else 0.45) * math.cos(i * math.pi / 5)) for i in range(10)]
    if shape == "square":
        return [(-0.85 * r, -0.85 * r), (0.85 * r, -0.85 * r), (0.85 * r, 0.85 * r), (-0.85 * r, 0.85 * r)]
    if shape == "triangle":
        return [(0, -1.1 * r), (r, 0.8 * r), (-r, 0.8 * r)]
    if shape == "down":
        return [(0, 1.1 * r), (r, -0.8 * r), (-r, -0.8 * r)]
    if shape == "diamond":
        return [(0, -1.2 * r), (1.2 * r, 0), (0, 1.2 * r), (-1.2 * r, 0)]
    if shape == "bar":
        return [(-0.4 * r, -1.2 * r), (0.4 * r, -1.2 * r), (0.4 * r, 1.2 * r), (-0.4 * r, 1.2 * r)]
    if shape in ("plus", "cross"):
        a, b = 0.35 * r, 1.15 * r
        plus = [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]
        if shape == "plus":
            return plus
        c = math.sqrt(0.5)
        return [((x - y) * c, (x + y) * c) for x, y in plus]
    return [(r * math.sin(i * math.pi / 12), r * math.cos(i * math.pi / 12)) for i in range(24)]


def document(width, height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{escape(title)}">{STYLE}<rect width="{width}" height="{height}" class="ground"/>'
            + "".join(parts) + "</svg>\n")


def ticks(low, high):
    """Round numbers for a logarithmic axis: the roundest first, then finer ones where they do not crowd; 1 always."""
    apart = math.log(high / low) / 12
    found = [1.0] if low <= 1 <= high else []
    for candidates in ([1], [2, 5], [1.5, 3, 7], [1.1, 1.2, 1.3, 1.4, 1.6, 1.7, 1.8, 1.9, 2.5, 4, 6, 8, 9]):
        for value in sorted(c * 10.0 ** e for e in range(-3, 5) for c in candidates):
            if low <= value <= high and all(abs(math.log(value / other)) >= apart for other in found):
                found.append(value)
        if len(found) >= 5:
            break
    return sorted(found)


class Axis:
    """Logarithmic: twice and half are equally far from one."""

    def __init__(self, low, high, begin, end):
        self.low, self.high, self.begin, self.end = math.log(low), math.log(high), begin, end

    def __call__(self, value):
        share = (math.log(value) - self.low) / (self.high - self.low)
        return self.begin + min(max(share, 0.0), 1.0) * (self.end - self.begin)


def number(value):
    return f"{value:.3g}"


# --- the summary ---

def summary(results):
    look, names = Look(results), results.allocators()
    points = []
    for name in names:
        time = figures.mean_ratio(results, name, "time_s", "best rival")[0]
        memory = figures.mean_ratio(results, name, "peak_kib", "glibc")[0] if "glibc" in names else None
        if time and memory:
            points.append((name, time, memory))
    width, height, left, right, top, bottom = 640, 420, 64, 24, 56, 52
    if not points:
        return document(width, height, "nothing to show", [])
    low_x, high_x = min(p[1] for p in points) * 0.95, max(p[1] for p in points) * 1.12
    low_y, high_y = min(p[2] for p in points) * 0.94, max(p[2] for p in points) * 1.08
    across, up = Axis(low_x, high_x, left, width - right), Axis(low_y, high_y, height - bottom, top)
    title = "Time and memory, geometric means over all workloads"
    parts = [f'<text x="{left}" y="24" class="head">{title}</text>'
             f'<text x="{left}" y="42" class="small muted">lower left is better; 1 is the best rival of each workload '
             f"(time) and the C library (memory)</text>"]
    for t in ticks(low_x, high_x):
        parts.append(f'<line x1="{across(t):.1f}" x2="{across(t):.1f}" y1="{top}" y2="{height - bottom}" class="grid"/>'
                     f'<text x="{across(t):.1f}" y="{height - bottom + 18}" text-anchor="middle">{number(t)}</text>')
    for t in ticks(low_y, high_y):
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{up(t):.1f}" y2="{up(t):.1f}" class="grid"/>'
                     f'<text x="{left - 8}" y="{up(t) + 4:.1f}" text-anchor="end">{number(t)}</text>')
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 12}" text-anchor="middle">time</text>'
                 f'<text transform="translate(18 {(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">peak RSS</text>')
    return document(width, height, title, parts + summary_points(look, points, across, up, width - right))


def summary_points(look, points, across, up, edge):
    """The marks, each with its name beside it, moved down where it would cover another name."""
    parts, taken = [], []
    for name, time, memory in sorted(points, key=lambda p: p[2], reverse=True):
        x, y = across(time), up(memory)
        parts.append(look.mark(name, x, y, 7, f"{name}: time {time:.3f}, peak RSS {memory:.3f}"))
        label_width = 11 + 7.5 * len(name)
        at_left = x + label_width > edge
        label_x, label_y = (x - 11 if at_left else x + 11), y + 4
        while any(abs(label_y - other) < 13 and abs(x - other_x) < label_width for other_x, other in taken):
            label_y += 3
        taken.append((x, label_y))
        weight = "strong" if name in look.subjects else ""
        parts.append(f'<text x="{label_x:.1f}" y="{label_y:.1f}" class="{weight}" '
                     f'text-anchor="{"end" if at_left else "start"}">{escape(name)}</text>')
    return parts


# --- a row for each workload ---

ROW = 21


def rows(results, title, note, figure, against):
    """Marks of all allocators in one row for each workload; a thin line spans the quartiles of a subject."""
    look, names = Look(results), results.allocators()
    cells = {(w, n): figures.ratio(results, w, n, figure, against) for w, _ in results.workloads() for n in names}
    values = [v for v in cells.values() if v]
    if not values:
        return document(640, 40, title, [])
    low, high = min(0.9, min(values) * 0.95), min(16.0, max(2.0, max(values) * 1.05))
    left, right, top = 150, 30, 78
    listed = grouped(results)
    width, height = 860, top + len(listed) * ROW + 34
    axis = Axis(low, high, left, width - right)
    parts = [f'<text x="16" y="24" class="head">{escape(title)}</text><text x="16" y="42" class="small muted">{escape(note)}</text>',
             look.legend(names, 24, 64)]
    bottom = top + len(listed) * ROW
    for i, (workload, _) in enumerate(listed):
        if workload and i % 2:
            parts.append(f'<rect x="{left}" y="{top + i * ROW}" width="{width - left - right}" height="{ROW}" class="stripe"/>')
    for t in ticks(low, high):
        kind = "one" if abs(t - 1) < 1e-9 else "grid"
        parts.append(f'<line x1="{axis(t):.1f}" x2="{axis(t):.1f}" y1="{top}" y2="{bottom}" class="{kind}"/>'
                     f'<text x="{axis(t):.1f}" y="{bottom + 18}" text-anchor="middle">{number(t)}</text>')
    for i, (workload, group) in enumerate(listed):
        y = top + i * ROW + ROW / 2
        if not workload:
            parts.append(f'<text x="16" y="{y + 4}" class="strong small muted">{escape(group)}</text>')
            continue
        parts.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(workload)}</text>')
        for name in sorted(names, key=lambda n: n in look.subjects):
            value = cells[workload, name]
            if value:
                beyond = " (beyond the axis)" if value > high else ""
                if name in look.subjects:
                    parts.append(spread_line(results, workload, name, figure, value, axis, y, look.colour[name]))
                parts.append(look.mark(name, axis(value), y, 4.6, f"{workload}, {name}: {value:.2f}{beyond}"))
    return document(width, height, title, parts)


def spread_line(results, workload, name, figure, value, axis, y, colour):
    """From the lower to the upper quartile, around the median's mark."""
    low, high = figures.quartiles(results, workload, name, figure)
    return (f'<line x1="{axis(value * low):.1f}" x2="{axis(value * high):.1f}" y1="{y}" y2="{y}" stroke="{colour}" '
            'stroke-width="2"/>')


def grouped(results):
    """(workload, group) rows with a row ("", group) before each group."""
    listed = []
    for group in figures.groups(results)[1:]:
        listed.append(("", group))
        listed += [item for item in results.workloads() if item[1] == group]
    return listed


def all_plots(results):
    """(name, svg) of each plot; none where only probes were run."""
    if not results.workloads():
        return []
    plots = [("summary", summary(results)),
             ("time", rows(results, "Time of each workload", "against the best rival of the row; logarithmic, further left is "
                           "better; medians", "time_s", "best rival"))]
    if "glibc" in results.allocators():
        plots.append(("memory", rows(results, "Peak RSS of each workload", "against the C library; logarithmic, further left "
                                     "is better; medians", "peak_kib", "glibc")))
    return plots
