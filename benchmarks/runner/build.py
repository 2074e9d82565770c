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
    launcher = os.path.join(source_folder, "launcher")
    for name in ("measure", "count", "replay"):
        source, out = os.path.join(launcher, name + ".c"), os.path.join(folder, name)
        yield out, [source, os.path.join(launcher, "child.h")], ["gcc", "-std=gnu17", "-O2", *WARNINGS, "-static", source, "-o", out]
    workloads = os.path.join(source_folder, "workloads")
    headers = [os.path.join(workloads, name) for name in os.listdir(workloads) if name.endswith(".h")]
    for name in sorted(os.listdir(workloads)):
        source = os.path.join(workloads, name)
        stem, ending = os.path.splitext(name)
        out = os.path.join(folder, stem)
        common = ["-D_GNU_SOURCE", "-O2", "-g", "-pthread", *WARNINGS, *HONEST, source, "-o", out]
        if ending == ".c":
            yield out, [source, *headers], ["gcc", "-std=gnu17", *common, "-lm"]
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


def processors_build(context):
    """Links benchmarks/processors with the library's objects; an error text or None."""
    source = os.path.join(context.source, "processors", "processors.c")
    root, out = os.path.dirname(context.source), os.path.join(context.tools, "processors")
    release = os.path.dirname(context.loam_core)
    includes = ["-I" + os.path.join(root, "src"), "-I" + os.path.join(root, "include"), "-I" + os.path.join(release, "include")]
    doubles = ["-Wl,--wrap=" + name for name in ("os_cpus_usable", "os_cpu_current")]
    command = ["gcc", "-std=gnu17", "-O2", "-g", "-pthread", *WARNINGS, "-fno-builtin", "-DLOAM_NO_REPLACE=1", *includes, source,
               context.loam_core, *doubles, "-o", out]
    got = subprocess.run(command, capture_output=True, text=True)
    return None if got.returncode == 0 else f"processors.c cannot be linked with libloam_core.a: {got.stderr.strip()[-300:]}"
