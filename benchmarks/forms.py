"""One digit in the many forms in which a stranger may send it.

Every form is a function of a digit in MNIST's form (uint8 (28, 28), ink high) and a random generator; it returns the
bytes of an encoded picture. `FORMS` names them all; the benchmark measures each, and the tests use some.
"""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Digit = npt.NDArray[np.uint8]
Surface = npt.NDArray[np.float32]  # (height, width)
Form = Callable[[Digit, np.random.Generator], bytes]


def encode(image: Image.Image, format_name: str = "PNG", **options: Any) -> bytes:
    """A Pillow image as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, format_name, **options)
    return out.getvalue()


def gray(pixels: npt.NDArray[Any]) -> Image.Image:
    """A gray Pillow image of the pixels, clipped to 0..255."""
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


# The same pixels in another container ------------------------------------------------------------------------------


def plain(digit: Digit, _rng: np.random.Generator) -> bytes:
    """An 8-bit gray PNG of the digit as it is."""
    return encode(gray(digit))


def inverted(digit: Digit, _rng: np.random.Generator) -> bytes:
    """Dark ink on a light ground."""
    return encode(gray(255 - digit))


def sixteen_bit(digit: Digit, _rng: np.random.Generator) -> bytes:
    """A 16-bit gray PNG, dark on light."""
    return encode(Image.fromarray((255 - digit).astype(np.uint16) * 257))


def sixteen_bit_tiff(digit: Digit, _rng: np.random.Generator) -> bytes:
    """A big-endian 16-bit gray TIFF."""
    image = Image.frombytes("I;16B", (28, 28), (digit.astype(">u2") * 257).tobytes())
    return encode(image, "TIFF")


def twelve_bit(digit: Digit, _rng: np.random.Generator) -> bytes:
    """A scanner's 12 bits in a 16-bit PNG: the brightest pixel is 4095 of 65535."""
    return encode(Image.fromarray((255 - digit).astype(np.uint16) * 16))


def palette(digit: Digit, _rng: np.random.Generator) -> bytes:
    """Eight bits through a palette from dark blue ink to a cream ground, its order reversed."""
    image = Image.fromarray(255 - digit, "L").convert("P")
    ramp = np.linspace((250, 245, 225), (10, 10, 60), 256).astype(np.uint8)
    pixels = Image.fromarray(digit)
    image = Image.frombytes("P", pixels.size, pixels.tobytes())
    image.putpalette(ramp.tobytes())
    return encode(image)


def one_bit(digit: Digit, _rng: np.random.Generator) -> bytes:
    """Black and white, one bit a pixel."""
    return encode(Image.fromarray(digit < 128).convert("1"))


def gif(digit: Digit, _rng: np.random.Generator) -> bytes:
    """A GIF, dark on light."""
    return encode(gray(255 - digit), "GIF")


def cmyk(digit: Digit, _rng: np.random.Generator) -> bytes:
    """A CMYK TIFF of black ink."""
    return encode(gray(255 - digit).convert("RGB").convert("CMYK"), "TIFF")


def rgba_opaque(digit: Digit, _rng: np.random.Generator) -> bytes:
    """RGBA, all opaque."""
    return encode(gray(255 - digit).convert("RGBA"))


def _with_alpha(luminance: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8]) -> bytes:
    return encode(Image.fromarray(np.dstack([luminance] * 3 + [alpha])))


def alpha_black(digit: Digit, _rng: np.random.Generator) -> bytes:
    """Black everywhere; only alpha carries the ink."""
    return _with_alpha(np.zeros_like(digit), digit)


def alpha_white(digit: Digit, _rng: np.random.Generator) -> bytes:
    """White everywhere; only alpha carries the ink."""
    return _with_alpha(np.full_like(digit, 255), digit)


def alpha_bled(digit: Digit, _rng: np.random.Generator) -> bytes:
    """Dark ink whose soft edge is light in colour as well as half transparent, as some editors export it."""
    return _with_alpha(255 - digit, np.minimum(digit.astype(int) * 2, 255).astype(np.uint8))


def alpha_cut_out(digit: Digit, _rng: np.random.Generator) -> bytes:
    """A round piece of white paper with a dark digit; the corners are transparent black."""
    rows, columns = np.mgrid[:44, :44] - 21.5
    inside = rows**2 + columns**2 < 21**2
    paper = np.pad(255 - digit, 8, constant_values=255)
    return _with_alpha(np.where(inside, paper, 0).astype(np.uint8), (inside * 255).astype(np.uint8))


def exif_turned(digit: Digit, rng: np.random.Generator) -> bytes:
    """A gray JPEG that lies turned or mirrored, in any of the eight ways, with the EXIF entry that says so."""
    orientation = int(rng.integers(1, 9))
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = gray(255 - digit).resize((112, 112), Image.Resampling.BICUBIC)
    image = image if undo is None else image.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(image, "JPEG", quality=90, exif=exif)


def jpeg_q80(digit: Digit, rng: np.random.Generator) -> bytes:
    """A 28x28 JPEG of quality 80, in either polarity."""
    return encode(gray(digit if rng.random() < 0.5 else 255 - digit), "JPEG", quality=80)


def jpeg_q40(digit: Digit, _rng: np.random.Generator) -> bytes:
    """A 28x28 JPEG of quality 40."""
    return encode(gray(255 - digit), "JPEG", quality=40)


# Another size or frame ---------------------------------------------------------------------------------------------


def enlarged(digit: Digit, _rng: np.random.Generator) -> bytes:
    """Twenty times as large, with a soft edge."""
    big = cv2.resize(digit, (560, 560), interpolation=cv2.INTER_CUBIC)
    return encode(gray(255 - cv2.GaussianBlur(big, (0, 0), 6).astype(np.float32)))


def blocky(digit: Digit, rng: np.random.Generator) -> bytes:
    """Two to twelve times as large, every pixel a block."""
    times = int(rng.integers(2, 13))
    return encode(gray(digit.repeat(times, 0).repeat(times, 1)))


def cropped(digit: Digit, rng: np.random.Generator) -> bytes:
    """Cut to the ink's own box: the digit touches all four sides."""
    x, y, width, height = cv2.boundingRect(digit)
    cut = digit[y : y + height, x : x + width]
    return encode(gray(cut if rng.random() < 0.5 else 255 - cut))


def cropped_bold(digit: Digit, rng: np.random.Generator) -> bytes:
    """Three times as large, bold and cut to its own box.

    Strokes grow by 4/3 pixels of MNIST's; two whole pixels would close the holes that make an 8 of many a digit.
    """
    large = cv2.resize(digit, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR)
    bold = cv2.dilate(large, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    x, y, width, height = cv2.boundingRect(bold)
    cut = bold[y : y + height, x : x + width]
    return encode(gray(cut if rng.random() < 0.5 else 255 - cut))


def off_centre(digit: Digit, rng: np.random.Generator) -> bytes:
    """In a corner of a larger clean ground."""
    ground = np.zeros((90, 130), np.uint8)
    top, left = int(rng.integers(0, 62)), int(rng.integers(0, 102))
    ground[top : top + 28, left : left + 28] = digit
    return encode(gray(255 - ground))


def faint(digit: Digit, rng: np.random.Generator) -> bytes:
    """Of low contrast: 25 gray levels between ink and ground."""
    return encode(gray(180 - digit * (25 / 255) + rng.normal(0, 1, digit.shape)))


# Scenes: ink laid on a lit ground ----------------------------------------------------------------------------------


def place(digit: Digit, size: tuple[int, int], side: float, rng: np.random.Generator, margin: int = 4) -> Surface:
    """Ink coverage 0..1 (height, width): the digit, its box `side` pixels long, somewhere in a picture of that size."""
    height, width = size
    x, y, box_width, box_height = cv2.boundingRect(digit)
    scale = side / max(box_width, box_height)
    cut = np.pad(digit[y : y + box_height, x : x + box_width], 2).astype(np.float32) / 255
    soft = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    soft = np.clip((cv2.GaussianBlur(soft, (0, 0), max(scale / 4, 0.3)) - 0.5) * min(scale, 6) + 0.5, 0, 1)
    top = int(rng.integers(margin, max(height - soft.shape[0] - margin, margin + 1)))
    left = int(rng.integers(margin, max(width - soft.shape[1] - margin, margin + 1)))
    coverage = np.zeros(size, np.float32)
    coverage[top : top + soft.shape[0], left : left + soft.shape[1]] = soft[: height - top, : width - left]
    return coverage


def light(size: tuple[int, int], strength: float, rng: np.random.Generator) -> Surface:
    """Light (height, width): a slope in any direction and a vignette, from 1 down to 1 - `strength`."""
    rows, columns = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    angle, (centre_y, centre_x) = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5, 2)
    slope = (np.cos(angle) * columns + np.sin(angle) * rows) / 2.83 + 0.5
    vignette = ((rows - centre_y) ** 2 + (columns - centre_x) ** 2) / 4.5
    mix = rng.uniform(0, 1)
    lit: Surface = 1 - strength * np.clip(mix * slope + (1 - mix) * vignette, 0, 1).astype(np.float32)
    return lit


def shadow(size: tuple[int, int], depth: float, softness: float, rng: np.random.Generator) -> Surface:
    """Light (height, width) behind a straight shadow edge that is `softness` pixels wide."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    middle = rng.uniform(0.3, 0.7, 2) * size
    distance = np.cos(angle) * (columns - middle[1]) + np.sin(angle) * (rows - middle[0])
    lit: Surface = (1 - depth / (1 + np.exp(-distance / softness))).astype(np.float32)
    return lit


def uneven_light(digit: Digit, rng: np.random.Generator) -> bytes:
    """Small and off-centre in 600 x 600, strongly uneven light, noise, either polarity."""
    size = (600, 600)
    coverage = place(digit, size, rng.uniform(40, 200), rng)
    lit = light(size, rng.uniform(0.3, 0.7), rng)
    ground, ink = (230, 60) if rng.random() < 0.5 else (70, 240)
    picture = lit * (ground + (ink - ground) * coverage)
    return encode(gray(picture + rng.normal(0, rng.uniform(0, 5), size)))


def photo(
    digit: Digit,
    rng: np.random.Generator,
    size: tuple[int, int] = (480, 640),
    sides: tuple[int, int] = (90, 300),
    *,
    grain: float = 0,
    quality: int = 75,
) -> bytes:
    """A colour JPEG of blue ink on paper in warm, uneven light; the digit's longer side lies between `sides`.

    `grain` is the deviation, in gray levels, of noise that the lens did not soften.
    """
    coverage = place(digit, size, rng.uniform(*sides), rng)[..., None]
    paper, ink = np.array([238, 232, 215]), np.array([40, 55, 120])
    lit = light(size, rng.uniform(0.2, 0.5), rng)[..., None]
    picture = lit * (paper + (ink - paper) * coverage) + rng.normal(0, 4, (*size, 3))
    picture = cv2.GaussianBlur(picture, (0, 0), 1)
    if grain:
        picture += rng.normal(0, grain, (*size, 3))
    return encode(Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)), "JPEG", quality=quality)


def _rules(size: tuple[int, int], gap: int, squared: bool, rng: np.random.Generator) -> Surface:
    lines = Image.new("L", (size[1], size[0]))
    draw = ImageDraw.Draw(lines)
    tilt = float(rng.uniform(-0.03, 0.03))
    for y in range(int(rng.integers(0, gap)) - gap, size[0] + gap, gap):
        draw.line([(0, y), (size[1], y + tilt * size[1])], fill=255, width=2)
    for x in range(int(rng.integers(0, gap)), size[1], gap) if squared else ():
        draw.line([(x, 0), (x - tilt * size[0], size[0])], fill=255, width=2)
    return np.asarray(lines, np.float32) / np.float32(255)


def _on_paper(coverage: npt.NDArray[Any], rules: Surface | None, rng: np.random.Generator) -> bytes:
    size = coverage.shape[0], coverage.shape[1]
    ground = np.full(size, 235.0) if rules is None else 235 - 60 * rules
    lit = light(size, 0.3, rng) * shadow(size, 0.45, rng.uniform(15, 60), rng)
    picture = lit * (ground + (45 - ground) * coverage) + rng.normal(0, 3, size)
    return encode(gray(cv2.GaussianBlur(picture, (0, 0), 0.8)), "JPEG", quality=80)


def lined_paper(digit: Digit, rng: np.random.Generator) -> bytes:
    """A pen on ruled paper, with the soft edge of a shadow across it."""
    size = (480, 480)
    return _on_paper(place(digit, size, rng.uniform(120, 260), rng), _rules(size, 60, False, rng), rng)


def squared_paper(digit: Digit, rng: np.random.Generator) -> bytes:
    """A pen on squared paper, with the soft edge of a shadow across it."""
    size = (480, 480)
    return _on_paper(place(digit, size, rng.uniform(120, 260), rng), _rules(size, 40, True, rng), rng)


def thin_pen(digit: Digit, rng: np.random.Generator) -> bytes:
    """A hairline: the strokes thinned to about 3 pixels of a digit 200 pixels high."""
    size = (400, 400)
    coverage = place(digit, size, 200, rng)
    skeleton = _thinned(coverage)
    return _on_paper(cv2.GaussianBlur(skeleton, (0, 0), 1), None, rng)


def pencil(digit: Digit, rng: np.random.Generator) -> bytes:
    """A thin, pale, grainy stroke on textured paper."""
    size = (360, 360)
    skeleton = cv2.dilate(_thinned(place(digit, size, 180, rng)), np.ones((3, 3), np.uint8))
    grain = np.clip(cv2.GaussianBlur(rng.normal(0.75, 0.5, size), (0, 0), 1), 0.3, 1)
    texture = cv2.GaussianBlur(rng.normal(0, 12, size), (0, 0), 2)
    return encode(gray((225 + texture - 85 * skeleton * grain) * light(size, 0.25, rng)), "JPEG", quality=85)


def _thinned(coverage: npt.NDArray[Any]) -> Surface:
    """A skeleton, 3 pixels wide: the ridge of the distance to the ground.

    The outline is smoothed first, or every corner of MNIST's enlarged pixels would grow a thorn that no pen draws.
    """
    mask = cv2.GaussianBlur(coverage, (0, 0), 4) > 0.5
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    laplacian = cv2.Laplacian(cv2.GaussianBlur(distance, (0, 0), 1.5), cv2.CV_32F, ksize=3)
    ridge = ((laplacian < -0.35) & mask).astype(np.uint8)
    return cv2.morphologyEx(ridge, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)).astype(np.float32)


def marker(digit: Digit, rng: np.random.Generator) -> bytes:
    """A thick marker on a whiteboard with glare."""
    size = (500, 700)
    coverage = place(digit, size, rng.uniform(200, 380), rng)
    thick = cv2.dilate(coverage, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13)))
    rows, columns = np.mgrid[: size[0], : size[1]]
    centre = rng.uniform(0.1, 0.9, 2) * size
    glare = 60 * np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * 90**2))
    picture = light(size, 0.3, rng) * (200 + (40 - 200) * thick) + glare * (1 - 0.6 * thick)
    return encode(gray(picture + rng.normal(0, 2, size)), "JPEG", quality=80)


def framed(digit: Digit, rng: np.random.Generator) -> bytes:
    """A frame is drawn round the digit."""
    size = (240, 240)
    coverage = place(digit, size, rng.uniform(90, 140), rng, margin=36)
    ground = Image.new("L", size, 245)
    ImageDraw.Draw(ground).rectangle((14, 14, 226, 226), outline=60, width=int(rng.integers(2, 7)))
    paper = np.asarray(ground, np.float32)
    return encode(gray(paper + (30 - paper) * coverage))


def specks(digit: Digit, rng: np.random.Generator) -> bytes:
    """Dust and single black pixels all over the paper."""
    size = (200, 200)
    coverage = place(digit, size, rng.uniform(60, 120), rng)
    dust = np.zeros(size, np.float32)
    for y, x in rng.integers(0, 200, (25, 2)):
        cv2.circle(dust, (int(x), int(y)), int(rng.integers(0, 2)), 1.0, -1)
    return encode(gray(250 - 220 * np.maximum(coverage, dust)))


def salt_and_pepper(digit: Digit, rng: np.random.Generator) -> bytes:
    """Two of a hundred pixels are black or white."""
    size = (160, 160)
    picture = 220 - 190 * place(digit, size, rng.uniform(70, 120), rng)
    chance = rng.random(size)
    return encode(gray(np.where(chance < 0.01, 0, np.where(chance > 0.99, 255, picture))))


def noisy(digit: Digit, rng: np.random.Generator) -> bytes:
    """Strong noise: a standard deviation of 25 gray levels."""
    size = (120, 120)
    picture = 190 - 130 * place(digit, size, rng.uniform(60, 100), rng)
    return encode(gray(picture + rng.normal(0, 25, size)))


def screenshot(digit: Digit, rng: np.random.Generator) -> bytes:
    """Light ink on a dark window, RGBA with eight bits of alpha and a transparent shadow round it."""
    size = (180, 240)
    coverage = place(digit, size, rng.uniform(60, 130), rng, margin=12)
    alpha = np.zeros((size[0] + 24, size[1] + 24), np.uint8)
    alpha[12:-12, 12:-12] = 255
    alpha = cv2.GaussianBlur(alpha, (0, 0), 4).astype(np.uint8)
    alpha[12:-12, 12:-12] = 255
    window = np.zeros(alpha.shape, np.uint8)
    window[12:-12, 12:-12] = np.rint(32 + 200 * coverage)
    return _with_alpha(window, alpha)


FORMS: dict[str, Form] = {
    form.__name__: form
    for form in (
        *(plain, inverted, sixteen_bit, sixteen_bit_tiff, twelve_bit, palette, one_bit, gif, cmyk),
        *(rgba_opaque, alpha_black, alpha_white, alpha_bled, alpha_cut_out, exif_turned, jpeg_q80, jpeg_q40),
        *(enlarged, blocky, cropped, cropped_bold, off_centre, faint, uneven_light, photo, lined_paper),
        *(squared_paper, thin_pen, pencil, marker, framed, specks, salt_and_pepper, noisy, screenshot),
    )
}
"""Every form by its name; `plain` is the one that the others are held against."""
