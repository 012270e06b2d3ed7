"""USPS: digits of zip codes on US mail envelopes, 16x16, filling the frame, deslanted (Le Cun et al. 1990)."""

from training.datasets.npz import ArraySpec, NpzFile
from training.datasets.source import Dataset

URL = "https://hastie.su.domains/ElemStatLearn/data.html"

TRAIN = Dataset(
    name="usps",
    title="USPS zip codes, training part",
    url=URL,
    licence="published by AT&T with the book The Elements of Statistical Learning; no separate licence",
    count=7291,
    files=(
        NpzFile(
            path="usps/usps_train.npz",
            arrays=(
                ArraySpec(
                    "x", (7291, 16, 16), "|u1", "b3aea71639e9f07b0000e170f269551297d36369654afbe43330a543ceeb8e5e"
                ),
                ArraySpec("y", (7291,), "|u1", "ee5027fd47b76715ac18ca27e72fa1332bde98e0b8ce593b503bb2bdb6c03da0"),
            ),
            by_hand=(
                f"It is made by hand from zip.train.gz of {URL} (one line a digit: the label, then 256 values from -1, "
                "background, to 1, ink): y is the label, x the 16x16 values as round((v + 1) * 127.5), both uint8; "
                "save them with numpy.savez_compressed."
            ),
        ),
    ),
    to_digits=lambda arrays: (arrays["x"], arrays["y"]),
)
