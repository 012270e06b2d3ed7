"""Draws rbf_bitmaps.png beside this file: `python docs/figures/draw_bitmaps.py` (needs matplotlib: the extra train)."""

from pathlib import Path

from matplotlib.figure import Figure

from app.lenet.bitmaps import BITMAP_COUNT, BITMAP_HEIGHT, BITMAP_WIDTH, bitmaps


def draw(target: Path) -> None:
    """Write a PNG of the ten bitmaps in a row: +1 black, -1 white, as ink on paper."""
    figure = Figure(figsize=(10, 1.85), layout="constrained")
    for digit, (axes, code) in enumerate(zip(figure.subplots(1, BITMAP_COUNT), bitmaps(), strict=True)):
        axes.imshow(code.reshape(BITMAP_HEIGHT, BITMAP_WIDTH), cmap="gray_r", vmin=-1, vmax=1)
        axes.set_xticks([x + 0.5 for x in range(BITMAP_WIDTH - 1)], labels=[])
        axes.set_yticks([y + 0.5 for y in range(BITMAP_HEIGHT - 1)], labels=[])
        axes.grid(color="0.8", linewidth=0.5)
        axes.tick_params(length=0)
        axes.set_title(str(digit), fontsize=10)
    figure.savefig(target, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    draw(Path(__file__).with_name("rbf_bitmaps.png"))
