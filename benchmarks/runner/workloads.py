"""The table of workloads. A workload has a name, a group, and run(context, allocator) -> Run.

`Micro` is a program of ours in benchmarks/workloads; the real programs are in programs.py and servers.py.
"""

import dataclasses
import os

from . import measure

ONE, SEVERAL, REAL = "one thread", "several threads", "real programs"
GROUPS = (ONE, SEVERAL, REAL)


@dataclasses.dataclass
class Context:
    """What a run needs to know of its surroundings."""
    tools: str        # folder of the launcher and the compiled workloads
    folder: str       # scratch, one folder below for each workload
    source: str       # benchmarks/
    packages: str     # packages that were unpacked, not installed
    scale: float
    timeout: float

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

    packages = ()
    slow = False          # left out by --quick, unless --only names it

    def prepare(self, context):
        """Returns None, or in words why the workload cannot run here."""
        context.place(self.name)

    def run(self, context, allocator):
        command = [os.path.join(context.tools, self.program), str(context.scale), *map(str, self.arguments)]
        run, output = measure.run_program(context.tools, allocator, command, context.place(self.name), context.timeout)
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
    Micro("spike", ONE, "spike"),
    Micro("start", ONE, "start"),
    Micro("cxx_containers", ONE, "cxx_containers"),
    Micro("server1", ONE, "server", (1,)),
    Micro("server2", SEVERAL, "server", (2,)),
    Micro("server8", SEVERAL, "server", (8,)),
    Micro("server64", SEVERAL, "server", (64,)),
    Micro("prodcons", SEVERAL, "prodcons", (32, 4096)),
    Micro("prodcons_kib", SEVERAL, "prodcons", (2048, 32768)),
    Micro("handover", SEVERAL, "handover"),
    Micro("churn", SEVERAL, "churn"),
    Micro("threads2000", SEVERAL, "threads", (2000,)),
    Micro("threads10000", SEVERAL, "threads", (10000,), extra=True),
]


def everything():
    from . import programs, servers  # they need the names above
    return [*MICRO, *programs.PROGRAMS, *servers.SERVERS]
