"""What can change the bits of a training although its recipe is the same."""

from __future__ import annotations

import hashlib
import os
import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import rfc8785

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "MKL_CBWR",
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
)


def fingerprint() -> dict[str, Any]:
    """Return versions, processor features, threads and variables that steer the arithmetic.

    ``torch`` is None where it is not installed. Two equal fingerprints do not prove equal bits;
    two different ones are a reason not to claim them.
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
        "libc": "-".join(platform.libc_ver()),
        "numpy": np.__version__,
        "blas": _blas(),
        "cpus": os.cpu_count(),
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "torch": _torch(),
    }


def digest(fingerprint: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a fingerprint in its canonical form (RFC 8785), in hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(dict(fingerprint))).hexdigest()


def _blas() -> str:
    shown: dict[str, Any] = np.show_config(mode="dicts")  # type: ignore[assignment]  # its stub says None
    blas = shown.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _torch() -> dict[str, Any] | None:
    try:
        import torch  # noqa: PLC0415  (optional, and slow to import)
    except ImportError:
        return None
    return {
        "version": torch.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cuda": torch.version.cuda,
        "devices": [
            torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())
        ],
    }
