"""Facts about the machine and the software that belong beside every figure."""

import datetime
import os
import platform
import resource
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


def number_in(path, otherwise=float("inf")):
    """The number a file of the kernel's holds; what holds `otherwise` where there is none (`max`, no such file)."""
    text = first_line(path)
    return int(text) if text.isdecimal() else otherwise


def control_groups():
    """The folders of this process's control groups that may limit threads, up to the root: version 1 and 2."""
    try:
        with open("/proc/self/cgroup") as f:
            lines = [line.rstrip("\n").split(":", 2) for line in f]
    except OSError:
        return
    for number, controllers, path in lines:
        if number == "0" or "pids" in controllers.split(","):
            top = "/sys/fs/cgroup" + ("" if number == "0" else "/pids")
            while path.strip("/"):
                yield top + path
                path = os.path.dirname(path)


def threads_allowed():
    """(limit, how many more threads it allows this process) for everything here that limits them."""
    running = int(first_line("/proc/loadavg").split()[3].split("/")[1])
    for name in ("threads-max", "pid_max"):
        yield "kernel." + name, number_in("/proc/sys/kernel/" + name) - running
    yield "vm.max_map_count", (number_in("/proc/sys/vm/max_map_count") - 1000) // 2  # a stack and its guard for each thread
    most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if most != resource.RLIM_INFINITY and os.geteuid() != 0:  # root is not held to it
        yield "ulimit -u", most
    for folder in control_groups():
        yield "pids.max of the control group", number_in(folder + "/pids.max") - number_in(folder + "/pids.current", 0)


def threads_refused(count):
    """In words why `count` threads cannot live at once here, or None."""
    limit, most = min(threads_allowed(), key=lambda item: item[1])
    return f"needs {count} threads at once, {limit} allows {max(0, int(most))} more" if count > most else None


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
