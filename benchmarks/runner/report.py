"""The report as text: summary, then the tables. Everything comes from the results alone."""

from . import counts, figures, store

MARK_LIMIT = 1.05  # a subject slower than the best rival by more than this is listed


def table(head, rows):
    """First column to the left, the others to the right."""
    cells = [head, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for number, row in enumerate(cells):
        lines.append("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())
        if number == 0:
            lines.append("  ".join("-" * w for w in widths))
    return "\n".join(lines)


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def time_reference(results):
    """Against whom one single rival's time is compared: mimalloc, or else the first rival after the C library."""
    names = figures.rivals(results)
    return "mimalloc" if "mimalloc" in names else next((n for n in names if n != "glibc"), "glibc")


def summary_rows(results):
    """(title, figure, against) of each geometric mean."""
    return [("time, against " + time_reference(results), "time_s", time_reference(results)),
            ("time, against the best rival of each row", "time_s", "best rival"),
            ("processor time, against " + time_reference(results), "processor_s", time_reference(results)),
            ("peak RSS, against glibc", "peak_kib", "glibc"),
            ("final RSS, against glibc", "final_kib", "glibc")]


def summary(results):
    names = results.allocators()
    rows = []
    for title, figure, against in summary_rows(results):
        if against != "best rival" and against not in names:
            continue
        for group in figures.groups(results):
            row = [title if group == figures.GROUP_ALL else "  - " + group]
            for name in names:
                mean, counted, there = figures.mean_ratio(results, name, figure, against, group)
                row.append(number(mean, 3) + ("" if counted == there or mean is None else f" ({counted}/{there})"))
            rows.append(row)
    return "Geometric means (n/N: only n of N workloads have a figure)\n\n" + table(["", *names], rows)


def times(results):
    names = results.allocators()
    rows = []
    for workload, _ in results.workloads():
        best = figures.best_rival(results, workload)[0]
        row = [workload]
        for name in names:
            value = figures.median(results, workload, name, "time_s")
            wide = figures.spread(results, workload, name, "time_s")
            star = "*" if name == best else " "
            row.append("-" if value is None else f"{value:.3f} ±{wide * 50:.0f}%{star}")
        rows.append(row)
    return "Time in seconds, median ± half the distance of the quartiles (* the best rival)\n\n" + table(["", *names], rows)


def ratios(results, title, figure, against, digits=2):
    names = results.allocators()
    if against != "best rival" and against not in names:
        return None
    rows = []
    for workload, _ in results.workloads():
        base_name, base = (figures.best_rival(results, workload, figure) if against == "best rival" else
                           (against, figures.median(results, workload, against, figure)))
        if base is None:
            continue
        size = f"{base:.3f} s" if figure.endswith("_s") else f"{base / 1024:.1f} MiB"
        cells = [number(figures.ratio(results, workload, name, figure, against), digits) for name in names]
        rows.append([workload, *cells, f"{base_name} {size}"])
    return f"{title}\n\n" + table(["", *names, "1 is"], rows) if rows else None


def faults(results):
    names = results.allocators()
    rows = []
    for workload, _ in results.workloads():
        row = [workload]
        for name in names:
            value = figures.median(results, workload, name, "minor_faults")
            row.append("-" if value is None else f"{value / 1000:.1f}")
        rows.append(row)
    return "Page faults in thousands\n\n" + table(["", *names], rows)


def metrics_known(results, scale):
    """(workload, metric) of all that workloads tell of themselves: those about scale, or the others."""
    return list(dict.fromkeys((row.workload, metric) for row in results.rows for metric in row.run.metrics
                              if row.round != store.COUNTED and (row.group == store.SCALE) == scale))


def metrics(results, title="Told by the workloads", scale=False):
    """What the workloads tell of themselves, such as RSS over live bytes after a spike."""
    names, known = results.allocators(), metrics_known(results, scale)
    rows = [[f"{workload}: {metric}", *(metric_text(figures.median(results, workload, name, "metric:" + metric))
                                        for name in names)] for workload, metric in known]
    return f"{title}\n\n" + table(["", *names], rows) if rows else None


COUNT_TABLES = [("syscalls", "System calls of a run (untimed pass)"), ("memory", "Of these, for memory: " + " ".join(counts.MEMORY_CALLS)),
                ("instructions", f"Instructions (callgrind), whole program at {counts.INSTRUCTIONS_SCALE:g} of the scale")]


def counted(results, metric, title):
    titles, rows = counts.table_rows(results, metric)
    if not rows:
        return None
    return f"{title}\n\n" + table(["", *titles], [[name, *map(counts.count_text, values)] for name, values in rows])


def metric_text(value):
    return "-" if value is None else f"{value:.4g}" if value < 10000 else f"{value:.0f}"


def problems(results):
    """Every cell that did not end as it should."""
    lines = []
    for workload, _ in results.all_workloads():
        for name in results.allocators():
            status = figures.cell_status(results.runs(workload, name))
            if status not in ("ok", "missing"):
                lines.append(f"{workload}, {name}: {status}")
    lines += counts.problems(results)
    return "Crashes, time-outs, wrong results\n\n" + "\n".join(lines) if lines else None


def left_out(results):
    lines = [f"{workload}: {why}" for workload, why in results.left_out()]
    return "Left out on this machine\n\n" + "\n".join(lines) if lines else None


def losses(results):
    """Where a subject is slower than the best rival, or larger than glibc, worst first."""
    lines = []
    for subject in results.subjects():
        slow = [(figures.ratio(results, w, subject, "time_s", "best rival"), w) for w, _ in results.workloads()]
        large = [(figures.ratio(results, w, subject, "peak_kib", "glibc"), w) for w, _ in results.workloads()]
        slow = sorted(((r, w) for r, w in slow if r and r > MARK_LIMIT), reverse=True)
        large = sorted(((r, w) for r, w in large if r and r > 1.0), reverse=True)
        if slow:
            lines.append(f"{subject}: slower than the best rival by more than {MARK_LIMIT - 1:.0%}: "
                         + ", ".join(f"{w} {r:.2f}" for r, w in slow))
        if large:
            lines.append(f"{subject}: larger than glibc: " + ", ".join(f"{w} {r:.2f}" for r, w in large))
    return "\n".join(lines) or None


def text(results):
    reference = time_reference(results)
    timed = [] if not results.workloads() else timed_parts(results, reference)
    parts = [*timed, *(counted(results, metric, title) for metric, title in COUNT_TABLES), metrics(results),
             metrics(results, "How it scales", scale=True), problems(results),
             left_out(results), *([summary(results), losses(results)] if timed else [])]
    return "\n\n".join(part for part in parts if part) + "\n"


def timed_parts(results, reference):
    return [times(results),
             ratios(results, f"Time against {reference}", "time_s", reference),
             ratios(results, "Time against the best rival of the row", "time_s", "best rival"),
             ratios(results, "Processor time (user and system; of servers, the server's) against the best rival", "processor_s",
                    "best rival"),
             ratios(results, "Peak RSS against glibc", "peak_kib", "glibc"),
             ratios(results, "Final RSS against glibc", "final_kib", "glibc"),
             faults(results)]
