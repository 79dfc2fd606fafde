// SPDX-License-Identifier: Apache-2.0
// Sums of products for software devices: sums[row, column] = old[row, column] + sum over CHUNK terms of weights * inputs.
// A subgroup of eight lanes computes four rows of sixteen columns.
//
// Written for how lavapipe compiles. What it knows to be the same in all lanes becomes scalar code, and it knows that of
// constants and of push constants alone, so numbers of workgroups and subgroups go through a table of push constants. There is
// no branch, no loop, no ?: between uniform values and no push constant read late (its bounds are checked): behind one, a load from one address becomes eight. Eight loads side by side, each taken by one lane,
// become one vector load. Sums start at zero and meet the old ones at the end, so that rounding errors grow with the number of
// chunks and not of terms.
#version 460
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_KHR_shader_subgroup_basic : require

layout(local_size_x = 32) in;

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };

// LanePush of lane_product.cpp, member by member. Rows and depths in bytes; the columns of a row are neighbours.
layout(push_constant) uniform Push {
  uint64_t weights, inputs, sums, old;
  uint weights_row, inputs_depth, sums_row, old_row;
  uint old_column;  // from sixteen old columns to the next: 64, or 0 where all are the same
  uint row_tiles;
  uint spare_column;  // behind the last: workgroups are made of four tiles, so some may have nothing to compute
  uint number[16];  // number[i] = i
} push;

float lane_of(Floats eight, uint first) {
  const uint lane = gl_SubgroupInvocationID;
  const float v0 = eight.at[first], v1 = eight.at[first + 1], v2 = eight.at[first + 2], v3 = eight.at[first + 3];
  const float v4 = eight.at[first + 4], v5 = eight.at[first + 5], v6 = eight.at[first + 6], v7 = eight.at[first + 7];
  float value = v0;
  value = lane == 1 ? v1 : value;
  value = lane == 2 ? v2 : value;
  value = lane == 3 ? v3 : value;
  value = lane == 4 ? v4 : value;
  value = lane == 5 ? v5 : value;
  value = lane == 6 ? v6 : value;
  value = lane == 7 ? v7 : value;
  return value;
}

void main() {
  const uint group = gl_WorkGroupID.x;
  const uint tile = (push.number[group & 15] + (push.number[group >> 4 & 15] << 4) + (push.number[group >> 8 & 15] << 8) +
                     (push.number[group >> 12 & 15] << 12)) * 4 + push.number[gl_SubgroupID];
  const uint filled = tile / push.row_tiles, row = tile - filled * push.row_tiles;
  const uint column = min(filled, push.spare_column);
  const uint64_t depth = push.inputs_depth, weights_row = push.weights_row, old_row = push.old_row, sums_row = push.sums_row;
  const uint64_t weights = push.weights + uint64_t(row * 4) * weights_row;
  const uint64_t old = push.old + uint64_t(row * 4) * old_row + uint64_t(column) * push.old_column;
  const uint64_t sums = push.sums + uint64_t(row * 4) * sums_row + uint64_t(column) * 64 + uint64_t(gl_SubgroupInvocationID) * 4;
  Floats w0 = Floats(weights), w1 = Floats(weights + weights_row), w2 = Floats(weights + weights_row * 2), w3 = Floats(weights + weights_row * 3);
  uint64_t line = push.inputs + uint64_t(column) * 64;
  float s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;

#define TERM(k)                                                                    \
  {                                                                                \
    const float x0 = lane_of(Floats(line), 0), x1 = lane_of(Floats(line), 8);      \
    line += depth;                                                                 \
    const float a = w0.at[k], b = w1.at[k], c = w2.at[k], d = w3.at[k];            \
    s00 += a * x0, s01 += a * x1, s10 += b * x0, s11 += b * x1;                    \
    s20 += c * x0, s21 += c * x1, s30 += d * x0, s31 += d * x1;                    \
  }
#define TERMS4(k) TERM(k) TERM((k) + 1) TERM((k) + 2) TERM((k) + 3)
#define TERMS16(k) TERMS4(k) TERMS4((k) + 4) TERMS4((k) + 8) TERMS4((k) + 12)
  TERMS16(0)
#if CHUNK >= 64
  TERMS16(16) TERMS16(32) TERMS16(48)
#endif
#if CHUNK >= 128
  TERMS16(64) TERMS16(80) TERMS16(96) TERMS16(112)
#endif

#define STORE(i, a, b)                                                   \
  {                                                                      \
    Floats from = Floats(old + old_row * i);        \
    Floats to = Floats(sums + sums_row * i);        \
    to.at[0] = lane_of(from, 0) + a;                                     \
    to.at[8] = lane_of(from, 8) + b;                                     \
  }
  STORE(0, s00, s01)
  STORE(1, s10, s11)
  STORE(2, s20, s21)
  STORE(3, s30, s31)
}
