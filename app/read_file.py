"""One field in a file, read without a service: what `lenet5 read` does."""

from pathlib import Path
from typing import Any

from app.fields import reader
from app.fields.formats import FieldFormat
from app.fields.scores import log_probabilities
from app.imaging import DecodeLimits, decode
from app.lenet.registry import FIELD_DEFAULT, Registry, default_model_dir
from app.runtime import open_backend
from app.serving.models import field_calibration

TARGET_ERROR = 0.01
BATCH = 512  # candidates; a field has at most 400


def read_file(
    file: Path, field: FieldFormat, *, model_dir: Path | None, model: str | None, n_best: int
) -> dict[str, Any]:
    """The text, its probability and its alternatives, on the CPU.

    Raises OSError for a file that cannot be read, and what decoding, the registry and the backend raise.
    """
    served = Registry.open(model_dir or default_model_dir(), {}).resolve(model or FIELD_DEFAULT, "field")
    weights = field_calibration(served)
    proposal = reader.propose(decode(file.read_bytes(), DecodeLimits()))
    backend = open_backend(served.folder, device="cpu", max_batch_size=BATCH)
    log_probs = log_probabilities(backend.infer(proposal.inputs))
    backend.close()
    reading = reader.decode(proposal, log_probs, field, n_best=n_best, weights=weights)
    sure = reading.confidence >= weights.threshold(TARGET_ERROR)
    return {
        "text": reading.text,
        "accepted": sure and not reading.reasons,
        "confidence": reading.confidence,
        "reasons": [*reading.reasons, *([] if sure else ["low_confidence"])],
        "alternatives": [{"text": one.text, "probability": one.probability} for one in reading.alternatives],
        "model": served.spec,
    }
