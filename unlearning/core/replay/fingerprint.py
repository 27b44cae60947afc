"""What decides the bits of a training besides its recipe: machine, libraries, settings, code."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

Fingerprint: TypeAlias = dict[str, str]

CORE = Path(__file__).parents[1]
CODE = (
    "examples", "gradient_recipe", "modes", "norms", "order", "phase", "recipe", "seeding",
    "session", "training", "weights", "replay/pinned", "replay/recorder", "replay/states",
    "sharding/slices", "gradients", "statistics/counters", "statistics/fixed_point",
    "statistics/gaussian", "statistics/model", "statistics/module", "statistics/multinomial",
    "statistics/ridge",
)  # fmt: skip
PACKAGES = ("pillow", "scikit-learn", "scipy", "torchvision")
VARIABLES = (
    "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG", "DNNL_MAX_CPU_ISA", "MKL_CBWR",
    "MKL_DYNAMIC", "MKL_ENABLE_INSTRUCTIONS", "NVIDIA_TF32_OVERRIDE", "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)  # fmt: skip
DRIVER = Path("/proc/driver/nvidia/version")
CPUINFO = Path("/proc/cpuinfo")


def fingerprint(device: torch.device) -> Fingerprint:
    """Return everything known to change the bits of a training on a device, as strings."""
    found = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": f"{torch.__version__} {torch.version.git_version}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "vector instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
        "libraries": hashlib.sha256(torch.__config__.show().encode()).hexdigest(),
        "oneDNN": str(torch.backends.mkldnn.enabled),
        "deterministic algorithms": str(torch.are_deterministic_algorithms_enabled()),
        "matrix precision": torch.get_float32_matmul_precision(),
        "default number": str(torch.get_default_dtype()),
        "device": device.type,
        "code": code_digest(),
    }
    found |= {name: _version(name) for name in PACKAGES}
    found |= {name: os.environ.get(name, "") for name in VARIABLES}
    return found | (_accelerator(device) if device.type == "cuda" else {})


def _accelerator(device: torch.device) -> Fingerprint:
    cudnn = torch.backends.cudnn
    return {
        "accelerator": torch.cuda.get_device_name(device),
        "capability": str(torch.cuda.get_device_capability(device)),
        "driver": DRIVER.read_text().partition("\n")[0] if DRIVER.is_file() else "",
        "CUDA": str(torch.version.cuda),
        "cuDNN": str(cudnn.version()),  # type: ignore[no-untyped-call]
        "cuDNN settings": f"{cudnn.deterministic} {cudnn.benchmark} {cudnn.allow_tf32}",
        "TF32": str(torch.backends.cuda.matmul.allow_tf32),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    """Return the model of the processor, by which numerical libraries choose their kernels."""
    if not CPUINFO.is_file():
        return platform.processor()
    lines = CPUINFO.read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


@cache
def code_digest() -> str:
    """Return the SHA-256, in hex, of the modules that carry out a training."""
    digest = hashlib.sha256()
    for name in CODE:
        digest.update(hashlib.sha256((CORE / f"{name}.py").read_bytes()).digest())
    return digest.hexdigest()


def differences(one: Fingerprint, other: Fingerprint) -> list[str]:
    """Return a phrase for each thing that is not the same, in order of name."""
    names = sorted(one.keys() | other.keys())
    return [
        f"{name} was {one.get(name, 'not known')!r} and is {other.get(name, 'not known')!r}"
        for name in names
        if one.get(name) != other.get(name)
    ]
