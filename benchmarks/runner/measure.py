"""One run of one program under one allocator: the launcher is called, its figures are read."""

import dataclasses
import hashlib
import os
import subprocess

# Nothing here that an allocator reads; the same for all.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


@dataclasses.dataclass
class Run:
    status: str = "ok"      # ok, or in words what went wrong
    time_s: float = 0.0     # what the ratios are made of
    wall_s: float = 0.0
    user_s: float = 0.0
    sys_s: float = 0.0
    peak_kib: int = 0
    final_kib: int = 0
    minor_faults: int = 0
    major_faults: int = 0
    switches: int = 0
    preemptions: int = 0
    checksum: str = ""
    metrics: dict = dataclasses.field(default_factory=dict)
    histograms: dict = dataclasses.field(default_factory=dict)  # name: [(begin of the bucket, calls), ...]

    @property
    def processor_s(self):
        return self.user_s + self.sys_s


def environment(home):
    return dict(ENVIRONMENT, HOME=home, TMPDIR=home)


def figures_read(path):
    with open(path) as f:
        return dict(line.rstrip("\n").split(" ", 1) for line in f)


def end_in_words(end):
    """The launcher's `end` line as a status; None where the program ended by itself, with 0."""
    kind, _, number = end.partition(" ")
    if kind == "timeout":
        return "timeout"
    if kind == "signal":
        return f"crash (signal {number})"
    return None if number == "0" else f"failed (exit {number})"


def run_from(figures):
    run = Run()
    run.status = end_in_words(figures["end"]) or "ok"
    if "wall_s" not in figures:  # by the launcher that counts system calls, and measures nothing
        run.metrics = {name: float(value) for name, value in figures.items() if name != "end"}
        return run
    run.wall_s = run.time_s = float(figures["wall_s"])
    run.user_s, run.sys_s = float(figures["user_s"]), float(figures["sys_s"])
    for name in ("peak_kib", "final_kib", "minor_faults", "major_faults", "switches", "preemptions"):
        setattr(run, name, int(figures[name]))
    return run


def launch(context, allocator, command, folder, timeout, stdout, stdin=None):
    """Starts `command` in `folder` under the allocator; returns the launcher's process and the file of its figures."""
    out = os.path.join(folder, ".figures")
    if os.path.exists(out):
        os.unlink(out)
    stderr = open(os.path.join(folder, ".stderr"), "wb")
    with stderr:
        process = subprocess.Popen([os.path.join(context.tools, context.launcher), out, str(timeout), allocator.library,
                                    *context.wrapper, *command], cwd=folder, env=environment(folder) | context.settings,
                                   stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=stderr)
    return process, out


def complaint(folder):
    """The last line the program wrote to stderr, to be shown with a failure."""
    try:
        with open(os.path.join(folder, ".stderr"), errors="replace") as f:
            lines = [line.strip() for line in f if line.strip()]
    except OSError:
        return ""
    return lines[-1][:160] if lines else ""


def finish(process, out, folder):
    """Waits for the launcher (which keeps the time-out) and makes a Run of what it wrote."""
    process.wait()
    try:
        run = run_from(figures_read(out))
    except (OSError, KeyError, ValueError):
        return Run(status=f"failed (the launcher ended with {process.returncode}: {complaint(folder)})")
    if run.status != "ok" and complaint(folder):
        run.status += ": " + complaint(folder)
    return run


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def output_read(run, text):
    """Reads `checksum`, `metric` and `histogram` lines; metric time_s replaces the wall time as what counts."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "checksum":
            run.checksum = words[1]
        elif len(words) == 3 and words[0] == "metric":
            run.metrics[words[1]] = float(words[2])
        elif len(words) > 2 and words[0] == "histogram":
            run.histograms[words[1]] = [(float(begin), int(calls)) for begin, calls in (w.split(":") for w in words[2:])]
    run.time_s = run.metrics.pop("time_s", run.time_s)


def run_program(context, allocator, command, folder, stdin_path=None):
    """Runs a program to its end. Returns the Run and what the program wrote to stdout, as bytes."""
    output = os.path.join(folder, ".stdout")
    with open(output, "wb") as stdout:
        stdin = open(stdin_path, "rb") if stdin_path else None
        try:
            process, out = launch(context, allocator, command, folder, context.timeout, stdout, stdin)
        finally:
            if stdin:
                stdin.close()
        run = finish(process, out, folder)
    with open(output, "rb") as f:
        return run, f.read()
