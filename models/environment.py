"""What can change the bits of a decision beside its inputs and its model: named, and digested into every decision.

The compiled core and rollouts write their order of operations down, so that of these only numba and llvmlite could matter, and
should not; torch's results depend on most of it (PyTorch's notes on reproducibility).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from functools import cache
from typing import Final

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import config

# Settings under which torch itself gives the same bits on one kind of processor, whatever its age; read where it starts.
RECIPE: Final = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",
    "OMP_NUM_THREADS": "1",
    "NUMBA_CPU_NAME": "haswell",
}


def cpu_name() -> str:
    """The processor that numba compiles for."""
    return str(config.CPU_NAME or llvm.get_host_cpu_name())


def environment() -> dict[str, str]:
    """Name -> value of all of it, as it is now."""
    import torch

    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "libc": " ".join(platform.libc_ver()),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "cpu_name": cpu_name(),
        "cpu_features": str(config.CPU_FEATURES or _host_features()),
        "torch": torch.__version__,
        "torch_capability": torch.backends.cpu.get_cpu_capability(),
        "torch_threads": str(torch.get_num_threads()),
        "torch_deterministic": str(torch.are_deterministic_algorithms_enabled()),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    } | {name: os.environ.get(name, "") for name in RECIPE}


def environment_digest() -> str:
    """SHA-256 of `environment` as JSON in order of the names."""
    return hashlib.sha256(json.dumps(environment(), sort_keys=True).encode()).hexdigest()


def differences(here: dict[str, str], there: dict[str, str]) -> dict[str, tuple[str, str]]:
    """What differs: name -> (here, there), a missing one as an empty text."""
    return {
        name: (here.get(name, ""), there.get(name, ""))
        for name in sorted(here.keys() | there.keys())
        if here.get(name, "") != there.get(name, "")
    }


@cache
def _host_features() -> str:
    return str(llvm.get_host_cpu_features().flatten())
