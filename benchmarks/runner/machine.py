"""Facts about the machine and the software that belong beside every figure."""

import datetime
import os
import platform
import subprocess


def first_line(path, begins=""):
    try:
        with open(path) as f:
            for line in f:
                if line.startswith(begins):
                    return line.split(":", 1)[-1].strip() if begins else line.strip()
    except OSError:
        pass
    return "unknown"


def output(*command):
    try:
        got = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "not installed"
    lines = got.stdout.splitlines()
    return lines[0].strip() if lines else "unknown"


def facts():
    mhz = first_line("/proc/cpuinfo", "cpu MHz")
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "processor": f"{first_line('/proc/cpuinfo', 'model name')}, {mhz} MHz",
        "processors usable": str(len(os.sched_getaffinity(0))),
        "virtual machine": "yes" if " hypervisor" in first_line("/proc/cpuinfo", "flags") else "no",
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "page size": str(os.sysconf("SC_PAGESIZE")),
        "kernel": platform.release(),
        "transparent huge pages": first_line("/sys/kernel/mm/transparent_hugepage/enabled"),
        "overcommit": first_line("/proc/sys/vm/overcommit_memory"),
        "system": first_line("/etc/os-release", "PRETTY_NAME").split("=")[-1].strip('"'),
        "C library": output("getconf", "GNU_LIBC_VERSION"),
        "compiler": output("gcc", "--version"),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
