// SPDX-License-Identifier: Apache-2.0
#include "resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace kawara::compiler {

namespace {

using Mode = Interpolation::Mode;
using Positions = Interpolation::Positions;
using Rounding = Interpolation::Rounding;

constexpr float kFar = 1 << 30;  // beyond every element

// Where element o of the result lies in the input. In f32, step by step as ONNX Runtime computes it: which neighbour is nearest hangs on
// it.
float position(const Interpolation& interpolation, const Resizing& resizing, int64_t o) {
  const auto x = static_cast<float>(o), in = static_cast<float>(resizing.in), out = static_cast<float>(resizing.out);
  const float scale = resizing.scale;
  switch (interpolation.positions) {
    case Positions::half_pixel: return (x + 0.5f) / scale - 0.5f;
    case Positions::half_pixel_symmetric: {
      const float adjustment = out / (scale * in), center = in / 2;
      return static_cast<float>(center * (1 - adjustment) + (double{x} + 0.5) / double{scale} - 0.5);  // there it goes on in f64
    }
    case Positions::pytorch_half_pixel: return resizing.out > 1 ? (x + 0.5f) / scale - 0.5f : 0;
    case Positions::tf_half_pixel_for_nn: return (x + 0.5f) / scale;
    case Positions::align_corners: return resizing.out == 1 ? 0 : x * (in - 1) / (out - 1);
    case Positions::asymmetric: return x / scale;
    case Positions::tf_crop_and_resize: break;
  }
  if (resizing.out == 1) return 0.5f * (resizing.start + resizing.end) * (in - 1);
  return resizing.start * (in - 1) + x * (resizing.end - resizing.start) * (in - 1) / (out - 1);
}

int64_t nearest(Rounding rounding, float x, float scale) {
  const float below = std::floor(x);
  switch (rounding) {
    case Rounding::round_prefer_floor: return static_cast<int64_t>(x == below + 0.5f ? below : std::round(x));
    case Rounding::round_prefer_ceil: return static_cast<int64_t>(x == below + 0.5f ? below + 1 : std::round(x));
    case Rounding::floor: return static_cast<int64_t>(below);
    case Rounding::ceil: return static_cast<int64_t>(std::ceil(x));
    case Rounding::ceil_when_smaller: break;
  }
  return static_cast<int64_t>(scale < 1 ? std::ceil(x) : std::trunc(x));
}

// What an element at this distance weighs: a tent of half-width 1, or the cubic of half-width 2.
float weight(const Interpolation& interpolation, float distance) {
  const float x = std::abs(distance), a = interpolation.cubic_coefficient;
  if (interpolation.mode == Mode::linear) return std::max(1 - x, 0.0f);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// The taps of one element of the result: indices first, first + 1, …, which may lie outside.
struct Taps {
  int64_t first = 0;
  std::vector<float> weights{};
};

Taps taps_at(const Interpolation& interpolation, const Resizing& resizing, float x) {
  const float reach = interpolation.mode == Mode::linear ? 1 : 2;
  // Smaller pictures without aliases: the kernel is as wide as the result's elements are.
  const float stretch = interpolation.antialias && resizing.scale < 1 ? 1 / resizing.scale : 1;
  Taps result{.first = static_cast<int64_t>(std::floor(x)) - (static_cast<int64_t>(reach) - 1)};
  auto count = static_cast<int64_t>(2 * reach);
  if (interpolation.antialias) {
    result.first = static_cast<int64_t>(std::floor(x - reach * stretch + 1));
    count = static_cast<int64_t>(std::floor(x + reach * stretch + 1)) - result.first;
  }
  for (int64_t t = 0; t < count; ++t) {
    const int64_t index = result.first + t;
    const bool excluded = interpolation.exclude_outside && (index < 0 || index >= resizing.in);
    result.weights.push_back(excluded ? 0 : weight(interpolation, (static_cast<float>(index) - x) / stretch));
  }
  const float sum = std::accumulate(result.weights.begin(), result.weights.end(), 0.0f);
  if ((interpolation.antialias || interpolation.exclude_outside) && sum != 0)
    for (float& each : result.weights) each /= sum;
  return result;
}

// Taps at the ends that weigh nothing in any row are left out, so that a mere copy is one.
void trim(std::vector<Taps>& rows, size_t taps) {
  size_t begin = taps, end = 0;
  for (const Taps& row : rows)
    for (size_t t = 0; t < taps; ++t) {
      if (row.weights[t] == 0) continue;
      begin = std::min(begin, t);
      end = std::max(end, t + 1);
    }
  if (begin >= end) return;
  for (Taps& row : rows) {
    row.weights = {row.weights.begin() + static_cast<ptrdiff_t>(begin), row.weights.begin() + static_cast<ptrdiff_t>(end)};
    row.first += static_cast<int64_t>(begin);
  }
}

}  // namespace

bool Resampling::is_identity() const {
  if (in != out || !weights.empty()) return false;
  for (int64_t o = 0; o < out; ++o)
    if (indices[static_cast<size_t>(o)] != o) return false;
  return true;
}

Resampling resample(const Interpolation& interpolation, const Resizing& resizing) {
  Resampling result{.in = resizing.in, .out = resizing.out};
  std::vector<Taps> rows;
  std::vector<bool> outside;
  for (int64_t o = 0; o < resizing.out; ++o) {
    const bool crops = interpolation.positions == Positions::tf_crop_and_resize;
    const float exact = resizing.scale == 1 && !crops ? static_cast<float>(o) : position(interpolation, resizing, o);
    const float x = std::isfinite(exact) ? std::clamp(exact, -kFar, kFar) : kFar;
    outside.push_back(crops && (x < 0 || x > static_cast<float>(resizing.in - 1)));
    rows.push_back(interpolation.mode == Mode::nearest ? Taps{nearest(interpolation.rounding, x, resizing.scale), {1.0f}}
                                                       : taps_at(interpolation, resizing, x));
  }
  size_t taps = 1;
  for (const Taps& each : rows) taps = std::max(taps, each.weights.size());
  for (Taps& each : rows) each.weights.resize(taps);
  trim(rows, taps);
  taps = rows.empty() ? 1 : rows[0].weights.size();
  result.taps = static_cast<int64_t>(taps);
  for (size_t o = 0; o < rows.size(); ++o)
    for (size_t t = 0; t < taps; ++t) {
      const int64_t index = rows[o].first + static_cast<int64_t>(t);
      result.indices.push_back(outside[o] ? Resampling::kOutside : std::clamp<int64_t>(index, 0, resizing.in - 1));
      result.weights.push_back(!outside[o] ? rows[o].weights[t] : t == 0 ? 1 : 0);
    }
  if (taps == 1 && std::ranges::all_of(result.weights, [](float each) { return each == 1; })) result.weights.clear();
  return result;
}

namespace {

std::optional<Line> line_of_slope(const Resampling& resampling, int64_t step, int64_t divisor) {
  int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  for (int64_t o = 0; o < resampling.out; ++o)
    for (int64_t t = 0; t < resampling.taps; ++t) {
      const int64_t index = resampling.indices[static_cast<size_t>(o * resampling.taps + t)];
      if (index == Resampling::kOutside) return std::nullopt;
      // At an end of the dimension any value beyond it is clamped to the same.
      if (index > 0) least = std::max(least, (index - t) * divisor - step * o);
      if (index < resampling.in - 1) most = std::min(most, (index - t + 1) * divisor - step * o - 1);
    }
  if (least > most) return std::nullopt;
  const bool bounded = least != std::numeric_limits<int64_t>::min();
  return Line{.base = bounded ? least : std::min<int64_t>(most, 0), .step = step, .divisor = divisor};
}

}  // namespace

std::optional<Line> line_through(const Resampling& resampling, float scale) {
  constexpr int64_t kDenominatorMax = 64, kProductMax = int64_t{1} << 30;  // a coordinate is summed in 32 bits
  std::vector<std::pair<int64_t, int64_t>> slopes{{resampling.in, resampling.out}, {resampling.in - 1, resampling.out - 1}};
  for (int64_t denominator = 1; denominator <= kDenominatorMax; ++denominator) {
    const float numerator = scale * static_cast<float>(denominator);
    if (numerator >= 1 && numerator < static_cast<float>(kProductMax) && numerator == std::floor(numerator)) {
      slopes.emplace_back(denominator, static_cast<int64_t>(numerator));
      break;
    }
  }
  for (auto [step, divisor] : slopes) {
    if (step < 0 || divisor < 1) continue;
    const int64_t common = std::gcd(step, divisor);
    // Twice, because positions may lie half an element off.
    step = step / common * 2;
    divisor = divisor / common * 2;
    if (divisor * (resampling.in + resampling.taps) >= kProductMax || step * resampling.out >= kProductMax) continue;
    if (const auto line = line_of_slope(resampling, step, divisor)) return line;
  }
  return std::nullopt;
}

}  // namespace kawara::compiler
