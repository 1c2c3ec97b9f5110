"""Renders the card that others show for a link to us: docs/social/card.svg into static/social.png.

`python -m tests.browser.social` after a change of the drawing, on a machine with Liberation Sans.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.parts import program

ROOT = Path(__file__).resolve().parents[2]
DRAWING = ROOT / "docs" / "social" / "card.svg"
CARD = ROOT / "static" / "social.png"
WIDTH, HEIGHT = 1200, 630
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def render() -> bytes:
    """The card as Chromium draws it, with a palette: a third of what it gives by itself."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program("browser"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_content(f"<style>body {{ margin: 0 }}</style>{DRAWING.read_text()}")
        colours = page.evaluate(_COLOURS, page.screenshot(type="png").hex())
        browser.close()
    rows = [bytes.fromhex(row) for row in colours["rows"]]
    return packed([bytes.fromhex(one) for one in colours["palette"]], rows)


# The browser itself reads its picture back: the commonest colours are the palette, and each edge of
# a letter takes the nearest of them.
_COLOURS = """
async (hex) => {
  const bytes = Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = picture;
  const paper = new OffscreenCanvas(width, height).getContext("2d");
  paper.drawImage(picture, 0, 0);
  const { data } = paper.getImageData(0, 0, width, height);
  const dots = new Uint32Array(width * height);
  const seen = new Map();
  for (let i = 0; i < dots.length; i += 1) {
    dots[i] = (data[4 * i] << 16) | (data[4 * i + 1] << 8) | data[4 * i + 2];
    seen.set(dots[i], (seen.get(dots[i]) ?? 0) + 1);
  }
  const commonest = [...seen].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 64);
  const palette = commonest.map((one) => one[0]);
  const apart = (a, b, bits) => ((a >> bits) & 255) - ((b >> bits) & 255);
  const far = (a, b) => apart(a, b, 16) ** 2 + apart(a, b, 8) ** 2 + apart(a, b, 0) ** 2;
  const nearest = (dot) =>
    palette.reduce((best, one, i) => (far(dot, one) < far(dot, palette[best]) ? i : best), 0);
  const numbers = new Map([...seen.keys()].map((dot) => [dot, nearest(dot)]));
  const two = (number) => number.toString(16).padStart(2, "0");
  const rows = [];
  for (let y = 0; y < height; y += 1) {
    const row = [...dots.subarray(y * width, (y + 1) * width)];
    rows.push(row.map((dot) => two(numbers.get(dot))).join(""));
  }
  return { palette: palette.map((one) => one.toString(16).padStart(6, "0")), rows };
}
"""


def packed(palette: list[bytes], rows: list[bytes]) -> bytes:
    """A PNG with a palette (W3C, Portable Network Graphics)."""
    lines = b"".join(b"\0" + row for row in rows)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    parts = {b"IHDR": header, b"PLTE": b"".join(palette), b"IDAT": zlib.compress(lines, 9)}
    return _SIGNATURE + b"".join(_chunks(parts | {b"IEND": b""}))


def _chunks(parts: dict[bytes, bytes]) -> Iterator[bytes]:
    for kind, content in parts.items():
        check = zlib.crc32(kind + content)
        yield struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


if __name__ == "__main__":
    CARD.write_bytes(render())
