// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/matrix_commands.h"

#include <algorithm>

#include "emulator/vulkan/command_nests.h"
#include "emulator/vulkan/conv_product.h"
#include "emulator/vulkan/depthwise.h"
#include "emulator/vulkan/lane_conv.h"
#include "emulator/vulkan/lane_transposed.h"
#include "emulator/vulkan/product.h"
#include "emulator/vulkan/widen.h"
#include "kawara/error.h"

namespace kawara::emulator::vulkan {

namespace {

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
  const bool on_lanes = recorder.software_lanes() != 0 && !product.is_integer && dim != 4 && LaneProduct::pays(rows, gemm.K, columns);
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
  kawara_conv conv = command.body<kawara_conv>();
  const hw::SectionView section = command.section();
  const uint32_t group = std::max<uint32_t>(1, section.fields().acc_group);
  const uint64_t channels = uint64_t{conv.groups} * conv.OC;
  if (has_no_outputs({conv.N, channels, conv.out[0], conv.out[1], conv.out[2]})) return;
  const uint8_t dim = limit_dim(conv.header);
  const bool is_integer = conv.acc_dtype == KAWARA_DTYPE_i32;
  const int64_t line = conv.out[2], plane_size = line * conv.out[1], volume = plane_size * conv.out[0];
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
  const auto a = widen(recorder, input, is_integer, scratch);
  const auto b = widen(recorder, weight, is_integer, scratch);
  if (conv.a_dtype != KAWARA_DTYPE_f32 || conv.b_dtype != KAWARA_DTYPE_f32) recorder.start_pass();  // what follows reads the widened
  // From here on floats are f32, and lie as the kernels have them.
  const auto input_type = static_cast<DType>(conv.a_dtype);
  if (kind(input_type) == DTypeKind::FLOAT && !is_integer && !input.zero.is_there()) {
    conv.a_dtype = KAWARA_DTYPE_f32;
    std::ranges::copy(a.stride, conv.a_stride);
  }
  const LaneConv lanes(conv);
  const bool on_lanes = recorder.software_lanes() != 0 && lanes.suits();
  if (recorder.software_lanes() != 0 &&
      (add_depthwise(recorder, command, conv, a, b, scratch) || add_lane_transposed(recorder, command, conv, a, b, scratch)))
    return recorder.recording().use_scratch(scratch);
  const SumsRoom room(on_lanes, channels, on_lanes ? lanes.columns() : static_cast<uint64_t>(volume));
  const bool is_point = volume == 1 && conv.kernel[0] == 1 && conv.kernel[1] == 1 && conv.kernel[2] == 1 &&
                        !(conv.flags & KAWARA_CONV_TRANSPOSED) && conv.pad[0] == 0 && conv.pad[1] == 0 && conv.pad[2] == 0;
  Product product = is_point ? point_product(conv, a, b) : conv_product(conv, a, b);
  product.is_integer = is_integer;
  product.sums = reserve(conv.N * static_cast<uint64_t>(room.batch) * 4, scratch);
  if (conv.a_dtype != (product.is_integer ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32) || input.zero.is_there()) {
    uint32_t value = conv.pad_value;
    if (kind(input_type) != DTypeKind::FLOAT && bits(input_type) < 32) {
      value &= (1u << bits(input_type)) - 1;
      const uint32_t sign = 1u << (bits(input_type) - 1);
      if (kind(input_type) == DTypeKind::SIGNED) value = (value ^ sign) - sign;
    }
    product.has_pad_place = true;
    product.pad_place = widen_value(recorder, conv.a_dtype, value, input.zero, product.is_integer, scratch).place;
  }
  recorder.start_pass();

  product.sums_batch = {room.batch, conv.OC * room.row};
  if (is_point) {
    product.sums_position = {0, 0, 1};
  } else {
    product.sums_row = room.row;
    product.sums_position = {plane_size, line, 1};
  }
  if (dim == 2) limit_depth(product, conv.header);
  // Without taps every sum is 0, which a depth of 0 gives.
  if (std::ranges::find(product.taps, 0u) != product.taps.end()) product.depth = 0;
  if (on_lanes)
    lanes.add(recorder, product, scratch);
  else
    add_product(recorder, product);
  recorder.start_pass();
  Nest nest = epilogue_nest(section, {conv.N, static_cast<uint32_t>(channels / group), conv.out[0], conv.out[1], conv.out[2]},
                            {room.batch, room.row * group, plane_size, on_lanes ? static_cast<int64_t>(lanes.line()) : line, 1}, room.row,
                            product.sums);
  constexpr uint8_t kLoopOfDim[] = {0, 0xff, 0xff, 1, 2, 3, 4};  // one group alone can be limited: to all or nothing
  nest.limit = nest_limit(conv.header, dim < 7 ? kLoopOfDim[dim] : 0xff);
  if (dim == 3) nest.limit.divisor = group;
  nest.counts_health = command.header().flags & KAWARA_HEADER_HEALTH;
  recorder.add_nest(nest);
  recorder.recording().use_scratch(scratch);
}

}  // namespace kawara::emulator::vulkan
