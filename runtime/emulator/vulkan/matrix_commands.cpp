// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/matrix_commands.h"

#include <algorithm>

#include "emulator/vulkan/command_nests.h"
#include "emulator/vulkan/depthwise.h"
#include "emulator/vulkan/lane_operands.h"
#include "emulator/vulkan/product.h"
#include "emulator/vulkan/widen.h"
#include "kawara/error.h"

namespace kawara::emulator::vulkan {

namespace {

// The epilogue as a nest over `extent`, whose accumulators lie in scratch memory; strides of elements per parallel loop,
// `group_stride` from one accumulator of a group to the next.
Nest epilogue_nest(const hw::SectionView& section, const std::vector<uint32_t>& extent, const std::vector<int64_t>& strides,
                   int64_t group_stride, const Place& sums) {
  Nest nest = section_nest(section);
  nest.n_par = static_cast<uint32_t>(extent.size());
  std::ranges::copy(extent, nest.extent.begin());
  nest.n_accumulators = section.fields().acc_group;
  for (uint32_t i = 0; i < nest.n_accumulators; ++i) {
    NestStream stream{sums, DType::u32, 0, 0, {}};
    stream.place.offset += static_cast<uint64_t>(group_stride) * 4 * i;
    for (unsigned dim = 0; dim < extent.size(); ++dim) {
      NestCoordinate coordinate;
      coordinate.stride = strides[dim];
      coordinate.extent = extent[dim];
      coordinate.coef[dim] = 1;
      stream.coordinates.push_back(coordinate);
    }
    nest.streams.push_back(stream);
  }
  return nest;
}

OperandPlane plane(uint64_t operand, uint8_t dtype, const int32_t* stride, unsigned count) {
  OperandPlane result{operand, dtype, {}};
  std::copy_n(stride, count, result.stride.begin());
  return result;
}

MatrixOperand gemm_operand(const kawara_matrix& matrix, uint32_t g, uint32_t h, uint32_t rows, uint32_t columns, unsigned k_dim) {
  MatrixOperand operand;
  operand.data = matrix.data;
  operand.dtype = matrix.dtype;
  operand.extent = {g, h, rows, columns, 1, 1};
  std::ranges::copy(matrix.stride, operand.stride.begin());
  operand.scale = plane(matrix.scale, matrix.scale_dtype, matrix.scale_stride, 4);
  operand.zero = plane(matrix.zero, matrix.zero_dtype, matrix.zero_stride, 4);
  if (matrix.block_k == 0) {
    operand.scale.stride[k_dim] = operand.zero.stride[k_dim] = 0;
  } else {
    operand.block_dim = k_dim;
    operand.block = matrix.block_k;
  }
  return operand;
}

bool has_no_outputs(std::initializer_list<uint64_t> extents) { return std::ranges::find(extents, 0u) != extents.end(); }

uint8_t limit_dim(const kawara_header& header) { return static_cast<uint8_t>(header.flags & KAWARA_HEADER_LIMIT_DIM); }

void limit_depth(Product& product, const kawara_header& header) {
  product.limits_depth = true;
  product.limit = place_of(header.limit);
}

// Room for the sums of a product. The kernels for lanes want some around it.
struct SumsRoom {
  int64_t rows, row, batch;  // elements: from one row to the next, from one batch to the next

  SumsRoom(bool for_lanes, uint64_t row_count, uint64_t column_count)
      : rows(static_cast<int64_t>(for_lanes ? LaneProduct::rows_of_room(row_count) : row_count)),
        row(static_cast<int64_t>(for_lanes ? LaneProduct::row_of_room(column_count) : column_count)),
        batch(rows * row) {}
};

// A product whose depths and positions are single dimensions, its operands copied first where lanes can't walk them.
void add_on_lanes(Recorder& recorder, const Product& product, uint64_t& scratch) {
  LaneProduct lanes;
  lanes.batches = product.batches;
  lanes.rows = product.rows;
  lanes.depth = product.depth;
  lanes.columns = product.out[0] * product.out[1] * product.out[2];
  lanes.sums = product.sums;
  lanes.sums_batch = product.sums_batch;
  lanes.sums_row = product.sums_row;
  const std::array<uint32_t, 2>& batches = product.batches;
  WidenedOperand weights{product.weights, {product.weights_batch[0], product.weights_batch[1], product.weights_row, product.weights_depth}};
  if (product.weights_depth != 1 || !is_lane_stride(product.weights_row))
    weights = dense_copy(recorder, weights.place, {batches[0], batches[1], lanes.rows, lanes.depth, 1, 1}, weights.stride, 2, scratch);
  WidenedOperand inputs{product.inputs,
                        {product.inputs_batch[0], product.inputs_batch[1], product.inputs_depth, product.inputs_position[2]}};
  if (product.inputs_position[2] != 1 || !is_lane_stride(product.inputs_depth))
    inputs = dense_copy(recorder, inputs.place, {batches[0], batches[1], lanes.depth, lanes.columns, 1, 1}, inputs.stride, 2, scratch);
  lanes.weights = weights.place;
  lanes.weights_batch = {weights.stride[0], weights.stride[1]};
  lanes.weights_row = weights.stride[2];
  lanes.inputs = inputs.place;
  lanes.inputs_batch = {inputs.stride[0], inputs.stride[1]};
  lanes.inputs_depth = inputs.stride[2];
  recorder.start_pass();
  add_lane_product(recorder, lanes);
}

// Whether a convolution's sums go by lanes: floats without a zero point in one or two dimensions, with all channels of a group
// in whole tiles.
bool suits_lanes(const kawara_conv& conv, uint64_t positions) {
  const bool is_flat = conv.in[0] == 1 && conv.out[0] == 1 && conv.kernel[0] == 1 && conv.pad[0] == 0;
  const bool is_plain = conv.a_dtype == KAWARA_DTYPE_f32 && kawara_operand_region(conv.a_zero) == KAWARA_REGION_ABSENT &&
                        (conv.flags & KAWARA_CONV_TRANSPOSED) == 0 && limit_dim(conv.header) != 2;
  const bool has_whole_tiles = conv.groups == 1 || conv.OC % LaneProduct::kRows == 0;
  return conv.acc_dtype == KAWARA_DTYPE_f32 && is_flat && is_plain && has_whole_tiles &&
         LaneProduct::pays(conv.OC, uint64_t{conv.IC} * conv.kernel[1] * conv.kernel[2], positions);
}

// A convolution as products over its windows: lines of the output at a time, so that what is gathered stays in a cache.
void add_windows_on_lanes(Recorder& recorder, const Product& product, uint64_t& scratch) {
  constexpr uint64_t kBlockBytes = uint64_t{4} << 20;
  const uint32_t taps = product.taps[1] * product.taps[2];
  Product dense = product;
  dense.depth = product.depth * taps;
  dense.taps = {1, 1, 1};
  const std::array<int64_t, 2> packed{product.taps[2], 1};
  if (product.weights_depth != taps || (taps > 1 && (product.weights_tap[1] != packed[0] || product.weights_tap[2] != packed[1]))) {
    const auto weights = dense_copy(
        recorder, product.weights, {product.batches[1], product.rows, product.depth, product.taps[1], product.taps[2], 1},
        {product.weights_batch[1], product.weights_row, product.weights_depth, product.weights_tap[1], product.weights_tap[2], 0}, 1,
        scratch);
    dense.weights = weights.place;
    dense.weights_batch = {0, weights.stride[0]};
    dense.weights_row = weights.stride[1];
  }
  dense.weights_depth = 1;

  const bool is_dense_already = taps == 1 && product.stride[1] == 1 && product.stride[2] == 1 && product.pad_begin[1] == 0 &&
                                product.pad_begin[2] == 0 && product.out == product.in && product.inputs_position[2] == 1 &&
                                (product.out[1] == 1 || product.inputs_position[1] == product.out[2]);
  if (is_dense_already) return add_on_lanes(recorder, dense, scratch);

  Windows windows;
  windows.channels = product.depth;
  windows.channel_stride = product.inputs_depth;
  windows.position_stride = {product.inputs_position[1], product.inputs_position[2]};
  windows.in = {product.in[1], product.in[2]};
  windows.kernel = {product.taps[1], product.taps[2]};
  windows.stride = {product.stride[1], product.stride[2]};
  windows.dilation = {product.dilation[1], product.dilation[2]};
  windows.pad = {product.pad_begin[1], product.pad_begin[2]};
  windows.pad_value = product.pad;
  windows.line = product.out[2];
  const uint64_t line_bytes = windows.size_bytes();
  const auto lines_each = static_cast<uint32_t>(std::clamp<uint64_t>(kBlockBytes / line_bytes, 1, product.out[1]));
  const Place gathered = reserve(line_bytes * lines_each, scratch);
  dense.batches = {1, 1};
  dense.inputs = gathered;
  for (uint32_t image = 0; image < product.batches[0]; ++image) {
    for (uint32_t group = 0; group < product.batches[1]; ++group) {
      const auto offset = [&](const std::array<int64_t, 2>& batch) {
        return static_cast<uint64_t>((batch[0] * image + batch[1] * group) * 4);
      };
      windows.input = product.inputs;
      windows.input.offset += offset(product.inputs_batch);
      for (uint32_t first = 0; first < product.out[1]; first += lines_each) {
        windows.first_line = first;
        windows.lines = std::min(lines_each, product.out[1] - first);
        recorder.start_pass();
        gather_windows(recorder, windows, gathered);
        Product block = dense;
        block.weights.offset += static_cast<uint64_t>(dense.weights_batch[1] * group * 4);
        block.weights_batch = block.inputs_batch = block.sums_batch = {};
        block.out = block.in = {1, 1, windows.lines * windows.line};
        block.inputs_depth = block.out[2];
        block.inputs_position = {0, 0, 1};
        block.sums.offset += offset(product.sums_batch) + uint64_t{first} * windows.line * 4;
        add_on_lanes(recorder, block, scratch);
      }
    }
  }
}

}  // namespace

void add_gemm(Recorder& recorder, const hw::CommandView& command) {
  const auto& gemm = command.body<kawara_gemm>();
  if (kawara_operand_region(gemm.group_table) != KAWARA_REGION_ABSENT)
    throw fail(Code::unsupported, "gemm with a group table: the executor on Vulkan has no kernel for it");
  const hw::SectionView section = command.section();
  const uint32_t group = std::max<uint32_t>(1, section.fields().acc_group);
  if (has_no_outputs({gemm.G, gemm.H, gemm.M, gemm.N})) return;
  Product product;
  product.is_integer = gemm.acc_dtype == KAWARA_DTYPE_i32;
  uint64_t scratch = 0;
  const uint8_t dim = limit_dim(gemm.header);
  // Positions fill the lanes of a kernel, so the longer side becomes those.
  const bool swaps = gemm.N < 16 && gemm.M > gemm.N;
  const uint32_t rows = swaps ? gemm.N : gemm.M, columns = swaps ? gemm.M : gemm.N;
  const bool on_lanes = recorder.has_software_lanes() && !product.is_integer && dim != 4 && LaneProduct::pays(rows, gemm.K, columns);
  const SumsRoom room(on_lanes, rows, columns);
  product.sums = reserve(uint64_t{gemm.G} * gemm.H * static_cast<uint64_t>(room.batch) * 4, scratch);
  const auto a = widen(recorder, gemm_operand(gemm.a, gemm.G, gemm.H, gemm.M, gemm.K, 3), product.is_integer, scratch);
  const auto b = widen(recorder, gemm_operand(gemm.b, gemm.G, gemm.H, gemm.K, gemm.N, 2), product.is_integer, scratch);
  recorder.start_pass();
  const auto& weights = swaps ? b : a;
  const auto& inputs = swaps ? a : b;
  product.batches = {gemm.G, gemm.H};
  product.rows = rows;
  product.depth = gemm.K;
  product.out[2] = product.in[2] = columns;
  product.weights = weights.place;
  product.weights_batch = {weights.stride[0], weights.stride[1]};
  product.weights_row = weights.stride[swaps ? 3 : 2];
  product.weights_depth = weights.stride[swaps ? 2 : 3];
  product.inputs = inputs.place;
  product.inputs_batch = {inputs.stride[0], inputs.stride[1]};
  product.inputs_depth = inputs.stride[swaps ? 3 : 2];
  product.inputs_position = {0, 0, inputs.stride[swaps ? 2 : 3]};
  product.sums_batch = {room.batch * gemm.H, room.batch};
  product.sums_row = room.row;
  product.sums_position = {0, 0, 1};
  if (dim == 4) limit_depth(product, gemm.header);
  if (on_lanes)
    add_on_lanes(recorder, product, scratch);
  else
    add_product(recorder, product);
  recorder.start_pass();
  const int64_t m_stride = swaps ? 1 : room.row, n_stride = swaps ? room.row : 1;
  Nest nest = epilogue_nest(section, {gemm.G, gemm.H, gemm.M, gemm.N / group},
                            {room.batch * gemm.H, room.batch, m_stride, n_stride * group}, n_stride, product.sums);
  nest.limit = nest_limit(gemm.header, dim < 4 ? dim : 0xff);
  if (dim == 3) nest.limit.divisor = group;
  nest.counts_health = command.header().flags & KAWARA_HEADER_HEALTH;
  recorder.add_nest(nest);
  recorder.recording().use_scratch(scratch);
}

void add_conv(Recorder& recorder, const hw::CommandView& command) {
  const auto& conv = command.body<kawara_conv>();
  const hw::SectionView section = command.section();
  const uint32_t group = std::max<uint32_t>(1, section.fields().acc_group);
  const uint64_t channels = uint64_t{conv.groups} * conv.OC;
  if (has_no_outputs({conv.N, channels, conv.out[0], conv.out[1], conv.out[2]})) return;
  const uint8_t dim = limit_dim(conv.header);
  Product product;
  product.is_integer = conv.acc_dtype == KAWARA_DTYPE_i32;
  product.is_transposed = conv.flags & KAWARA_CONV_TRANSPOSED;
  const int64_t line = conv.out[2], plane_size = line * conv.out[1], volume = plane_size * conv.out[0];
  const bool on_lanes = recorder.has_software_lanes() && suits_lanes(conv, static_cast<uint64_t>(volume));
  uint64_t scratch = 0;
  MatrixOperand input;
  input.data = conv.a;
  input.dtype = conv.a_dtype;
  input.extent = {conv.N, conv.groups, conv.IC, conv.in[0], conv.in[1], conv.in[2]};
  std::ranges::copy(conv.a_stride, input.stride.begin());
  input.zero = {conv.a_zero, conv.a_zero_dtype, {}};
  MatrixOperand weight;
  weight.data = conv.b;
  weight.dtype = conv.b_dtype;
  weight.extent = {conv.groups, conv.OC, conv.IC, conv.kernel[0], conv.kernel[1], conv.kernel[2]};
  std::ranges::copy(conv.b_stride, weight.stride.begin());
  weight.scale = plane(conv.b_scale, conv.b_scale_dtype, conv.b_scale_stride, 2);
  weight.zero = plane(conv.b_zero, conv.b_zero_dtype, conv.b_zero_stride, 2);
  const auto a = widen(recorder, input, product.is_integer, scratch);
  const auto b = widen(recorder, weight, product.is_integer, scratch);
  if (recorder.has_software_lanes() && add_depthwise(recorder, command, a, b, scratch)) return recorder.recording().use_scratch(scratch);
  const SumsRoom room(on_lanes, channels, static_cast<uint64_t>(volume));
  product.sums = reserve(conv.N * static_cast<uint64_t>(room.batch) * 4, scratch);
  product.pad = conv.pad_value;
  if (conv.a_dtype != (product.is_integer ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32) || input.zero.is_there()) {
    const auto type = static_cast<DType>(conv.a_dtype);
    uint32_t value = conv.pad_value;
    if (kind(type) != DTypeKind::FLOAT && bits(type) < 32) {
      value &= (1u << bits(type)) - 1;
      const uint32_t sign = 1u << (bits(type) - 1);
      if (kind(type) == DTypeKind::SIGNED) value = (value ^ sign) - sign;
    }
    product.has_pad_place = true;
    product.pad_place = widen_value(recorder, conv.a_dtype, value, input.zero, product.is_integer, scratch).place;
  }
  recorder.start_pass();

  product.batches = {conv.N, conv.groups};
  product.depth = conv.IC;
  product.sums_batch = {room.batch, conv.OC * room.row};
  const bool is_point = volume == 1 && conv.kernel[0] == 1 && conv.kernel[1] == 1 && conv.kernel[2] == 1 && !product.is_transposed &&
                        conv.pad[0] == 0 && conv.pad[1] == 0 && conv.pad[2] == 0;
  if (is_point) {
    // One position: output channels fill the lanes instead.
    product.rows = 1;
    product.out[2] = product.in[2] = conv.OC;
    product.weights = a.place;
    product.weights_batch = {a.stride[0], a.stride[1]};
    product.weights_depth = a.stride[2];
    product.inputs = b.place;
    product.inputs_batch = {0, b.stride[0]};
    product.inputs_depth = b.stride[2];
    product.inputs_position = {0, 0, b.stride[1]};
    product.sums_position = {0, 0, 1};
  } else {
    product.rows = conv.OC;
    std::ranges::copy(conv.out, product.out.begin());
    std::ranges::copy(conv.in, product.in.begin());
    std::ranges::copy(conv.kernel, product.taps.begin());
    std::ranges::copy(conv.stride, product.stride.begin());
    std::ranges::copy(conv.dilation, product.dilation.begin());
    std::ranges::copy(conv.pad, product.pad_begin.begin());
    product.weights = b.place;
    product.weights_batch = {0, b.stride[0]};
    product.weights_row = b.stride[1];
    product.weights_depth = b.stride[2];
    product.weights_tap = {b.stride[3], b.stride[4], b.stride[5]};
    product.inputs = a.place;
    product.inputs_batch = {a.stride[0], a.stride[1]};
    product.inputs_depth = a.stride[2];
    product.inputs_position = {a.stride[3], a.stride[4], a.stride[5]};
    product.sums_row = room.row;
    product.sums_position = {plane_size, line, 1};
  }
  if (dim == 2) limit_depth(product, conv.header);
  // Without taps every sum is 0, which a depth of 0 gives.
  if (std::ranges::find(product.taps, 0u) != product.taps.end()) product.depth = 0;
  if (on_lanes)
    add_windows_on_lanes(recorder, product, scratch);
  else
    add_product(recorder, product);
  recorder.start_pass();
  Nest nest = epilogue_nest(section, {conv.N, static_cast<uint32_t>(channels / group), conv.out[0], conv.out[1], conv.out[2]},
                            {room.batch, room.row * group, plane_size, line, 1}, room.row, product.sums);
  constexpr uint8_t kLoopOfDim[] = {0, 0xff, 0xff, 1, 2, 3, 4};  // one group alone can be limited: to all or nothing
  nest.limit = nest_limit(conv.header, dim < 7 ? kLoopOfDim[dim] : 0xff);
  if (dim == 3) nest.limit.divisor = group;
  nest.counts_health = command.header().flags & KAWARA_HEADER_HEALTH;
  recorder.add_nest(nest);
  recorder.recording().use_scratch(scratch);
}

}  // namespace kawara::emulator::vulkan
