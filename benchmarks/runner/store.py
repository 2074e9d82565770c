"""Results as CSV: facts as lines `# name: value`, then one row for each run. The report is made of such a file alone."""

import csv
import dataclasses

from .measure import Run

FIGURES = ["time_s", "wall_s", "user_s", "sys_s", "peak_kib", "final_kib", "minor_faults", "major_faults", "switches",
           "preemptions"]
COLUMNS = ["workload", "group", "allocator", "round", "place", "status", *FIGURES, "checksum", "metrics", "histograms"]
PROBES, SCALE = "probes", "scale"  # groups whose workloads have questions of their own, and are in no mean
LEFT_OUT = "left out "  # begins the name of a fact that says why a workload did not run
COUNTED = 0  # the number of the round in which things were counted and nothing timed


@dataclasses.dataclass
class Row:
    workload: str
    group: str
    allocator: str
    round: int      # COUNTED, or from 1
    place: int      # in which place of its round's order the allocator ran
    run: Run


@dataclasses.dataclass
class Results:
    facts: dict
    rows: list

    def allocators(self):
        return list(dict.fromkeys(row.allocator for row in self.rows))

    def all_workloads(self):
        return list(dict.fromkeys((row.workload, row.group) for row in self.rows))

    def workloads(self):
        """Those that the means are made of."""
        return [item for item in self.all_workloads() if item[1] not in (PROBES, SCALE)]

    def runs(self, workload, allocator):
        """The timed ones."""
        return self.by_cell().get((workload, allocator, True), [])

    def counted(self, workload, allocator):
        return self.by_cell().get((workload, allocator, False), [])

    def by_cell(self):
        """(workload, allocator, timed) -> runs; made once, and again when rows have come."""
        if getattr(self, "_cells", (None, None))[0] != len(self.rows):
            cells = {}
            for row in self.rows:
                cells.setdefault((row.workload, row.allocator, row.round != COUNTED), []).append(row.run)
            self._cells = (len(self.rows), cells)
        return self._cells[1]

    def left_out(self):
        """(workload, why) of those that could not run on this machine."""
        return [(name[len(LEFT_OUT):], why) for name, why in self.facts.items() if name.startswith(LEFT_OUT)]

    def subjects(self):
        return self.facts.get("subjects", "").split()


def figure_text(value):
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def write(path, results):
    with open(path, "w", newline="") as f:
        for name, value in results.facts.items():
            f.write(f"# {name}: {value}\n")
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in results.rows:
            run = row.run
            metrics = ";".join(f"{name}={value:g}" for name, value in run.metrics.items())
            writer.writerow([row.workload, row.group, row.allocator, row.round, row.place, run.status,
                             *(figure_text(getattr(run, name)) for name in FIGURES), run.checksum, metrics,
                             histograms_text(run.histograms)])


def histograms_text(histograms):
    return ";".join(" ".join([name, *(f"{begin:g}:{calls}" for begin, calls in buckets)]) for name, buckets in histograms.items())


def histograms_read(text):
    found = {}
    for item in filter(None, text.split(";")):
        name, *buckets = item.split()
        found[name] = [(float(begin), int(calls)) for begin, calls in (b.split(":") for b in buckets)]
    return found


def row_read(cells):
    run = Run(status=cells["status"], checksum=cells["checksum"], histograms=histograms_read(cells.get("histograms") or ""))
    for name in FIGURES:
        setattr(run, name, float(cells[name]) if name.endswith("_s") else int(cells[name]))
    for item in filter(None, cells["metrics"].split(";")):
        name, _, value = item.partition("=")
        run.metrics[name] = float(value)
    return Row(cells["workload"], cells["group"], cells["allocator"], int(cells["round"]), int(cells["place"]), run)


def read(path):
    facts, lines = {}, []
    with open(path, newline="") as f:
        for line in f:
            if line.startswith("# "):
                name, _, value = line[2:].rstrip("\n").partition(": ")
                facts[name] = value
            else:
                lines.append(line)
    reader = csv.DictReader(lines)
    if reader.fieldnames not in (COLUMNS, COLUMNS[:-1]):  # older files have no histograms
        raise SystemExit(f"bench: {path} is not a file of results (its columns are {reader.fieldnames})")
    return Results(facts, [row_read(cells) for cells in reader])
