"""Two files of results side by side: did a change help?

Machines drift. So each ratio new/old of a subject is also given divided by the drift of its row: the geometric mean of
new/old over the rivals that both files hold. A change is marked where it is larger than both spreads together.
"""

from . import counts, figures, report


def both(old, new, workload, name, figure):
    a, b = figures.median(old, workload, name, figure), figures.median(new, workload, name, figure)
    return (a, b) if a and b else None


def drift(old, new, workload, figure):
    pairs = [both(old, new, workload, name, figure) for name in figures.rivals(new)]
    return figures.geometric_mean([b / a for a, b in filter(None, pairs)]) or 1.0


def row_of(old, new, workload, name):
    time, peak = both(old, new, workload, name, "time_s"), both(old, new, workload, name, "peak_kib")
    if not time or not peak:
        return None
    change = time[1] / time[0] / drift(old, new, workload, "time_s")
    noise = (figures.spread(old, workload, name, "time_s") + figures.spread(new, workload, name, "time_s")) / 2
    mark = " " if abs(change - 1) <= max(noise, 0.01) else "-" if change < 1 else "+"
    cells = [workload, name, f"{time[0]:.3f}", f"{time[1]:.3f}", f"{time[1] / time[0]:.3f}", f"{change:.3f}{mark}",
             f"{noise:.3f}", f"{peak[0] / 1024:.1f}", f"{peak[1] / 1024:.1f}", f"{peak[1] / peak[0]:.3f}"]
    return cells, change, peak[1] / peak[0]


def counts_text(old, new):
    """System calls and instructions do not drift: every change is one."""
    for metric in ("syscalls", "memory", "instructions", "instructions_trust"):
        for name in new.subjects():
            pairs = [(w, counts.value(old, w, name, metric), counts.value(new, w, name, metric)) for w, _ in new.all_workloads()]
            pairs = [(w, a, b) for w, a, b in pairs if a and b]
            moved = sorted(((b / a, w) for w, a, b in pairs if abs(b / a - 1) >= 0.01), reverse=True)
            if pairs:
                mean = figures.geometric_mean([b / a for _, a, b in pairs])
                yield (f"{name}, {metric}: {mean:.3f} of the old over {len(pairs)} workloads" +
                       ("; changed: " + ", ".join(f"{w} {ratio:.2f}" for ratio, w in moved) if moved else ""))


def text(old, new):
    for fact in ("scale", "processor", "kernel", "processors usable"):
        if old.facts.get(fact) != new.facts.get(fact):
            yield f"Careful: {fact} differs: {old.facts.get(fact)} / {new.facts.get(fact)}"
    yield from counts_text(old, new)
    rows, changes = [], {}
    for workload, _ in new.workloads():
        for name in new.subjects() or new.allocators():
            got = row_of(old, new, workload, name)
            if got:
                rows.append(got[0])
                changes.setdefault(name, []).append(got[1:])
    if not rows:
        yield "Nothing to compare: no workload is right for the same allocator in both files."
        return
    yield "New against old (without drift: by the rivals' change in the same row; + slower, - faster than the noise)\n"
    yield report.table(["", "", "old s", "new s", "ratio", "without drift", "noise", "old MiB", "new MiB", "ratio"], rows)
    for name, items in changes.items():
        time = figures.geometric_mean([item[0] for item in items])
        peak = figures.geometric_mean([item[1] for item in items])
        yield f"\n{name}: time {time:.3f}, peak RSS {peak:.3f} of the old, geometric means over {len(items)} workloads"
