"""./bench: reads the command line, gets everything ready, runs, reports.

Order of a measurement: each workload runs once under the C library first; that warms the caches of files, gives the
checksum that every other run must give too, and says how long the rest will take. Then come the rounds; in a round all
allocators run a workload one after the other, in an order that is turned by one with each workload and round and reversed
in every second round, so that each meets each as predecessor and drift of the machine hits all alike.
"""

import argparse
import hashlib
import os
import re
import shutil
import sys

from . import allocators, build, compare, counts, machine, packages, page, probes, publish, report, store, workloads
from .terminal import Progress, clear, duration, say

QUICK_ALLOCATORS = "glibc,mimalloc,loam"
ROUNDS, QUICK_ROUNDS = 7, 3


def options_read(arguments):
    parser = argparse.ArgumentParser(prog="./bench", description="Measures Loam and its rivals, and reports.",
                                     epilog="See benchmarks/README.md.")
    add = parser.add_argument
    add("others", nargs="*", metavar="NAME=PATH.so", help="another allocator to preload; a name that begins with loam is "
        "no rival but a subject, as Loam itself")
    add("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds of {QUICK_ALLOCATORS}: a few minutes")
    add("--only", metavar="PATTERN", help="only workloads whose name or group matches this regular expression")
    add("--allocators", metavar="A,B", help=f"of {', '.join(allocators.RIVALS)}, loam, and the NAMEs given")
    add("--rounds", type=int, metavar="N", help=f"default {ROUNDS}")
    add("--loam", metavar="PATH", help="default build/release/libloam.so.1, which is brought up to date first")
    add("--scale", type=float, default=1.0, metavar="X", help="shorter or longer workloads, to try out; 1 is what counts")
    add("--timeout", type=float, metavar="S", help="for one run; default 20 times what the C library took, at least 30")
    add("--compare", metavar="OLD.csv", help="say what has changed since")
    add("--report", metavar="FILE.csv", help="run nothing, report on this file (also with --compare)")
    add("--output", metavar="FILE.csv", help="default build/bench/results.csv")
    add("--build", metavar="FOLDER", help="default build/bench")
    add("--counts", action="store_true", help="count system calls and instructions too, in runs of their own that are not "
        "timed; the full run does so anyway")
    add("--no-counts", action="store_true", help="not in the full run either")
    add("--scaling", type=float, nargs="?", const=probes.MOST_BLOCKS, metavar="BLOCKS", help="time and memory up to BLOCKS live "
        f"blocks (default {probes.MOST_BLOCKS:.0e}: 8 GiB), 64 GiB untouched, 512 simulated processors")
    add("--publish", metavar="FILE.csv", help="run nothing: put this file into benchmarks/results and its plots into docs/plots")
    add("--offline", action="store_true", help="install nothing")
    add("--list", action="store_true", help="list the workloads and stop")
    return parser.parse_args(arguments)


def workloads_chosen(only, quick, scaling=None):
    def wanted(w):
        if only:
            return re.search(only, w.name) or re.search(only, w.group)
        return scaling if w.group == store.SCALE else not (w.extra or quick and w.slow)

    chosen = [w for w in workloads.everything(int(scaling or 0)) if wanted(w)]
    if not chosen:
        raise SystemExit(f"bench: no workload matches {only}; see ./bench --list")
    return chosen


def allocators_chosen(options, root):
    extra = []
    for other in options.others:
        name, equals, path = other.partition("=")
        if not equals or not name or not path:
            raise SystemExit(f"bench: {other} is not NAME=PATH.so")
        extra.append((name, path))
    standard = QUICK_ALLOCATORS if options.quick else ",".join([*allocators.RIVALS, "loam"])
    names = (options.allocators or standard).split(",")
    names += [name for name, _ in extra if name not in names]
    return allocators.find(names, extra, root, options.loam, options.offline)


def allocators_usable(found, tools):
    usable = []
    for allocator in found:
        error = allocators.probe(allocator, os.path.join(tools, "probe"))
        if error:
            say(f"{allocator.name}: {allocator.library} cannot be put under a program: {error}; left out")
        else:
            usable.append(allocator)
    if not usable:
        raise SystemExit("bench: no allocator to measure")
    return usable


def order_of(allocators_used, round_number, workload_number):
    n = len(allocators_used)
    turned = [allocators_used[(i + round_number + workload_number) % n] for i in range(n)]
    return turned[::-1] if round_number % 2 else turned


class Measurement:
    def __init__(self, context, chosen, used, rounds, timeout):
        self.context, self.chosen, self.used, self.rounds, self.timeout = context, chosen, used, rounds, timeout
        self.rows, self.truth, self.seconds, self.given_up = [], {}, {}, set()
        self.left_out = {}  # name of a workload: why

    def prepare(self):
        """Reference runs. A workload that cannot run here, or not even on the C library, is left out, with a reason."""
        reference = allocators.rival_find(allocators.REFERENCE)
        able = []
        for workload in self.chosen:
            error = workload.prepare(self.context)
            if error:
                self.leave_out(workload, error)
                continue
            self.context.timeout = self.timeout or 300
            run = workload.run(self.context, reference)  # the timing of a probe for Loam alone is of Loam
            if run.status != "ok":
                self.leave_out(workload, f"under the C library: {run.status}")
                continue
            self.truth[workload.name], self.seconds[workload.name] = run.checksum, run.wall_s
            able.append(workload)
        self.chosen = able

    def leave_out(self, workload, why):
        say(f"{workload.name}: left out: {why}")
        self.left_out[workload.name] = " ".join(why.split())

    def takes_part(self, workload, allocator, round_number):
        return (workload.name, allocator.name) not in self.given_up and workload.runs_on(allocator) and \
            round_number < (workload.rounds or self.rounds)

    def run_one(self, workload, allocator, round_number, place):
        if not self.takes_part(workload, allocator, round_number):
            return
        self.context.timeout = self.timeout or max(30.0, 20 * self.seconds[workload.name])
        run = workload.run(self.context, allocator)
        if run.status == "ok" and run.checksum != self.truth[workload.name]:
            run.status = f"wrong result ({run.checksum or 'none'}, not {self.truth[workload.name]})"
        if run.status != "ok":
            say(f"{workload.name}, {allocator.name}, round {round_number + 1}: {run.status}")
        if run.status.startswith("timeout"):
            self.given_up.add((workload.name, allocator.name))  # it would only cost as long again
        self.rows.append(store.Row(workload.name, workload.group, allocator.name, round_number + 1, place + 1, run))

    def run_all(self):
        each = {w.name: min(w.rounds or self.rounds, self.rounds) * sum(w.runs_on(a) for a in self.used) for w in self.chosen}
        total = sum(self.seconds[w.name] * each[w.name] for w in self.chosen)
        say(f"{len(self.chosen)} workloads, {len(self.used)} allocators, {self.rounds} rounds: about {duration(total)}")
        progress = Progress(sum(each.values()), total)
        try:
            for round_number in range(self.rounds):
                for number, workload in enumerate(self.chosen):
                    for place, allocator in enumerate(order_of(self.used, round_number, number)):
                        if self.takes_part(workload, allocator, round_number):
                            what = f"round {round_number + 1}/{self.rounds} {workload.name} {allocator.name}"
                            progress.step(what, self.seconds[workload.name])
                        self.run_one(workload, allocator, round_number, place)
        except KeyboardInterrupt:
            say("Interrupted: reporting on what there is.")
        clear()

    def count_all(self):
        """System calls and instructions, each once; what is counted does not drift with the machine."""
        counting = counts.Counting(self.context, self.chosen, self.used, self.truth, self.seconds)
        say(f"Counting system calls and instructions: {len(counting.items)} runs, none of them timed")
        progress = Progress(len(counting.items), 0)
        try:
            counting.run_all(lambda what: progress.step(what, 0))
        except KeyboardInterrupt:
            say("Interrupted: reporting on what there is.")
        self.rows += counting.rows
        clear()


def facts_of(options, used, rounds):
    facts = machine.facts()
    facts["rounds"] = str(rounds)
    facts["scale"] = f"{options.scale:g}"
    facts["subjects"] = " ".join(a.name for a in used if a.subject)
    for allocator in used:
        facts["allocator " + allocator.name] = f"{allocator.version}, sha256 {library_digest(allocator.library)}"
    return facts


def library_digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()[:16]


def results_measure(options, root, source):
    folder = os.path.abspath(options.build or os.path.join(root, "build", "bench"))
    tools = os.path.join(folder, "programs")
    chosen = workloads_chosen(options.only, options.quick, options.scaling)
    with_counts = not options.no_counts and (options.counts or not options.quick and not options.only)
    if not options.offline:
        packages.install([package for package in ("gcc", "g++", "make", "cmake") if not shutil.which(package)])
    found = allocators_chosen(options, root)
    if not options.offline:
        packages.install(sorted({package for workload in chosen for package in workload.packages} |
                                ({"valgrind"} if with_counts else set())))
    say("Compiling the workloads")
    build.build(source, tools)
    used = allocators_usable(found, tools)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    facts = facts_of(options, used, rounds)
    context = workloads.Context(tools, os.path.join(folder, "run"), source, os.path.join(folder, "packages"), options.scale, 0)
    if any(isinstance(w, probes.Processors) for w in chosen) and not options.loam:
        context.loam_core = probes.core_build(root)
    measurement = Measurement(context, chosen, used, rounds, options.timeout)
    say("Each workload once under the C library: what is right, and how long it takes")
    measurement.prepare()
    facts.update((store.LEFT_OUT + name, why) for name, why in measurement.left_out.items())
    path = os.path.abspath(options.output or os.path.join(folder, "results.csv"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    measurement.run_all()
    results = store.Results(facts, measurement.rows)
    store.write(path, results)  # what was timed is safe, whatever becomes of the counting
    if with_counts:
        measurement.count_all()
        results = store.Results(facts, measurement.rows)
        store.write(path, results)
    return results, path


def main(root):
    options = options_read(sys.argv[1:])
    source = os.path.join(root, "benchmarks")
    if options.list:
        for workload in workloads.everything():
            note = "with --scaling" if workload.group == store.SCALE else "only when --only names it" if workload.extra else "not with --quick" if workload.slow else ""
            print(f"{workload.name:16} {workload.group:16} {note}".rstrip())
        return 0
    if options.publish:
        say("Written: " + " ".join(publish.publish(root, options.publish)))
        return 0
    old = store.read(options.compare) if options.compare else None  # before anything overwrites it
    if options.report:
        results, path = store.read(options.report), options.report
    else:
        results, path = results_measure(options, root, source)
    if not results.rows:
        raise SystemExit("bench: nothing was measured")
    print(report.text(results))
    if old:
        print("\n".join(compare.text(old, results)))
    say(f"Written: {path}, {page.write(results, path)} and its plots beside it")
    bad = [row for row in results.rows if row.allocator in results.subjects() and row.run.status != "ok"]
    return 1 if bad else 0
