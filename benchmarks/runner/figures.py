"""Statistics: medians with their spread, ratios, geometric means.

A cell (workload, allocator) counts only if every one of its runs was right: one crash or wrong result takes it out of all
ratios, and it is listed by name instead. The spread is the distance of the quartiles over the median.
"""

import math
import statistics

GROUP_ALL = "all"


def cell_status(runs):
    """ok, missing, or the first thing that went wrong and how often."""
    bad = [run.status for run in runs if run.status != "ok"]
    if not runs:
        return "missing"
    return f"{bad[0]} ({len(bad)} of {len(runs)})" if bad else "ok"


def values(results, workload, allocator, figure):
    runs = results.runs(workload, allocator)
    if cell_status(runs) != "ok":
        return []
    if figure.startswith("metric:"):
        return [run.metrics[figure[7:]] for run in runs if figure[7:] in run.metrics]
    got = [getattr(run, figure) for run in runs]
    return [] if figure == "final_kib" and not all(got) else got


def median(results, workload, allocator, figure):
    """The median, or None where the cell does not count."""
    got = values(results, workload, allocator, figure)
    return statistics.median(got) if got else None


def quartiles(results, workload, allocator, figure):
    """The lower and the upper quartile over the median; (1, 1) where there are too few runs to tell."""
    got = values(results, workload, allocator, figure)
    if len(got) < 2 or statistics.median(got) == 0:
        return 1.0, 1.0
    quarters = statistics.quantiles(got, n=4, method="inclusive")
    return quarters[0] / statistics.median(got), quarters[2] / statistics.median(got)


def spread(results, workload, allocator, figure):
    low, high = quartiles(results, workload, allocator, figure)
    return high - low


def geometric_mean(numbers):
    return math.exp(sum(math.log(n) for n in numbers) / len(numbers)) if numbers else None


def rivals(results):
    return [name for name in results.allocators() if name not in results.subjects()]


def best_rival(results, workload, figure="time_s"):
    """(name, median) of the rival with the least, or (None, None)."""
    found = [(median(results, workload, name, figure), name) for name in rivals(results)]
    found = [(value, name) for value, name in found if value is not None]
    return (min(found)[1], min(found)[0]) if found else (None, None)


def ratio(results, workload, allocator, figure, against):
    """Median over that of `against`, a name or 'best rival'; None where either does not count."""
    mine = median(results, workload, allocator, figure)
    theirs = best_rival(results, workload, figure)[1] if against == "best rival" else \
        median(results, workload, against, figure)
    return mine / theirs if mine is not None and theirs else None


def mean_ratio(results, allocator, figure, against, group=GROUP_ALL):
    """(geometric mean, how many workloads are in it, how many there are)."""
    names = [workload for workload, its_group in results.workloads() if group in (GROUP_ALL, its_group)]
    ratios = [ratio(results, name, allocator, figure, against) for name in names]
    counted = [r for r in ratios if r]
    return geometric_mean(counted), len(counted), len(names)


def groups(results):
    return [GROUP_ALL, *dict.fromkeys(group for _, group in results.workloads())]
