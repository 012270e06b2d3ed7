"""The pictures of docs/input.md: how several inputs are normalised, step by step.

python -m benchmarks.input_figure docs/figures
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging import DecodeLimits, decode, normalize
from app.imaging.ink import clean_ink, ink_of
from benchmarks.forms import FORMS
from benchmarks.input_forms import mnist

SIDE = 128  # pixels of one panel
SHEETS = {
    "input-clean": ("inverted", "cropped_bold", "alpha_cut_out", "framed", "specks"),
    "input-light": ("uneven_light", "photo", "lined_paper", "squared_paper", "marker"),
    "input-faint": ("thin_pen", "pencil", "noisy", "faint", "jpeg_q40"),
}


def panel(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A gray picture 0..255 fitted into a square panel with a gray margin."""
    scale = SIDE / max(pixels.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    fitted = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how)
    square = np.full((SIDE + 8, SIDE + 8), 128, np.uint8)
    square[4 : 4 + fitted.shape[0], 4 : 4 + fitted.shape[1]] = np.clip(fitted, 0, 255)
    return square


def steps(form: str, digit: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    """What is sent, its ink, and the input, one under the other."""
    sent = decode(FORMS[form](digit, np.random.default_rng(seed)), DecodeLimits())
    ink = ink_of(sent, clean_ink(sent)).levels
    ink = ink * (255 / max(float(ink.max()), 1e-6))
    label = np.full((20, SIDE + 8), 255, np.uint8)
    cv2.putText(label, form, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0,), 1, cv2.LINE_AA)
    return np.vstack((label, panel(sent.astype(np.float32)), panel(ink), panel(normalize(sent).input[0] * 255)))


def main() -> None:
    """Write the pictures into the folder given."""
    folder = Path(sys.argv[1])
    digits, _ = mnist("train")
    for name, forms in SHEETS.items():
        columns = [steps(form, digits[index], index + 3) for index, form in enumerate(forms)]
        cv2.imwrite(str(folder / f"{name}.png"), np.hstack(columns))


if __name__ == "__main__":
    main()
