// SPDX-License-Identifier: Apache-2.0
// How one dimension is resized, as tables: which elements of it each element of the result is made of, and their weights.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kawara::compiler {

// What Resize's attributes say, for all dimensions alike. The names are ONNX's.
struct Interpolation {
  enum class Mode : uint8_t { nearest, linear, cubic };
  enum class Rounding : uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil, ceil_when_smaller };
  enum class Positions : uint8_t {
    half_pixel,
    half_pixel_symmetric,
    pytorch_half_pixel,
    tf_half_pixel_for_nn,
    align_corners,
    asymmetric,
    tf_crop_and_resize
  };
  Mode mode = Mode::nearest;
  Rounding rounding = Rounding::round_prefer_floor;
  Positions positions = Positions::half_pixel;
  float cubic_coefficient = -0.75f;
  bool exclude_outside = false;
  bool antialias = false;
};

// From `in` to `out` elements. The scale is as given, or out / in; start and end are tf_crop_and_resize's, in parts of the dimension.
struct Resizing {
  int64_t in = 0, out = 0;
  float scale = 1;
  float start = 0, end = 1;
};

// Element o of the result is the sum over t < taps of weights[o * taps + t] * element indices[o * taps + t].
struct Resampling {
  static constexpr int64_t kOutside = -1;  // an index: tf_crop_and_resize's extrapolation value stands here

  int64_t in = 0, out = 0, taps = 1;
  std::vector<int64_t> indices{};
  std::vector<float> weights{};  // empty: one tap that counts as it is

  bool is_identity() const;
};

Resampling resample(const Interpolation& interpolation, const Resizing& resizing);

// index(o, t) = clamp(floor((base + step * o) / divisor) + t), which the chip's coordinates compute without a table.
struct Line {
  int64_t base = 0, step = 1, divisor = 1;
};
// For indices that are all on such a line, of which it is tried whether they are.
std::optional<Line> line_through(const Resampling& resampling, float scale);

}  // namespace kawara::compiler
