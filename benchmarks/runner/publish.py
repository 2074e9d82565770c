"""Puts a file of results where others find it: into benchmarks/results, its plots into docs/plots.

The plots have fixed names, which README.md and docs/performance.md show: time.svg and memory.svg are the two of the README,
the others those of the page. What a file holds beside figures are the facts of the machine; nothing in it may be a path of
whoever measured, and a file in which one stands is refused.
"""

import os
import shutil

from . import bars, charts, plots, store

PAGE_NAMES = {"summary": "time-and-memory", "time": "time-rows", "memory": "memory-rows"}


def paths_in(path):
    """Lines of facts that name a folder of this machine."""
    with open(path) as f:
        return [line.rstrip() for line in f if line.startswith("#") and ("/home/" in line or os.path.expanduser("~") + "/" in line
                                                                         or os.getcwd() in line)]


def publish(root, path):
    """Returns the files that were written."""
    results = store.read(path)
    if not results.rows:
        raise SystemExit(f"bench: {path} holds no run")
    named = paths_in(path)
    if named:
        raise SystemExit("bench: a fact names a folder of this machine: " + named[0])
    if results.facts.get("scale", "1") != "1":
        print(f"Careful: measured at scale {results.facts['scale']}, which means little")
    shelf, drawings = os.path.join(root, "benchmarks", "results"), os.path.join(root, "docs", "plots")
    os.makedirs(shelf, exist_ok=True)
    os.makedirs(drawings, exist_ok=True)
    target = os.path.join(shelf, os.path.basename(path))
    if os.path.abspath(path) != target:
        shutil.copyfile(path, target)
    written = [target]
    drawn = list(charts.all_charts(results))
    if any(row.group not in (store.PROBES, store.SCALE) for row in results.rows):  # a run of --scaling alone has no bars
        bar_plots = ((PAGE_NAMES[name], svg) for name, svg in plots.all_plots(results))
        drawn = [*bars.readme_plots(results), *bar_plots, *drawn]
    for name, svg in drawn:
        written.append(os.path.join(drawings, name + ".svg"))
        with open(written[-1], "w") as f:
            f.write(svg)
    return written
