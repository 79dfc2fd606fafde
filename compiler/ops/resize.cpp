// SPDX-License-Identifier: Apache-2.0
// Resize: one loop nest; each resized dimension has a loop over its taps, and walks on a line or by a table of indices.
#include <algorithm>
#include <bit>
#include <cmath>

#include "elementwise.h"
#include "lowering.h"
#include "resampling.h"

namespace kawara::compiler {

namespace {

using Mode = Interpolation::Mode;
using Positions = Interpolation::Positions;
using Rounding = Interpolation::Rounding;

constexpr int64_t kExtentMax = 1 << 20;  // of a resized dimension: its tables are made when the model is compiled
constexpr size_t kResizedMax = 3;        // a nest reduces three loops

// The row of a name, or a refusal that lists all names.
template <typename T>
T choose(const Inference& inference, const char* attribute, std::string_view otherwise,
         std::initializer_list<std::pair<std::string_view, T>> rows) {
  const std::string name = inference.attribute(attribute, otherwise);
  std::string names;
  for (const auto& [row, value] : rows) {
    if (row == name) return value;
    names += (names.empty() ? "" : ", ") + std::string(row);
  }
  inference.require(false, fmt::format("{} must be one of {}, got {}", attribute, names, name));
  return rows.begin()->second;
}

Interpolation interpolation_of(const Inference& inference) {
  Interpolation result;
  result.mode = choose<Mode>(inference, "mode", "nearest", {{"nearest", Mode::nearest}, {"linear", Mode::linear}, {"cubic", Mode::cubic}});
  if (inference.node().opset < 11) {
    result.positions = Positions::asymmetric;
    result.rounding = Rounding::ceil_when_smaller;
    return result;
  }
  result.positions = choose<Positions>(inference, "coordinate_transformation_mode", "half_pixel",
                                       {{"half_pixel", Positions::half_pixel},
                                        {"half_pixel_symmetric", Positions::half_pixel_symmetric},
                                        {"pytorch_half_pixel", Positions::pytorch_half_pixel},
                                        {"tf_half_pixel_for_nn", Positions::tf_half_pixel_for_nn},
                                        {"align_corners", Positions::align_corners},
                                        {"asymmetric", Positions::asymmetric},
                                        {"tf_crop_and_resize", Positions::tf_crop_and_resize}});
  result.rounding = choose<Rounding>(inference, "nearest_mode", "round_prefer_floor",
                                     {{"round_prefer_floor", Rounding::round_prefer_floor},
                                      {"round_prefer_ceil", Rounding::round_prefer_ceil},
                                      {"floor", Rounding::floor},
                                      {"ceil", Rounding::ceil}});
  result.cubic_coefficient = inference.attribute("cubic_coeff_a", -0.75f);
  result.exclude_outside = inference.attribute("exclude_outside", int64_t{0}) != 0;
  result.antialias = inference.attribute("antialias", int64_t{0}) != 0;
  return result;
}

std::vector<float> floats(const Inference& inference, size_t input) {
  const Tensor* tensor = inference.constant(input);
  inference.require(tensor && tensor->dtype == DType::f32, fmt::format("input {} must be a constant of f32", input));
  for (float each : tensor->as<float>()) inference.require(std::isfinite(each), fmt::format("input {} must be finite", input));
  return {tensor->as<float>().begin(), tensor->as<float>().end()};
}

// Exporters write an empty tensor for an input that is not given.
bool is_given(const Inference& inference, size_t input) { return inference.has(input) && element_count(inference.shape(input)) > 0; }

// sizes, or one scale for all axes so that the result is not larger, or not smaller, than they say.
void resize_to(const Inference& inference, const std::vector<size_t>& axes, std::vector<Resizing>& dimensions) {
  const auto sizes = inference.integers(3);
  inference.require(sizes.size() == axes.size(), fmt::format("{} sizes are given for {} axes", sizes.size(), axes.size()));
  std::vector<float> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    inference.require(sizes[i] >= 0 && sizes[i] <= kExtentMax, "sizes must be within 0 and 2^20");
    const int64_t in = dimensions[axes[i]].in;
    inference.require(in > 0, fmt::format("dimension {} has no elements to resize", axes[i]));
    scales.push_back(static_cast<float>(sizes[i]) / static_cast<float>(in));
  }
  const auto policy =
      choose<int>(inference, "keep_aspect_ratio_policy", "stretch", {{"stretch", 0}, {"not_larger", 1}, {"not_smaller", 2}});
  const float common = axes.empty() ? 1 : policy == 1 ? std::ranges::min(scales) : std::ranges::max(scales);
  for (size_t i = 0; i < axes.size(); ++i) {
    Resizing& dimension = dimensions[axes[i]];
    dimension.scale = policy == 0 ? scales[i] : common;
    // Halves go up, as in ONNX.
    dimension.out = policy == 0 ? sizes[i] : static_cast<int64_t>(std::floor(common * static_cast<float>(dimension.in) + 0.5f));
  }
}

void resize_by(const Inference& inference, size_t input, const std::vector<size_t>& axes, std::vector<Resizing>& dimensions) {
  const auto scales = floats(inference, input);
  inference.require(scales.size() == axes.size(), fmt::format("{} scales are given for {} axes", scales.size(), axes.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    Resizing& dimension = dimensions[axes[i]];
    const float out = scales[i] * static_cast<float>(dimension.in);
    inference.require(scales[i] > 0 && out < static_cast<float>(INT64_MAX), fmt::format("scales must be above 0, got {}", scales[i]));
    dimension.scale = scales[i];
    dimension.out = scales[i] == 1 ? dimension.in : static_cast<int64_t>(out);
  }
}

// One for each dimension of the input.
std::vector<Resizing> resizings_of(const Inference& inference) {
  const Shape& shape = inference.shape(0);
  std::vector<Resizing> dimensions;
  std::vector<int64_t> all;
  for (const int64_t extent : shape) {
    all.push_back(static_cast<int64_t>(dimensions.size()));
    dimensions.push_back({.in = extent, .out = extent});
  }
  if (inference.node().opset < 11) {
    resize_by(inference, 1, inference.axes(all, shape.size()), dimensions);
    return dimensions;
  }
  const auto axes = inference.axes(inference.attribute("axes", all), shape.size());
  inference.require(is_given(inference, 2) != is_given(inference, 3), "either scales or sizes must be given");
  if (is_given(inference, 3))
    resize_to(inference, axes, dimensions);
  else
    resize_by(inference, 2, axes, dimensions);
  if (interpolation_of(inference).positions != Positions::tf_crop_and_resize) return dimensions;
  const auto region = floats(inference, 1);
  inference.require(region.size() == 2 * axes.size(), fmt::format("roi must have {} values, got {}", 2 * axes.size(), region.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    dimensions[axes[i]].start = region[i];
    dimensions[axes[i]].end = region[axes.size() + i];
  }
  return dimensions;
}

bool is_resized(const Interpolation& interpolation, const Resizing& dimension) {
  const bool crops = interpolation.positions == Positions::tf_crop_and_resize && (dimension.start != 0 || dimension.end != 1);
  return dimension.in != dimension.out || dimension.scale != 1 || crops;
}

void infer(Inference& inference) {
  const DType dtype = inference.dtype(0);
  const Interpolation interpolation = interpolation_of(inference);
  const bool blends = interpolation.mode != Mode::nearest;
  inference.require(
      bits(dtype) >= 8 && (!blends || (is_float(dtype) && bits(dtype) >= 16)),
      fmt::format("elements must have 8 bits or more, and be f32, f16 or bf16 unless the mode is nearest, got {}", name(dtype)));
  inference.require(interpolation.positions != Positions::tf_crop_and_resize || dtype == DType::f32 ||
                        inference.attribute("extrapolation_value", 0.0f) == 0,
                    "extrapolation_value must be 0 unless elements are f32");
  inference.require(!interpolation.antialias || blends, "antialias needs the mode linear or cubic");
  Shape shape;
  size_t resized = 0;
  for (const Resizing& dimension : resizings_of(inference)) {
    shape.push_back(dimension.out);
    if (!is_resized(interpolation, dimension)) continue;
    inference.require(dimension.in <= kExtentMax && dimension.out <= kExtentMax && (dimension.in > 0 || dimension.out == 0),
                      fmt::format("a resized dimension must be within 1 and 2^20, one is {} and becomes {}", dimension.in, dimension.out));
    ++resized;
  }
  inference.require(resized <= kResizedMax, fmt::format("at most {} dimensions may be resized, got {}", kResizedMax, resized));
  inference.set(0, dtype, std::move(shape));
}

template <typename T>
View table(Lowering& lowering, DType dtype, const Resampling& axis, std::span<const T> elements) {
  return lowering.constant(Tensor::copy_of(dtype, {axis.out, axis.taps}, std::as_bytes(elements)));
}

// A resized dimension in the nest: the loop over the result, and the one over the taps if there are several.
struct ResizedAxis {
  Resampling resampling;
  std::optional<Line> line;
  size_t loop = 0;
  std::optional<size_t> taps_loop;
  int64_t stride = 0;

  // Loads from a table that has a row for each element of the result.
  Register load(Section& section, const View& rows, DType dtype) const {
    std::vector<int64_t> steps(section.loops());
    steps[loop] = rows.strides[0];
    if (taps_loop) steps[*taps_loop] = rows.strides[1];
    return section.points.load(section.input(section.walk(rows, dtype, steps)), dtype);
  }

  Register load_index(Lowering& lowering, Section& section) const {
    const std::vector<int32_t> indices(resampling.indices.begin(), resampling.indices.end());
    return load(section, table<int32_t>(lowering, DType::i32, resampling, indices), DType::i32);
  }

  Register load_weight(Lowering& lowering, Section& section) const {
    return load(section, table<float>(lowering, DType::f32, resampling, resampling.weights), DType::f32);
  }

  Coordinate coordinate(const Section& section) const {
    Coordinate result{.stride = stride, .extent = resampling.in, .coefficients = std::vector<int64_t>(section.loops())};
    if (!line) {
      result.flags = KAWARA_COORD_INDEXED;
      return result;
    }
    result.base = line->base;
    result.coefficients[loop] = line->step;
    if (taps_loop) result.coefficients[*taps_loop] = line->divisor;
    result.divisor = line->divisor;
    result.flags = KAWARA_COORD_CLAMP;
    return result;
  }
};

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Inference inference = lowering.inference(node);
  const Interpolation interpolation = interpolation_of(inference);
  const Shape& output = lowering.shape(node.outputs[0]);
  const View& from = lowering.view(node.inputs[0]);
  const DType dtype = lowering.dtype(node.inputs[0]);
  const auto dimensions = resizings_of(inference);
  std::vector<ResizedAxis> axes;
  std::vector<int64_t> reduced;
  std::vector<size_t> loop_of(output.size());
  for (size_t i = 0; i < output.size(); ++i) {
    loop_of[i] = i;
    if (!is_resized(interpolation, dimensions[i])) continue;
    ResizedAxis axis{
        .resampling = resample(interpolation, dimensions[i]), .line = {}, .loop = i, .taps_loop = {}, .stride = from.strides[i]};
    if (axis.resampling.is_identity()) continue;
    axis.line = line_through(axis.resampling, dimensions[i].scale);
    if (axis.resampling.taps > 1) {
      axis.taps_loop = output.size() + reduced.size();
      reduced.push_back(axis.resampling.taps);
    }
    axes.push_back(std::move(axis));
  }

  Section section(output, reduced);
  std::vector<int64_t> steps(section.loops());
  for (size_t i = 0; i < output.size(); ++i)
    if (std::ranges::none_of(axes, [&](const ResizedAxis& axis) { return axis.loop == i; })) steps[i] = from.strides[i];
  Stream stream = section.walk(from, dtype, steps);
  const float outside = inference.attribute("extrapolation_value", 0.0f);
  stream.pad = dtype == DType::f32 ? std::bit_cast<uint32_t>(outside) : 0;

  Points& points = section.points;
  if (!reduced.empty()) {
    points.phase();
    points.step();
  }
  std::array<Register, 3> indices;
  size_t indexed = 0;
  Register weight;
  for (const ResizedAxis& axis : axes) {
    if (!axis.line) indices.at(indexed++) = axis.load_index(lowering, section);
    stream.coordinates.push_back(axis.coordinate(section));
    if (axis.resampling.weights.empty()) continue;
    const Register own = axis.load_weight(lowering, section);
    weight = weight.type == DType::none ? own : points.mul(weight, own);
  }
  const unsigned number = section.input(std::move(stream));
  Register value = indexed > 0 ? points.load(number, dtype, indices) : points.load(number, dtype);
  if (weight.type != DType::none) value = points.mul(weight, value);
  if (!reduced.empty()) {
    value = points.reduce(KAWARA_OP_red_add, value);
    points.after();
  }
  lowering.finish(section, group, value, loop_of);
  lowering.vector(group, std::move(section));
}

}  // namespace

const Operator resize_operator = {.name = "Resize", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
