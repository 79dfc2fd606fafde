// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_operands.h"

#include <algorithm>

namespace kawara::emulator::vulkan {

namespace {

// A nest that moves f32 elements from its first stream to its second.
Nest move(NestStream from, NestStream to) {
  Nest nest;
  nest.n_par = kParallelMax;
  nest.n_in = 1;
  nest.streams = {std::move(from), std::move(to)};
  nest.instrs = {{KAWARA_OP_load, 0, 0, 0, 0, KAWARA_DTYPE_f32, 0}, {KAWARA_OP_store, 0, 0, 0, 0, KAWARA_DTYPE_f32, 1}};
  nest.phases = {{KAWARA_PHASE_TREE, 0, 0, 0, 2, 2, {}}};
  return nest;
}

}  // namespace

NestCoordinate along(unsigned loop, int64_t stride, uint32_t extent) {
  NestCoordinate coordinate;
  coordinate.stride = stride;
  coordinate.extent = extent;
  coordinate.coef[loop] = 1;
  return coordinate;
}

bool is_lane_stride(int64_t row) {
  constexpr uint64_t kTileBytes = 4096;  // generous: what a tile reads behind its last row
  return row >= 0 && static_cast<uint64_t>(row) * 4 * (LaneProduct::kRowsMax - 1) + kTileBytes <= LaneProduct::kReadsBehindMax;
}

WidenedOperand dense_copy(Recorder& recorder, const Place& place, const std::array<uint32_t, kParallelMax>& extent,
                          const OperandDims& stride, unsigned batch_dims, uint64_t& scratch) {
  NestStream from{place, DType::f32, 0, 0, {}}, to{{}, DType::f32, 0, 0, {}};
  std::array<uint32_t, kParallelMax> copied{};
  WidenedOperand result;
  uint64_t elements = 1;
  for (unsigned i = kParallelMax; i-- > 0;) {
    copied[i] = i < batch_dims && stride[i] == 0 ? 1 : extent[i];
    if (copied[i] == 1) continue;
    result.stride[i] = static_cast<int64_t>(elements);
    elements *= copied[i];
    from.coordinates.push_back(along(i, stride[i], copied[i]));
    to.coordinates.push_back(along(i, result.stride[i], copied[i]));
  }
  result.place = to.place = reserve(elements * 4, scratch);
  Nest nest = move(std::move(from), std::move(to));
  for (unsigned i = 0; i < kParallelMax; ++i) nest.extent[i] = copied[i];
  recorder.add_nest(nest);
  return result;
}

namespace {

// How elements of one row stand between its borders. Where a border is negative, part of the input is not copied.
struct BorderedRow {
  int64_t skipped, width, border;

  BorderedRow(uint32_t in, int32_t before, uint32_t extent) {
    const int64_t behind = int64_t{extent} - before - in;
    skipped = std::max<int64_t>(-int64_t{before}, 0);
    width = std::max<int64_t>(std::clamp<int64_t>(in + behind, 0, in) - skipped, 0);
    border = std::max<int64_t>({before, behind, 0});
  }
};

}  // namespace

bool border_pays(const std::array<uint64_t, 2>& in, const std::array<uint64_t, 2>& extent) {
  constexpr uint64_t kElementsFree = 4096, kSideMax = uint64_t{1} << 24;
  return extent[0] <= kSideMax && extent[1] <= kSideMax && extent[0] * extent[1] <= 4 * in[0] * in[1] + kElementsFree;
}

uint32_t bordered_row(uint32_t in, int32_t before, uint32_t extent) {
  const BorderedRow row(in, before, extent);
  return static_cast<uint32_t>(row.width + row.border);
}

WidenedOperand bordered_copy(Recorder& recorder, const WidenedOperand& inputs, const std::array<uint32_t, 2>& batches,
                             const std::array<uint32_t, 3>& in, const std::array<int32_t, 3>& before, const std::array<uint32_t, 3>& extent,
                             uint32_t pad, uint64_t& scratch) {
  // The border behind one row is the border before the next. A row more stands before each plane, for its border alone.
  const BorderedRow line(in[2], before[2], extent[2]);
  enum Loop : unsigned { image, group, z, y, x };
  const uint32_t extents[] = {batches[0], batches[1], extent[0], extent[1] + 1, static_cast<uint32_t>(line.width + line.border)};
  NestStream from{inputs.place, DType::f32, 0, pad, {}}, to{{}, DType::f32, 0, 0, {}};
  WidenedOperand result;
  int64_t elements = 1;
  Nest nest = move({}, {});
  nest.n_par = 5;
  for (unsigned loop = nest.n_par; loop-- > 0;) {
    const unsigned dim = loop < z ? loop : loop + 1;  // of an operand: the third is the channels of a group
    nest.extent[loop] = extents[loop];
    from.coordinates.push_back(along(loop, inputs.stride[dim], loop < z ? batches[loop] : in[loop - z]));
    to.coordinates.push_back(along(loop, elements, extents[loop]));
    result.stride[dim] = elements;
    elements *= extents[loop];
  }
  NestCoordinate &column = from.coordinates[0], &row = from.coordinates[1], &plane = from.coordinates[2];
  column.base = line.skipped;
  column.extent = static_cast<uint32_t>(line.skipped + line.width);
  row.base = -int64_t{before[1]} - 1;
  plane.base = -int64_t{before[0]};
  result.place = to.place = reserve(static_cast<uint64_t>(elements) * 4, scratch);
  nest.streams = {std::move(from), std::move(to)};
  recorder.add_nest(nest);
  result.place.offset += static_cast<uint64_t>((result.stride[4] - std::max<int64_t>(before[2], 0)) * 4);
  return result;
}

uint64_t Windows::size_bytes() const { return uint64_t{channels} * kernel[0] * kernel[1] * lines * line * 4; }

void gather_windows(Recorder& recorder, const Windows& windows, const Place& to) {
  enum Loop : unsigned { channel, kernel_y, kernel_x, y, x };
  NestStream from{windows.input, DType::f32, 0, windows.pad_value, {}};
  from.coordinates.push_back(along(channel, windows.channel_stride, windows.channels));
  for (unsigned i = 0; i < 2; ++i) {
    NestCoordinate position;
    position.stride = windows.position_stride[i];
    position.extent = windows.in[i];
    position.base = -int64_t{windows.pad[i]};
    if (i == 0) position.base += int64_t{windows.first_line} * windows.stride[0];
    position.coef[y + i] = static_cast<int32_t>(windows.stride[i]);
    position.coef[kernel_y + i] = static_cast<int32_t>(windows.dilation[i]);
    from.coordinates.push_back(position);
  }
  const std::array<uint32_t, 5> extent = {windows.channels, windows.kernel[0], windows.kernel[1], windows.lines, windows.line};
  NestStream dense{to, DType::f32, 0, 0, {}};
  int64_t elements = 1;
  for (unsigned loop = extent.size(); loop-- > 0;) {
    dense.coordinates.push_back(along(loop, elements, extent[loop]));
    elements *= extent[loop];
  }
  Nest nest = move(std::move(from), std::move(dense));
  nest.n_par = extent.size();
  std::ranges::copy(extent, nest.extent.begin());
  recorder.add_nest(nest);
}

}  // namespace kawara::emulator::vulkan
