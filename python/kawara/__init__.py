# SPDX-License-Identifier: Apache-2.0
"""Kawara runs ONNX models on the K1 inference chip, or on its emulator when there is no chip.

    import kawara
    session = kawara.InferenceSession("model.onnx")
    outputs = session.run(None, {"x": array})
"""

from . import _kawara
from .errors import Error

_kawara.set_error_class(Error)

from .binding import Binding  # noqa: E402
from .in_flight import Future  # noqa: E402
from .precision import precision_error  # noqa: E402
from .profiling import profile  # noqa: E402
from .replaying import replay  # noqa: E402
from .session import InferenceSession, ModelMetadata, NodeArg, Program, compile, devices  # noqa: E402

__version__ = _kawara.version()

__all__ = ["Binding", "Error", "Future", "InferenceSession", "ModelMetadata", "NodeArg", "Program", "compile", "devices", "precision_error", "profile", "replay", "__version__"]
