"""The table of workloads. A workload has a name, a group, and run(context, allocator) -> Run.

`Micro` is a program of ours in benchmarks/workloads; the real programs are in programs.py and servers.py.
"""

import dataclasses
import os

from . import machine, measure
from .store import PROBES, SCALE

ONE, SEVERAL, REAL = "one thread", "several threads", "real programs"
GROUPS = (ONE, SEVERAL, REAL, PROBES, SCALE)


@dataclasses.dataclass
class Context:
    """What a run needs to know of its surroundings."""
    tools: str        # folder of the launcher and the compiled workloads
    folder: str       # scratch, one folder below for each workload
    source: str       # benchmarks/
    packages: str     # packages that were unpacked, not installed
    scale: float
    timeout: float
    launcher: str = "measure"   # or count
    wrapper: tuple = ()         # a command in front of the program
    settings: dict = dataclasses.field(default_factory=dict)  # more environment
    loam_core: str = ""         # the library's own objects, where they could be built

    def place(self, name):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        return folder


@dataclasses.dataclass
class Micro:
    name: str
    group: str
    program: str
    arguments: tuple = ()
    extra: bool = False   # only run when --only names it
    slow: bool = False    # left out by --quick, unless --only names it
    rounds: int = 0       # at most so many; 0: as many as all
    memory: int = 0       # bytes that must be available
    processors: int = 1   # that must be usable
    threads: int = 1      # alive at once, at scale 1
    instructions: bool = True  # of one thread: worth counting under callgrind
    calls: bool = True    # system calls are counted

    packages = ()

    def prepare(self, context):
        """Returns None, or in words why the workload cannot run here."""
        context.place(self.name)
        if len(os.sched_getaffinity(0)) < self.processors:
            return f"needs {self.processors} processors"
        available = int(machine.first_line("/proc/meminfo", "MemAvailable").split()[0]) * 1024
        if available < self.memory:
            return f"needs {self.memory >> 20} MiB of memory, there are {available >> 20}"
        return machine.threads_refused(int(self.threads * context.scale))

    def runs_on(self, _allocator):
        return True

    def run(self, context, allocator):
        command = [os.path.join(context.tools, self.program), str(context.scale), *map(str, self.arguments)]
        run, output = measure.run_program(context, allocator, command, context.place(self.name))
        measure.output_read(run, output.decode(errors="replace"))
        return run


MICRO = [
    Micro("pairs", ONE, "pairs"),
    Micro("batches", ONE, "batches"),
    Micro("trees", ONE, "trees"),
    Micro("interp", ONE, "interp"),
    Micro("realloc_grow", ONE, "realloc_grow"),
    Micro("buffers", ONE, "buffers"),
    Micro("calloc_tables", ONE, "calloc_tables"),
    Micro("aligned", ONE, "aligned"),
    Micro("phases", ONE, "phases"),
    Micro("lru", ONE, "lru"),
    Micro("spike", ONE, "spike", instructions=False),
    Micro("start", ONE, "start", instructions=False),
    Micro("cxx_containers", ONE, "cxx_containers"),
    Micro("server1", ONE, "server", (1,)),
    Micro("server2", SEVERAL, "server", (2,)),
    Micro("server8", SEVERAL, "server", (8,)),
    Micro("server64", SEVERAL, "server", (64,)),
    Micro("prodcons", SEVERAL, "prodcons", (32, 4096)),
    Micro("prodcons_kib", SEVERAL, "prodcons", (2048, 32768)),
    Micro("handover", SEVERAL, "handover"),
    Micro("churn", SEVERAL, "churn"),
    Micro("migrate", SEVERAL, "migrate"),
    Micro("threads2000", SEVERAL, "threads", (2000,), threads=2000),
    # Counting its calls takes minutes (a tracer's wait grows with the threads it has), and threads2000 tells the same.
    Micro("threads10000", SEVERAL, "threads", (10000,), threads=10000, memory=3 << 30, slow=True, calls=False),
]


def everything(most_blocks=0):
    """All there are; those about scale up to `most_blocks` (0: as far as goes), and only when asked for."""
    from . import probes, programs, servers  # they need the names above
    return [*MICRO, *programs.PROGRAMS, *servers.SERVERS, *probes.PROBE_WORKLOADS, *probes.scale_workloads(most_blocks)]
