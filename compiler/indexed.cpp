// SPDX-License-Identifier: Apache-2.0
#include "indexed.h"

namespace kawara::compiler {

namespace {

// From -extent - 1 to extent before it becomes an i32, so that no index outside turns into one inside.
Register from_the_front(Points& points, Register index, int64_t extent) {
  const auto number = [&](int64_t value) { return points.constant(index.type, value); };
  const Register near = points.min(points.max(index, number(-extent - 1)), number(extent));
  const Register negative = points.emit(KAWARA_OP_lt, near.type, near, number(0));
  return points.convert(DType::i32, points.emit(KAWARA_OP_select, near.type, negative, points.add(near, number(extent)), near));
}

}  // namespace

Register load_indexed(Section& section, const View& view, DType dtype, std::span<const int64_t> steps,
                      std::span<const IndexedDimension> dimensions) {
  Stream stream = section.walk(view, dtype, steps);
  std::array<Register, 3> indices;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const IndexedDimension& dimension = dimensions[i];
    indices.at(i) = from_the_front(section.points, dimension.index, dimension.extent);
    stream.coordinates.push_back({.stride = dimension.stride,
                                  .extent = dimension.extent,
                                  .coefficients = std::vector<int64_t>(section.loops()),
                                  .flags = KAWARA_COORD_INDEXED});
  }
  return section.points.load(section.input(std::move(stream)), dtype, indices);
}

}  // namespace kawara::compiler
