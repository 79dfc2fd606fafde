// SPDX-License-Identifier: Apache-2.0
// GatherND: slices of the input, each chosen by a row of indices for the leading dimensions.
#include "elementwise.h"
#include "indexed.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& data = inference.shape(0);
  const Shape& indices = inference.shape(1);
  inference.require(inference.attribute("batch_dims", int64_t{0}) == 0, "batch_dims must be 0");
  inference.require(inference.dtype(1) == DType::i64, "indices must be i64");
  inference.require(bits(inference.dtype(0)) >= 8, "elements must have 8 bits or more");
  inference.require(!indices.empty(), "indices must have a dimension");
  const int64_t columns = indices.back();
  inference.require(columns >= 1 && columns <= 3 && columns <= static_cast<int64_t>(data.size()),
                    fmt::format("a row must hold 1 to 3 indices and at most {}, the rank of the data, got {}", data.size(), columns));
  Shape shape(indices.begin(), indices.end() - 1);
  const bool chooses = element_count(indices) > 0;
  for (int64_t i = 0; i < columns; ++i)
    inference.require(data[i] > 0 || !chooses, fmt::format("dimension {} has no elements to choose from", i));
  shape.insert(shape.end(), data.begin() + columns, data.end());
  inference.set(0, inference.dtype(0), std::move(shape));
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape& data = lowering.shape(node.inputs[0]);
  const Shape& indices = lowering.shape(node.inputs[1]);
  const Shape& output = lowering.shape(node.outputs[0]);
  std::vector<size_t> loop_of(output.size());
  for (size_t i = 0; i < loop_of.size(); ++i) loop_of[i] = i;

  Section section(output);
  const View& from = lowering.view(node.inputs[0]);
  const View& rows = lowering.view(node.inputs[1]);
  std::vector<int64_t> row_steps(section.loops()), steps(section.loops());
  for (size_t i = 0; i + 1 < indices.size(); ++i) row_steps[i] = rows.strides[i];
  std::vector<IndexedDimension> dimensions;
  for (size_t i = 0; i < static_cast<size_t>(indices.back()); ++i) {
    View column = rows;
    column.offset += static_cast<int64_t>(i) * rows.strides.back();
    const Stream stream = section.walk(column, lowering.dtype(node.inputs[1]), row_steps);
    dimensions.push_back({from.strides[i], data[i], section.points.load(section.input(stream), stream.dtype)});
  }
  for (size_t i = dimensions.size(); i < data.size(); ++i) steps[indices.size() - 1 + i - dimensions.size()] = from.strides[i];
  lowering.finish(section, group, load_indexed(section, from, lowering.dtype(node.inputs[0]), steps, dimensions), loop_of);
  lowering.vector(group, std::move(section));
}

}  // namespace

const Operator gather_nd_operator = {.name = "GatherND", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
