#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws a picture of words and reads it with PP-OCR's recogniser on the chip.

    read_words.py --model ppocr4_rec.onnx [WORDS …] [--device auto] [--picture out.png]

Prints the text that was read, the time it took, the device, and the difference from ONNX Runtime.
"""

import argparse
import sys
import time

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.markup import escape

import kawara

HEIGHT = 48  # rows that the recogniser takes
WIDTH_MIN, WIDTH_MAX = 160, 1280


def draw(words: str) -> Image.Image:
    """Black words on white, 48 pixels high, wide enough for the words."""
    font = ImageFont.load_default(30)
    left, top, right, bottom = font.getbbox(words)
    width = min(WIDTH_MAX, max(WIDTH_MIN, -(-(right - left + 24) // 32) * 32))
    picture = Image.new("RGB", (width, HEIGHT), "white")
    ImageDraw.Draw(picture).text((12 - left, (HEIGHT - (bottom - top)) // 2 - top), words, fill="black", font=font)
    return picture


def tensor_of(picture: Image.Image) -> np.ndarray:
    """float32 [1, 3, 48, width] in [-1, 1], as the recogniser was trained on."""
    pixels = np.asarray(picture, np.float32).transpose(2, 0, 1)[None]
    return np.ascontiguousarray(pixels / 127.5 - 1)


def decode(scores: np.ndarray, alphabet: "list[str]") -> str:
    """Greedy CTC decoding: the best class of each step, repeats merged, class 0 (blank) dropped."""
    best = scores[0].argmax(axis=1)
    kept = [c for i, c in enumerate(best) if c != 0 and (i == 0 or c != best[i - 1])]
    return "".join(alphabet[c - 1] if c - 1 < len(alphabet) else " " for c in kept).strip()


def as_blocks(picture: Image.Image, columns: int) -> str:
    """The picture in half-block characters, for a terminal of so many columns."""
    small = picture.convert("L").resize((min(columns, picture.width), 16))
    dark = np.asarray(small) < 160
    signs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    lines = ["".join(signs[bool(a), bool(b)] for a, b in zip(dark[i], dark[i + 1])).rstrip() for i in range(0, 16, 2)]
    return "\n".join(["", *(line for line in lines if line), ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", default=["Hello", "from", "K1,", "chip", "42"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--picture", help="save the drawn picture here")
    arguments = parser.parse_args()
    words = " ".join(arguments.words)
    console = Console(highlight=False)

    picture = draw(words)
    if arguments.picture:
        picture.save(arguments.picture)
    x = tensor_of(picture)
    console.print(escape(as_blocks(picture, min(console.width, 120))))

    begin = time.perf_counter()
    with console.status("compiling the recogniser for K1 …"):
        session = kawara.InferenceSession(arguments.model, arguments.device, shapes={"x": x.shape})
    compiled = time.perf_counter()
    with console.status("first run on the emulated chip …"):
        (scores,) = session.run(None, {"x": x})
    first = time.perf_counter()
    (scores,) = session.run(None, {"x": x})
    second = time.perf_counter()

    alphabet = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    console.print(f"  read    [bold green]{escape(decode(scores, alphabet))}[/]")
    console.print(f"  drawn   {escape(words)}")
    console.print(f"  device  {escape(session.device)}")
    console.print(f"  time    {(second - first) * 1e3:.0f} ms a run; the first {(first - compiled) * 1e3:.0f} ms, compiling {(compiled - begin) * 1e3:.0f} ms")

    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    reference = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    (expected,) = reference.run(None, {"x": x})
    difference = np.abs(scores - expected)
    within = bool(np.all(difference <= 1e-3 * np.abs(expected) + 1e-5))
    verdict = "[bold green]equal[/]" if within else "[bold red]NOT EQUAL[/]"
    console.print(f"  check   {verdict} to ONNX Runtime: {scores.size:,} scores differ by at most {difference.max():.2g}")
    return 0 if within else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except kawara.Error as error:
        sys.exit(f"error {error.code}: {error.message}\n  remedy: {error.remedy}")
    except KeyboardInterrupt:
        sys.exit(130)
