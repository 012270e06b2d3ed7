"""From the bytes of a picture to the network's input: one definition, used by training and serving alike.

bytes --decode--> gray picture (h, w) --normalize--> input (1, 32, 32), ink 0..1, background 0
"""

from app.imaging.containers import Container, DecodeLimits
from app.imaging.decode import decode, decode_probed, probe
from app.imaging.normalize import (
    INPUT_SHAPE,
    PREPROCESSING_ID,
    Normalized,
    Reason,
    from_input_form,
    from_mnist_form,
    normalize,
)

__all__ = [
    "INPUT_SHAPE",
    "PREPROCESSING_ID",
    "Container",
    "DecodeLimits",
    "Normalized",
    "Reason",
    "decode",
    "decode_probed",
    "from_input_form",
    "from_mnist_form",
    "normalize",
    "probe",
]
