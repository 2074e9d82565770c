"""The untimed pass: system calls of every workload (but those that say `calls=False`), instructions of those with one thread.

System calls are counted by launcher/count.c over a whole run at full size, children included. Instructions are counted by
valgrind's callgrind, of the whole program, at a small scale; the program does the same under every allocator, so the
differences are the allocators'. Callgrind cannot run restartable sequences: an allocator sees a kernel without them and does
what it does then (Loam: lists under locks). What Loam's sequences would have cost is counted once more with LOAM=rseq:trust,
which runs them as plain code, and stands in a column of its own that says so.
"""

import dataclasses
import os
import re
import shutil

from . import measure, store, workloads
from .terminal import say

MEMORY_CALLS = ("mmap", "munmap", "mremap", "madvise", "brk", "mprotect")
INSTRUCTIONS_SCALE = 0.02
SYSTEM_CALLS, INSTRUCTIONS, TRUSTED = 1, 2, 3  # the place of a counted row says by which pass
PASS_NAMES = {SYSTEM_CALLS: "while counting system calls", INSTRUCTIONS: "while counting instructions",
              TRUSTED: "while counting instructions with LOAM=rseq:trust"}


def instructions_counted(workload):
    return workload.group == workloads.ONE and getattr(workload, "instructions", False)


def calls_counted(workload):
    return workload.group not in (store.PROBES, store.SCALE) and getattr(workload, "calls", True)


class Counting:
    """All counting runs of a measurement. `truth`: the checksums at full scale."""

    def __init__(self, context, chosen, used, truth, seconds):
        self.used, self.truth, self.seconds = used, truth, seconds
        self.context, self.rows, self.small_truth = context, [], {}
        has_valgrind = shutil.which("valgrind", path=measure.ENVIRONMENT["PATH"])
        self.items = [(SYSTEM_CALLS, w, a) for w in chosen if calls_counted(w) for a in used]
        if has_valgrind:
            self.items += [(INSTRUCTIONS, w, a) for w in chosen if instructions_counted(w) for a in used]
            self.items += [(TRUSTED, w, a) for w in chosen if instructions_counted(w) for a in used if a.subject]
        else:
            say("Instructions are not counted: valgrind is not installed")

    def run_all(self, progress):
        for kind, workload, allocator in self.items:
            progress(f"{PASS_NAMES[kind]}: {workload.name} {allocator.name}")
            run = self.system_calls(workload, allocator) if kind == SYSTEM_CALLS else \
                self.instructions(workload, allocator, kind == TRUSTED)
            if run.status != "ok":
                run.status = f"{PASS_NAMES[kind]}: {run.status}"
                say(f"{workload.name}, {allocator.name}: {run.status}")
            self.rows.append(store.Row(workload.name, workload.group, allocator.name, store.COUNTED, kind, run))

    def system_calls(self, workload, allocator):
        timeout = max(120.0, 60 * self.seconds[workload.name])
        context = dataclasses.replace(self.context, launcher="count", timeout=timeout)
        run = workload.run(context, allocator)
        kept = {"syscalls", "futex", "membarrier", "sched_yield", *MEMORY_CALLS}
        run.metrics = {name: value for name, value in run.metrics.items() if name in kept}
        run.histograms, run.time_s = {}, 0.0
        return checked(run, self.truth[workload.name])

    def instructions(self, workload, allocator, trusted):
        log = os.path.join(self.context.place(workload.name), ".callgrind")
        wrapper = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-file=" + log)
        context = dataclasses.replace(self.context, wrapper=wrapper, scale=self.context.scale * INSTRUCTIONS_SCALE, timeout=600,
                                      settings={"LOAM": "rseq:trust"} if trusted else {})
        if os.path.exists(log):
            os.unlink(log)
        run = workload.run(context, allocator)
        run = checked(run, self.small_truth.setdefault(workload.name, run.checksum))
        metric = "instructions_trust" if trusted else "instructions"
        return measure.Run(status=run.status, checksum=run.checksum, metrics=collected(log, metric) if run.status == "ok" else {})


def checked(run, truth):
    if run.status == "ok" and run.checksum != truth:
        run.status = f"wrong result ({run.checksum or 'none'}, not {truth})"
    return run


def collected(log, metric):
    try:
        with open(log, errors="replace") as f:
            found = re.findall(r"Collected : (\d+)", f.read())
    except OSError:
        found = []
    return {metric: float(found[-1])} if found else {}


# --- what the report shows ---


def value(results, workload, allocator, metric):
    """A count, the sum of the calls for memory for `memory`, or None."""
    found = {}
    for run in results.counted(workload, allocator):
        if run.status == "ok":
            found.update(run.metrics)
    if metric == "memory":
        return sum(found[name] for name in MEMORY_CALLS) if "mmap" in found else None
    return found.get(metric)


def columns(results, metric):
    """(title, allocator, metric) of each column of a table of counts."""
    listed = [(name, name, metric) for name in results.allocators()]
    if metric == "instructions":
        listed += [(f"{name} (rseq:trust)", name, "instructions_trust") for name in results.subjects()]
    return listed


def table_rows(results, metric):
    """([titles], [(workload, [values])]) of what there is; ([], []) if nothing was counted."""
    shown = columns(results, metric)
    rows = [(workload, [value(results, workload, name, m) for _, name, m in shown]) for workload, _ in results.all_workloads()]
    rows = [row for row in rows if any(v is not None for v in row[1])]
    return ([title for title, _, _ in shown], rows) if rows else ([], [])


def count_text(number):
    """Four digits, with k, M or G."""
    if number is None:
        return "-"
    for limit, unit, divisor in ((10_000, "", 1), (1_000_000, " k", 1e3), (1_000_000_000, " M", 1e6)):
        if number < limit:
            return f"{number / divisor:.4g}{unit}"
    return f"{number / 1e9:.4g} G"


def problems(results):
    return [f"{row.workload}, {row.allocator}: {row.run.status}" for row in results.rows
            if row.round == store.COUNTED and row.run.status != "ok"]
