"""Weights as the platform has them: their digest is verified, also when they lay on this disk."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from expunge.disk import write_whole

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER, _END = 16, ".safetensors"


class WeightsDiffer(ValueError):
    """Weights are not those that the platform means."""


def verified(data: bytes, *, digest: str, name: str) -> bytes:
    """Return weights whose SHA-256 is ``digest``, in hex. Raises WeightsDiffer."""
    found = sha256(data).hexdigest()
    if found != digest:
        raise WeightsDiffer(
            f"The weights of {name} have the SHA-256 {found}, and the platform says "
            f"{digest or 'that none are stored'}. They are not used."
        )
    return data


@dataclass(frozen=True, kw_only=True)
class WeightsCache:
    """Weights of one model in a folder, by digest; only their owner may read them."""

    folder: Path
    model: str

    def read(self, digest: str) -> bytes | None:
        """Return the weights of a digest; none where they are not here, or not whole."""
        try:
            data = self._file(digest).read_bytes()
        except OSError:
            return None
        return data if sha256(data).hexdigest() == digest else None

    def keep(self, digest: str, data: bytes) -> None:
        """Keep weights, whole or not at all."""
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._file(digest), data)

    def drop_all_but(self, digest: str) -> None:
        """Delete the weights of every other version of the model, half-written ones too."""
        if self._place.is_dir():
            for file in self._place.iterdir():
                if file != self._file(digest):
                    file.unlink(missing_ok=True)

    @property
    def _place(self) -> Path:
        return self.folder / sha256(self.model.encode()).hexdigest()[:_FOLDER]

    def _file(self, digest: str) -> Path:
        return self._place / f"{digest}{_END}"
