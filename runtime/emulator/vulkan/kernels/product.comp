// SPDX-License-Identifier: Apache-2.0
// Sums of products for gemm and conv: out[batch, row, position] = sum over taps and depth of weights * input, any strides.
// SINGLE: a depth of 1, as in a depthwise convolution, without the loop over it.
// OFFSET holds distances between the inputs of one batch: int where they are below 2 GiB, else int64_t.
// An invocation computes ROWS rows of four positions eight apart, so that neighbouring invocations have neighbouring positions.
#version 460
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 8, local_size_y = LINES, local_size_z = BATCHES) in;

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Element { ELEMENT value; };
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Limit { int value; };

// ProductParameters of product.h, member by member. Strides count bytes.
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Parameters {
  uint64_t weights, inputs, sums, pad_address, limit_address;
  int64_t weights_batch[2], weights_row, weights_depth, weights_tap[3];
  int64_t inputs_batch[2], inputs_depth, inputs_position[3];
  int64_t sums_batch[2], sums_row, sums_position[3];
  uint inner_batches, first_batch, end_batch, first_row, end_row, first_position, end_position, depth;
  uint out_magic[2], out_shift[2], out_extent[2];
  uint taps[3], in_extent[3], stride[3], dilation[3];
  int pad_begin[3];
  uint pad;
};
const uint kPadOffset = PAD_OFFSET;
const uint kRun = 8;

layout(push_constant) uniform Push { uint64_t parameters; };

uint quotient(uint n, uint magic, uint shift) {
  uint high, low;
  umulExtended(n << 1, magic, high, low);
  return high >> shift;
}

// Where an output position and a tap meet the input in one dimension; outside is set if nowhere.
int meet(int position, int tap, int stride, int dilation, int pad_begin, uint extent, inout bool outside) {
#ifdef TRANSPOSED
  int scaled = position + pad_begin - tap * dilation;
  int at = scaled / stride;
  if (at * stride != scaled || scaled < 0) outside = true;
#else
  int at = position * stride + tap * dilation - pad_begin;
#endif
  if (uint(at) >= extent) outside = true;
  return at;
}

void main() {
  Parameters p = Parameters(parameters);
  const uint batch = p.first_batch + gl_WorkGroupID.z * BATCHES + gl_LocalInvocationID.z;
  const uint row = p.first_row + (gl_WorkGroupID.y * LINES + gl_LocalInvocationID.y) * ROWS;
  uint depth = p.depth;
  if (p.limit_address != 0) depth = min(depth, uint(max(Limit(p.limit_address).value, 0)));
  if (batch >= p.end_batch || row >= p.end_row) return;

  const uint outer = batch / p.inner_batches, inner = batch - outer * p.inner_batches;
  const uint64_t weights = p.weights + outer * p.weights_batch[0] + inner * p.weights_batch[1];
  const uint64_t inputs = p.inputs + outer * p.inputs_batch[0] + inner * p.inputs_batch[1];
  const uint64_t pad = p.pad_address != 0 ? p.pad_address : parameters + kPadOffset;

  // Rows and positions past the end repeat the last one and are not stored.
  int64_t row_offset[ROWS];
  [[unroll]] for (uint i = 0; i < ROWS; ++i) row_offset[i] = min(row + i, p.end_row - 1) * p.weights_row;
  int z[4], y[4], x[4];
  const uint first = p.first_position + gl_WorkGroupID.x * 32 + gl_LocalInvocationID.x;
  [[unroll]] for (uint j = 0; j < 4; ++j) {
    const uint position = min(first + 8 * j, p.end_position - 1);
    const uint line = quotient(position, p.out_magic[1], p.out_shift[1]);
    const uint plane = quotient(line, p.out_magic[0], p.out_shift[0]);
    x[j] = int(position - line * p.out_extent[1]);
    y[j] = int(line - plane * p.out_extent[0]);
    z[j] = int(plane);
  }

  ELEMENT sums[ROWS][4];
  [[unroll]] for (uint i = 0; i < ROWS; ++i)
    [[unroll]] for (uint j = 0; j < 4; ++j) sums[i][j] = ELEMENT(0);

  if (depth != 0) {
    const int kernel_z = int(p.taps[0]), kernel_y = int(p.taps[1]), kernel_x = int(p.taps[2]);
    const OFFSET plane_bytes = OFFSET(p.inputs_position[0]), line_bytes = OFFSET(p.inputs_position[1]), x_bytes = OFFSET(p.inputs_position[2]);
    // What a tap's plane and line decide is found once for all of its columns.
    int tap_line = 0;
    [[dont_unroll]] do {
      const int tap_z = tap_line / kernel_y, tap_y = tap_line - tap_z * kernel_y;
      OFFSET line[4];
      bool line_outside[4];
      [[unroll]] for (uint j = 0; j < 4; ++j) {
        bool outside = false;
        const int at_z = meet(z[j], tap_z, int(p.stride[0]), int(p.dilation[0]), p.pad_begin[0], p.in_extent[0], outside);
        const int at_y = meet(y[j], tap_y, int(p.stride[1]), int(p.dilation[1]), p.pad_begin[1], p.in_extent[1], outside);
        line[j] = at_z * plane_bytes + at_y * line_bytes;
        line_outside[j] = outside;
      }
      uint64_t weight_line = weights + tap_z * p.weights_tap[0] + tap_y * p.weights_tap[1];
      int tap_x = 0;
      [[dont_unroll]] do {
        uint64_t from[4];
        int64_t step[4];
        [[unroll]] for (uint j = 0; j < 4; ++j) {
          bool outside = line_outside[j];
          const int at_x = meet(x[j], tap_x, int(p.stride[2]), int(p.dilation[2]), p.pad_begin[2], p.in_extent[2], outside);
          const uint64_t inside = inputs + int64_t(line[j] + at_x * x_bytes);
          from[j] = outside ? pad : inside;
          step[j] = outside ? 0 : p.inputs_depth;
        }
        uint64_t weight = weight_line;
#ifdef SINGLE
        [[unroll]] for (uint i = 0; i < ROWS; ++i) {
          const ELEMENT w = Element(weight + row_offset[i]).value;
          [[unroll]] for (uint j = 0; j < 4; ++j) sums[i][j] += w * Element(from[j]).value;
        }
#else
        // Runs of kRun terms are summed by themselves: the rounding error grows with the number of runs, not of terms.
        uint k = 0;
        [[dont_unroll]] do {
          const uint end = min(k + kRun, depth);
          ELEMENT run[ROWS][4];
          [[unroll]] for (uint i = 0; i < ROWS; ++i)
            [[unroll]] for (uint j = 0; j < 4; ++j) run[i][j] = ELEMENT(0);
          [[dont_unroll]] do {
            ELEMENT value[4];
            [[unroll]] for (uint j = 0; j < 4; ++j) {
              value[j] = Element(from[j]).value;
              from[j] += step[j];
            }
            [[unroll]] for (uint i = 0; i < ROWS; ++i) {
              const ELEMENT w = Element(weight + row_offset[i]).value;
              [[unroll]] for (uint j = 0; j < 4; ++j) run[i][j] += w * value[j];
            }
            weight += p.weights_depth;
          } while (++k < end);
          [[unroll]] for (uint i = 0; i < ROWS; ++i)
            [[unroll]] for (uint j = 0; j < 4; ++j) sums[i][j] += run[i][j];
        } while (k < depth);
#endif
        weight_line += p.weights_tap[2];
      } while (++tap_x < kernel_x);
    } while (++tap_line < kernel_z * kernel_y);
  }

  const uint64_t out_base = p.sums + outer * p.sums_batch[0] + inner * p.sums_batch[1];
  [[unroll]] for (uint j = 0; j < 4; ++j) {
    if (first + 8 * j >= p.end_position) continue;
    const uint64_t at = out_base + z[j] * p.sums_position[0] + y[j] * p.sums_position[1] + x[j] * p.sums_position[2];
    [[unroll]] for (uint i = 0; i < ROWS; ++i)
      if (row + i < p.end_row) Element(at + (row + i) * p.sums_row).value = sums[i][j];
  }
}
