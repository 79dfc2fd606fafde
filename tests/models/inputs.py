# SPDX-License-Identifier: Apache-2.0
"""The inputs that models.json states, the same in every program: numpy's frozen legacy generator, seeded by name."""

import re
import zlib

import numpy as np

FONT = {  # 5x7 glyphs, one 5-bit row each
    "I": (14, 4, 4, 4, 4, 4, 14), "N": (17, 25, 21, 19, 17, 17, 17), "F": (31, 16, 16, 30, 16, 16, 16), "E": (31, 16, 16, 30, 16, 16, 31),
    "R": (30, 17, 17, 30, 20, 18, 17), "C": (14, 17, 16, 16, 16, 17, 14), "H": (17, 17, 17, 31, 17, 17, 17), "P": (30, 17, 17, 30, 16, 16, 16),
    "T": (31, 4, 4, 4, 4, 4, 4), "S": (15, 16, 16, 14, 1, 1, 30), "2": (14, 17, 1, 6, 8, 16, 31), "7": (31, 1, 2, 4, 8, 8, 8),
    "4": (2, 6, 10, 18, 31, 2, 2), " ": (0,) * 7}
WORDS = "INFER 24 CHIPS IN THE TEST 7 PRINTS "


def glyphs(height: int, width: int, background: float, ink: float, scale: int) -> np.ndarray:
    """A page of WORDS in block letters, `scale` pixels to the dot."""
    page = np.full((height, width), background)
    letter = 0
    row, step = max(0, (height - 7 * scale) // 2 if height < 16 * scale else scale * 3), 13 * scale
    while row + 7 * scale <= height:
        for column in range(2 * scale, width - 5 * scale, 6 * scale):
            rows = FONT[WORDS[letter % len(WORDS)]]
            letter += 1
            dots = np.array([[(r >> (4 - bit)) & 1 for bit in range(5)] for r in rows])
            page[row:row + 7 * scale, column:column + 5 * scale] += (ink - background) * np.kron(dots, np.ones((scale, scale)))
        row += step
    return page


PROGRAM = "import os\n\ndef main(argv):\n    for name in argv:\n        print(os.path.basename(name), len(name))\n\n"


def make_input(model: str, spec: dict) -> np.ndarray:
    """One input array from its name, dtype, shape and fill in models.json."""
    generator = np.random.RandomState(zlib.crc32(f"{model}/{spec['name']}".encode()))
    shape = tuple(spec["shape"])
    kind, arguments = re.fullmatch(r"(\w+)(?:\((.*)\))?", spec["fill"]).groups()
    a = [float(x) for x in arguments.split(",")] if arguments else []
    if kind == "uniform":  # reals in [a, b)
        x = generator.uniform(a[0], a[1], shape)
    elif kind == "normal":  # mean, standard deviation
        x = a[0] + a[1] * generator.standard_normal(shape)
    elif kind == "ids":  # integers in [a, b)
        x = generator.randint(int(a[0]), int(a[1]), shape)
    elif kind == "const":
        x = np.full(shape, a[0])
    elif kind == "glyphs":  # background, ink, dot size; NCHW, the same page in every channel
        x = np.broadcast_to(glyphs(*shape[-2:], a[0], a[1], int(a[2])), shape)
    elif kind == "waves":  # smooth picture in [a, b): a few plane waves over all axes
        x = np.zeros(shape)
        axes = [np.arange(n).reshape([-1 if i == d else 1 for i in range(len(shape))]) for d, n in enumerate(shape)]
        for _ in range(6):
            x = x + np.sin(sum(generator.uniform(-0.15, 0.15) * axis for axis in axes) + generator.uniform(0, 6.3))
        x = a[0] + (a[1] - a[0]) * (x + 6) / 12
    elif kind == "text":  # character codes of PROGRAM, again and again
        x = np.resize([ord(letter) for letter in PROGRAM], shape)
    else:
        raise ValueError(f"unknown fill {spec['fill']!r}")
    return np.ascontiguousarray(x).astype(spec["dtype"])
