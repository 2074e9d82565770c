"""Workloads with a question of their own: the tail of single calls, false sharing, what an idle process keeps, scale.

They are in no mean of time or memory; what they find are the metrics that they print. Those about scale run only with
`--scaling` or when `--only` names them: with 10^8 live blocks they need 8 GiB and minutes.
"""

import dataclasses
import os
import subprocess

from . import build
from .store import PROBES, SCALE
from .workloads import Micro

PROBE_WORKLOADS = [
    Micro("latency", PROBES, "latency", (2,), rounds=5, processors=2),
    Micro("false_sharing", PROBES, "false_sharing", rounds=3, processors=2),
    Micro("spike_idle", PROBES, "spike", ("idle",), slow=True, rounds=1),
]
MOST_BLOCKS = 10 ** 8
SPACES_GIB = (1, 4, 16, 64)
PROCESSORS = (1, 2, 64, 512)


@dataclasses.dataclass
class Processors(Micro):
    """Linked with the library's own objects, so it is about Loam alone: nothing is preloaded."""

    def runs_on(self, allocator):
        return allocator.name == "loam"

    def prepare(self, context):
        if not context.loam_core:
            return "needs libloam_core.a of this checkout's build (none with --loam PATH)"
        error = build.processors_build(context)
        return error or super().prepare(context)

    def run(self, context, allocator):
        return super().run(context, dataclasses.replace(allocator, library=""))


def scale_workloads(most_blocks=0):
    found, blocks = [], 1000
    while blocks <= (most_blocks or MOST_BLOCKS):
        exponent = len(str(blocks)) - 1
        found.append(Micro(f"scaling_1e{exponent}", SCALE, "scaling", ("blocks", blocks), extra=True,
                           rounds=3 if exponent < 7 else 1, memory=blocks * 80))
        blocks *= 10
    found += [Micro(f"space_{gib}", SCALE, "scaling", ("space", gib), extra=True, rounds=3) for gib in SPACES_GIB]
    found += [Processors(f"processors_{n}{ending}", SCALE, "processors", (n, mode), extra=True, rounds=3)
              for mode, ending in (("sequences", ""), ("locked", "_locked")) for n in PROCESSORS]
    return found


def core_build(root):
    """Brings libloam_core.a of build/release up to date; its path, or "" where there is none."""
    if not os.path.exists(os.path.join(root, "CMakePresets.json")):
        return ""
    try:
        got = subprocess.run(["cmake", "--build", "--preset", "release", "--target", "loam_core"], cwd=root, capture_output=True)
    except FileNotFoundError:
        return ""
    path = os.path.join(root, "build", "release", "libloam_core.a")
    return path if got.returncode == 0 and os.path.exists(path) else ""
