"""The two plots of the README: geometric means of time and of peak RSS as bars, the least on top.

A bar is the mean over all workloads; the marks beside it are the means of the groups, so that nobody is best by one group
alone without its being seen.
"""

from . import figures
from .plots import Look, document, escape

WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 720, 104, 66, 76, 30, 34
GROUP_MARKS = {"one thread": "circle", "several threads": "square", "real programs": "triangle"}


class Linear:
    """A bar must begin at 0, so its axis is linear; it ends a little beyond the longest."""

    def __init__(self, highest):
        self.highest = highest * 1.04

    def __call__(self, value):
        return LEFT + min(value, self.highest) / self.highest * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        step = next(s for s in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1e9) if self.highest / s <= 7)
        return [step * i for i in range(int(self.highest / step) + 1)]


def means(results, figure, against):
    """[(allocator, mean, {group: mean})], the least first."""
    rows = []
    for name in results.allocators():
        mean = figures.mean_ratio(results, name, figure, against)[0]
        groups = {g: figures.mean_ratio(results, name, figure, against, g)[0] for g in figures.groups(results)[1:]}
        if mean:
            rows.append((name, mean, {g: m for g, m in groups.items() if m}))
    return sorted(rows, key=lambda row: row[1])


def group_mark(shape, x, y):
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" class="groupmark"/>'
    if shape == "square":
        return f'<rect x="{x - 3.3:.1f}" y="{y - 3.3:.1f}" width="6.6" height="6.6" class="groupmark"/>'
    return f'<path d="M{x:.1f} {y - 4.2:.1f}L{x + 4.2:.1f} {y + 3.4:.1f}L{x - 4.2:.1f} {y + 3.4:.1f}Z" class="groupmark"/>'


MORE_STYLE = """<style>
  .groupmark { fill: #ffffff; stroke: #24292f; stroke-width: 1.2; }
  @media (prefers-color-scheme: dark) { .groupmark { fill: #14181d; stroke: #d6dce3; } }
</style>"""


def bars(results, title, note, figure, against):
    rows = means(results, figure, against)
    if not rows:
        return document(WIDTH, 40, title, [])
    look = Look(results)
    highest = max([mean for _, mean, _ in rows] + [m for _, _, groups in rows for m in groups.values()])
    axis, bottom = Linear(highest), TOP + len(rows) * ROW
    parts = [MORE_STYLE, f'<text x="16" y="24" class="head">{escape(title)}</text>'
             f'<text x="16" y="42" class="small muted">{escape(note)}</text>']
    x = 20
    for group in [g for g in figures.groups(results)[1:] if g in GROUP_MARKS]:
        parts.append(group_mark(GROUP_MARKS[group], x, 59) + f'<text x="{x + 9}" y="63" class="small muted">{escape(group)}</text>')
        x += 32 + 6.4 * len(group)
    for t in axis.ticks():
        kind = "one" if abs(t - 1) < 1e-9 else "grid"
        parts.append(f'<line x1="{axis(t):.1f}" x2="{axis(t):.1f}" y1="{TOP}" y2="{bottom}" class="{kind}"/>'
                     f'<text x="{axis(t):.1f}" y="{bottom + 18}" text-anchor="middle" class="small">{t:g}</text>')
    for i, (name, mean, groups) in enumerate(rows):
        y = TOP + i * ROW
        strong = "strong" if name in look.subjects else ""
        opacity = 1.0 if name in look.subjects else 0.62
        parts.append(f'<rect x="{LEFT}" y="{y + 6}" width="{axis(mean) - LEFT:.1f}" height="{ROW - 12}" rx="2" '
                     f'fill="{look.colour[name]}" fill-opacity="{opacity}"/>'
                     f'<text x="{LEFT - 10}" y="{y + ROW / 2 + 4}" text-anchor="end" class="{strong}">{escape(name)}</text>'
                     f'<text x="{WIDTH - 12}" y="{y + ROW / 2 + 4}" text-anchor="end" class="{strong}">{mean:.2f}</text>')
        parts += [group_mark(GROUP_MARKS[g], axis(m), y + ROW / 2) for g, m in groups.items() if g in GROUP_MARKS]
    return document(WIDTH, bottom + BOTTOM, title, parts)


def reference_of(results):
    from . import report  # which imports half of the others
    return report.time_reference(results)


def readme_plots(results):
    """(name, svg) of the two."""
    if not results.workloads():
        return []
    reference, count = reference_of(results), len(results.workloads())
    made = [("time", bars(results, "Time", f"geometric mean over {count} workloads, against {reference}; shorter is better; "
                          "marks: groups of workloads", "time_s", reference))]
    if "glibc" in results.allocators():
        made.append(("memory", bars(results, "Peak memory (RSS)", f"geometric mean over {count} workloads, against the C library; "
                                    "shorter is better; marks: groups of workloads", "peak_kib", "glibc")))
    return made
