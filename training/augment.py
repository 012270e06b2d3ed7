"""Distortions of whole batches, on the device that trains: affine, elastic, of the stroke, of the light.

A distorted digit is brought back into MNIST's form (a 20x20 box, its centre of mass in the middle), since that is what
serving makes of any picture: a network that is served behind `app.imaging` need not learn other sizes and places.
The planar affine distortions alone are those of LeCun et al. 1998 (section III.A: translation, scaling, squeezing and
horizontal shearing); the elastic ones follow Simard, Steinkraus and Platt 2003.
"""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.imaging.box import BOX, CENTRE, SIDE

SEEN = 0.12  # of full ink: what belongs to a digit's box, as in app.imaging for a clean ground
LEAST_SCALE, MOST_SCALE = 0.425, 2.0  # of a renormalised digit: a speck is not blown up to 20 pixels


@dataclass(frozen=True)
class Distortions:
    """How far a digit may be distorted; each draw is uniform in +- the value unless said otherwise. 0: not at all."""

    share: float = 1.0  # of the examples that are distorted
    rotation: float = 0.0  # degrees
    shear: float = 0.0  # horizontal, pixels a pixel
    scale: float = 0.0  # natural logarithm of the factor
    squeeze: float = 0.0  # natural logarithm of the factor of the width over that of the height
    translation: float = 0.0  # pixels, in each direction
    elastic: float = 0.0  # root mean square displacement, pixels
    elastic_grid: int = 7  # knots of the displacement field along a side: the fewer, the smoother
    stroke: float = 0.0  # share of a one-pixel dilation or erosion
    gamma: float = 0.0  # natural logarithm of the exponent of the ink
    blur: float = 0.0  # at most this share of a 3x3 binomial blur, drawn from 0
    noise: float = 0.0  # at most this standard deviation of the ink, drawn from 0
    renormalise: bool = False  # back to the 20x20 box and the centre of mass, before the scale and translation

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in ("renormalise", "elastic_grid") and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{field.name} is {value}, not a number from 0")
        if self.share > 1:
            raise ValueError(f"share is {self.share}, which is above 1")
        if not 2 <= self.elastic_grid <= SIDE:
            raise ValueError(f"elastic_grid is {self.elastic_grid}, not between 2 and {SIDE}")


class Augment:
    """Draws distortions from a generator of its own, so that a run is repeatable and can go on where it stopped."""

    def __init__(self, distortions: Distortions, generator: torch.Generator) -> None:
        self.distortions = distortions
        self.generator = generator
        self.device = generator.device
        axis = torch.arange(SIDE, device=self.device, dtype=torch.float32)
        rows, columns = torch.meshgrid(axis, axis, indexing="ij")
        self._grid = torch.stack((columns, rows), -1) - CENTRE  # (32, 32, 2), x and y in pixels from the centre

    def __call__(self, inputs: Tensor) -> Tensor:
        """Distorted copies of inputs in the shared form: float32 (n, 1, 32, 32), ink 0..1 on background 0."""
        d = self.distortions
        out = self._warped(inputs)
        if d.stroke:
            out = self._stroked(out)
        if d.blur:
            out = torch.lerp(out, _blurred(out), self._uniform(len(out), 0, d.blur).view(-1, 1, 1, 1))
        if d.gamma:
            out = out.clamp(min=1e-6) ** self._uniform(len(out), -d.gamma, d.gamma).exp().view(-1, 1, 1, 1)
        if d.noise:
            noise = torch.randn(out.shape, generator=self.generator, device=self.device)
            out = out + noise * self._uniform(len(out), 0, d.noise).view(-1, 1, 1, 1)
        out = out.clamp(0, 1)
        if d.share < 1:
            kept = torch.rand(len(out), generator=self.generator, device=self.device) >= d.share
            out = torch.where(kept.view(-1, 1, 1, 1), inputs, out)
        return out

    def _warped(self, inputs: Tensor) -> Tensor:
        """Affine and elastic: each output pixel is looked up where the inverse map says."""
        d, n = self.distortions, len(inputs)
        matrix, field = self._matrices(n), self._field(n)
        scale = torch.ones(n, 1, 1, 1, device=self.device)
        shift = torch.zeros(n, 1, 1, 2, device=self.device)
        if d.renormalise:
            # Where the digit comes to lie if it is only warped; then the same map, looking there.
            scale, shift = _box_and_centre(self._looked_up(inputs, matrix, self._grid.expand(n, -1, -1, -1), field))
        scale = scale * self._uniform(n, -d.scale, d.scale).exp().view(-1, 1, 1, 1)
        if d.translation:
            shift = shift + self._uniform(n * 2, -d.translation, d.translation).view(n, 1, 1, 2) * scale
        return self._looked_up(inputs, matrix, self._grid * scale + shift, field)

    def _matrices(self, n: int) -> Tensor:
        """(n, 2, 2), from output to input coordinates: rotation, shear and squeeze."""
        d = self.distortions
        angle = self._uniform(n, -d.rotation, d.rotation) * (math.pi / 180)
        shear = self._uniform(n, -d.shear, d.shear)
        squeeze = (self._uniform(n, -d.squeeze, d.squeeze) / 2).exp()
        cos, sin = angle.cos(), angle.sin()
        rotation = torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), -2)
        ones, zeros = torch.ones_like(shear), torch.zeros_like(shear)
        sheared = torch.stack((torch.stack((ones, shear), -1), torch.stack((zeros, ones), -1)), -2)
        squeezed = torch.diag_embed(torch.stack((squeeze, 1 / squeeze), -1))
        return rotation @ sheared @ squeezed

    def _field(self, n: int) -> Tensor | None:
        """Smooth random displacements, (n, 32, 32, 2) in pixels."""
        d = self.distortions
        if not d.elastic:
            return None
        knots = torch.randn(n, 2, d.elastic_grid, d.elastic_grid, generator=self.generator, device=self.device)
        field = F.interpolate(knots, size=(SIDE, SIDE), mode="bicubic", align_corners=True)
        return field.permute(0, 2, 3, 1) * (d.elastic / 0.75)  # interpolation between knots leaves some 3/4 of the rms

    def _looked_up(self, inputs: Tensor, matrix: Tensor, at: Tensor, field: Tensor | None) -> Tensor:
        places = (at.reshape(len(inputs), -1, 2) @ matrix.transpose(1, 2)).view(len(inputs), SIDE, SIDE, 2)
        if field is not None:
            places = places + field
        # grid_sample counts from -1 to 1 across the picture, whose first and last pixel centres are 0 and 31
        places = (places + (CENTRE - (SIDE - 1) / 2)) / ((SIDE - 1) / 2)
        return F.grid_sample(inputs, places, mode="bilinear", padding_mode="zeros", align_corners=True)

    def _stroked(self, inputs: Tensor) -> Tensor:
        """Strokes widened or thinned by less than a pixel: part of the way to the maximum or minimum of 3x3."""
        amount = self._uniform(len(inputs), -self.distortions.stroke, self.distortions.stroke).view(-1, 1, 1, 1)
        wide = F.max_pool2d(inputs, 3, 1, 1)
        thin = -F.max_pool2d(-inputs, 3, 1, 1)
        return torch.lerp(inputs, torch.where(amount > 0, wide, thin), amount.abs())

    def _uniform(self, n: int, low: float, high: float) -> Tensor:
        return torch.rand(n, generator=self.generator, device=self.device) * (high - low) + low


def _box_and_centre(ink: Tensor) -> tuple[Tensor, Tensor]:
    """How the normalisation would look at (n, 1, 32, 32): scale (n, 1, 1, 1), and the centre (n, 1, 1, 2) in pixels.

    The scale is the longer side of the box over 20; the centre is that of mass, from the middle of the picture.
    """
    seen = ink[:, 0] > SEEN  # n x 32 x 32
    axis = torch.arange(SIDE, device=ink.device, dtype=torch.float32)
    sides = []
    for along in (1, 2):
        line = seen.any(along)  # n x 32
        first = torch.where(line, axis, torch.inf).amin(1)
        last = torch.where(line, axis, -torch.inf).amax(1)
        sides.append(last - first + 1)
    longer = torch.maximum(*sides)
    scale = torch.where(torch.isfinite(longer), longer / BOX, 1.0).clamp(LEAST_SCALE, MOST_SCALE)
    mass = ink.sum((1, 2, 3)).clamp(min=1e-6)
    x = (ink[:, 0].sum(1) * axis).sum(1) / mass - CENTRE
    y = (ink[:, 0].sum(2) * axis).sum(1) / mass - CENTRE
    empty = ink.sum((1, 2, 3)) <= 0
    centre = torch.where(empty[:, None], 0.0, torch.stack((x, y), -1))
    return scale.view(-1, 1, 1, 1), centre.view(-1, 1, 1, 2)


def _blurred(inputs: Tensor) -> Tensor:
    kernel = torch.tensor([1.0, 2.0, 1.0], device=inputs.device)
    return F.conv2d(inputs, (torch.outer(kernel, kernel) / 16)[None, None], padding=1)
