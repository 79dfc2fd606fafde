// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_conv.h"

#include <algorithm>

#include "emulator/vulkan/conv_product.h"
#include "emulator/vulkan/lane_operands.h"
#include "emulator/vulkan/recorder.h"

namespace kawara::emulator::vulkan {

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

namespace {

// What direct windows read beyond the last line is less than this (bytes).
constexpr uint64_t kLinesBytesMax = kReadableBehind / 2;

bool suits_lanes(const kawara_conv& conv) {
  const bool is_flat = conv.in[0] == 1 && conv.out[0] == 1 && conv.kernel[0] == 1 && conv.pad[0] == 0;
  const bool is_plain = conv.a_dtype == KAWARA_DTYPE_f32 && kawara_operand_region(conv.a_zero) == KAWARA_REGION_ABSENT &&
                        (conv.flags & KAWARA_CONV_TRANSPOSED) == 0 && (conv.header.flags & KAWARA_HEADER_LIMIT_DIM) != 2;
  const bool has_whole_tiles = conv.groups == 1 || conv.OC % LaneProduct::kRowsMin == 0;
  return conv.acc_dtype == KAWARA_DTYPE_f32 && is_flat && is_plain && has_whole_tiles &&
         LaneProduct::pays(conv.OC, uint64_t{conv.IC} * conv.kernel[1] * conv.kernel[2], uint64_t{conv.out[1]} * conv.out[2]);
}

}  // namespace

LaneConv::LaneConv(const kawara_conv& conv) : conv_(conv), suits_(suits_lanes(conv)), direct_(is_direct()), line_(conv.out[2]) {
  if (direct_) line_ = has_border() ? bordered_row(conv.in[2], conv.pad[2], static_cast<uint32_t>(window_reach(conv, 2))) : conv.in[2];
}

bool LaneConv::has_border() const {
  return conv_.pad[1] != 0 || conv_.pad[2] != 0 || window_reach(conv_, 1) > conv_.in[1] || window_reach(conv_, 2) > conv_.in[2] ||
         conv_.a_stride[5] != 1 || conv_.a_stride[4] != int64_t{conv_.in[2]} || !is_lane_stride(conv_.a_stride[2]);
}

// Whether windows can be read where they lie: neighbours' windows are neighbours, and so are a window's columns.
bool LaneConv::is_direct() const {
  const bool is_dense = conv_.stride[1] == 1 && conv_.stride[2] == 1 && conv_.dilation[2] == 1;
  const bool is_grouped_evenly = conv_.groups == 1 || conv_.a_stride[1] == conv_.a_stride[2] * conv_.IC;
  const uint64_t lines = (conv_.kernel[1] - 1) * conv_.dilation[1] + 2;
  return suits_ && border_pays({conv_.in[1], conv_.in[2]}, {window_reach(conv_, 1), window_reach(conv_, 2)}) && taps() > 1 &&
         taps() <= LaneProduct::kTapsMax && is_dense && is_grouped_evenly &&
         lines * (uint64_t{conv_.in[2]} + conv_.kernel[2]) * 4 <= kLinesBytesMax;
}

void LaneConv::add(Recorder& recorder, const Product& product, uint64_t& scratch) const {
  Product packed = product;
  pack_weights(recorder, packed, scratch);
  if (direct_)
    add_direct(recorder, packed, scratch);
  else
    add_gathered(recorder, packed, scratch);
}

// Each row's weights side by side: channel, kernel y, kernel x.
void LaneConv::pack_weights(Recorder& recorder, Product& product, uint64_t& scratch) const {
  const std::array<int64_t, 2> packed{product.taps[2], 1};
  const bool is_packed =
      product.weights_depth == taps() && (taps() == 1 || (product.weights_tap[1] == packed[0] && product.weights_tap[2] == packed[1]));
  if (is_packed && is_lane_stride(product.weights_row)) return;
  const auto weights =
      dense_copy(recorder, product.weights, {product.batches[1], product.rows, product.depth, product.taps[1], product.taps[2], 1},
                 {product.weights_batch[1], product.weights_row, product.weights_depth, product.weights_tap[1], product.weights_tap[2], 0},
                 1, scratch);
  product.weights = weights.place;
  product.weights_batch = {0, weights.stride[0]};
  product.weights_row = weights.stride[1];
  product.weights_depth = taps();
  product.weights_tap = {0, packed[0], packed[1]};
}

void LaneConv::add_direct(Recorder& recorder, const Product& product, uint64_t& scratch) const {
  WidenedOperand inputs{product.inputs,
                        {product.inputs_batch[0], product.inputs_depth, 0, 0, product.inputs_position[1], product.inputs_position[2]}};
  if (has_border())
    inputs = bordered_copy(
        recorder, inputs, {conv_.N, conv_.groups * conv_.IC}, {1, conv_.in[1], conv_.in[2]}, {0, conv_.pad[1], conv_.pad[2]},
        {1, static_cast<uint32_t>(window_reach(conv_, 1)), static_cast<uint32_t>(window_reach(conv_, 2))}, conv_.pad_value, scratch);
  LaneProduct lanes;
  lanes.batches = product.batches;
  lanes.rows = product.rows;
  lanes.depth = product.depth;
  lanes.kernel = {product.taps[1], product.taps[2]};
  lanes.columns = static_cast<uint32_t>(columns());
  lanes.weights = product.weights;
  lanes.weights_batch = product.weights_batch;
  lanes.weights_row = product.weights_row;
  lanes.inputs = inputs.place;
  lanes.inputs_batch = {inputs.stride[0], inputs.stride[1] * conv_.IC};
  lanes.inputs_depth = inputs.stride[1];
  lanes.tap_line = static_cast<int64_t>(line_) * conv_.dilation[1];
  lanes.sums = product.sums;
  lanes.sums_batch = product.sums_batch;
  lanes.sums_row = product.sums_row;
  recorder.start_pass();
  add_lane_product(recorder, lanes);
}

// Lines of the output at a time, so that what is gathered stays in a cache.
void LaneConv::add_gathered(Recorder& recorder, Product dense, uint64_t& scratch) const {
  constexpr uint64_t kBlockBytes = uint64_t{4} << 20;
  const Product product = dense;
  dense.depth = product.depth * taps();
  dense.taps = {1, 1, 1};
  dense.weights_depth = 1;

  const bool is_dense_already = taps() == 1 && product.stride[1] == 1 && product.stride[2] == 1 && product.pad_begin[1] == 0 &&
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

}  // namespace kawara::emulator::vulkan
