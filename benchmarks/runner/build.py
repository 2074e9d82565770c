"""Compiles the launcher and the workloads into the build folder; only what has changed."""

import concurrent.futures
import os
import subprocess

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
# Without these gcc may remove an allocation, or turn malloc and memset into calloc.
HONEST = ["-fno-builtin-" + name for name in ("malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc")]


def newest(paths):
    return max(os.path.getmtime(p) for p in paths)


def commands(source_folder, folder):
    """(program, what it is made of, command) for each program."""
    for name in ("measure", "replay"):
        source, out = os.path.join(source_folder, "launcher", name + ".c"), os.path.join(folder, name)
        yield out, [source], ["gcc", "-std=gnu17", "-O2", *WARNINGS, "-static", source, "-o", out]
    workloads = os.path.join(source_folder, "workloads")
    header = os.path.join(workloads, "workload.h")
    for name in sorted(os.listdir(workloads)):
        source = os.path.join(workloads, name)
        stem, ending = os.path.splitext(name)
        out = os.path.join(folder, stem)
        common = ["-O2", "-g", "-pthread", *WARNINGS, *HONEST, source, "-o", out]
        if ending == ".c":
            yield out, [source, header], ["gcc", "-std=gnu17", *common, "-lm"]
        elif ending == ".cc":
            yield out, [source], ["g++", "-std=gnu++17", *common]


def build(source_folder, folder):
    os.makedirs(folder, exist_ok=True)
    stale = [(out, command) for out, sources, command in commands(source_folder, folder)
             if not os.path.exists(out) or os.path.getmtime(out) < newest(sources)]

    def make(item):
        out, command = item
        got = subprocess.run(command, capture_output=True, text=True)
        return None if got.returncode == 0 else f"{' '.join(command)}\n{got.stderr}"

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        errors = [e for e in pool.map(make, stale) if e]
    if errors:
        raise SystemExit("bench: cannot be compiled:\n" + "\n".join(errors))
