// SPDX-License-Identifier: Apache-2.0
// Small commands that the chip accepts, and a Draft in which tests spoil one field at a time.
#pragma once

#include <cstring>
#include <vector>

#include "kawara/hw/encode.h"

namespace kawara::hw {

// Regions of the samples: 0 input, 1 output, 2 weights, 3 a piece of SRAM.
inline std::vector<kawara_region> sample_regions() {
  return {
      {.address = 0x10000, .size = 4096, .flags = KAWARA_REGION_READ, .reserved0 = 0, .reserved1 = 0},
      {.address = 0x20000, .size = 4096, .flags = KAWARA_REGION_READ | KAWARA_REGION_WRITE, .reserved0 = 0, .reserved1 = 0},
      {.address = 0x30000, .size = 0x10000, .flags = KAWARA_REGION_READ, .reserved0 = 0, .reserved1 = 0},
      {.address = 0, .size = 4096, .flags = KAWARA_REGION_READ | KAWARA_REGION_WRITE | KAWARA_REGION_SRAM, .reserved0 = 0, .reserved1 = 0},
  };
}

// The row k1-mini of configs.def.
inline constexpr kawara_config sample_config{.name = "k1-mini",
                                             .local_mib = 256,
                                             .sram_kib = 2048,
                                             .me_rows = 32,
                                             .me_columns = 32,
                                             .ve_lanes = 64,
                                             .clock_mhz = 1000,
                                             .local_gb_s = 100,
                                             .sram_gb_s = 800,
                                             .pcie_gb_s = 10,
                                             .features = KAWARA_GLOBAL_FEATURES_LIMIT};

inline kawara_stream stream(uint64_t data, uint8_t first_coord, uint8_t n_coord, kawara_dtype dtype = KAWARA_DTYPE_f32) {
  kawara_stream stream{};
  stream.data = data;
  stream.dtype = dtype;
  stream.first_coord = first_coord;
  stream.n_coord = n_coord;
  return stream;
}

// value = index `dim`, inside [0, extent).
inline kawara_coord coord(int dim, uint32_t extent, int64_t stride) {
  kawara_coord coord{};
  coord.stride = stride;
  coord.extent = extent;
  coord.coef[dim] = 1;
  coord.den = 1;
  return coord;
}

inline kawara_phase phase(uint8_t red_dims, uint16_t before, uint16_t step, uint16_t after, uint16_t end) {
  kawara_phase phase{};
  phase.red_dims = red_dims;
  phase.before = before;
  phase.step = step;
  phase.after = after;
  phase.end = end;
  return phase;
}

inline kawara_instr instr(kawara_microcode op, uint8_t dst, uint8_t a = 0, uint8_t b = 0, uint8_t c = 0, uint16_t imm = 0,
                          kawara_dtype type = KAWARA_DTYPE_f32) {
  return {.op = static_cast<uint8_t>(op), .dst = dst, .a = a, .b = b, .c = c, .type = static_cast<uint8_t>(type), .imm = imm};
}
inline kawara_instr load(uint8_t dst, uint16_t from, kawara_dtype type = KAWARA_DTYPE_f32) {
  return instr(KAWARA_OP_load, dst, 0, 0, 0, from, type);
}
inline kawara_instr store(uint16_t to, uint8_t a, kawara_dtype type = KAWARA_DTYPE_f32) {
  return instr(KAWARA_OP_store, 0, a, 0, 0, to, type);
}

inline constexpr uint8_t kConstant = KAWARA_SOURCE_CONSTANT, kAccumulator = KAWARA_SOURCE_ACCUMULATOR, kIndex = KAWARA_SOURCE_INDEX;

// output[i] = max(input[i], 0), 8 elements.
inline Section relu_section() {
  return {.extent = {8},
          .n_par = 1,
          .n_in = 1,
          .streams = {stream(operand(0, 0), 0, 1), stream(operand(1, 0), 0, 1)},
          .coords = {coord(0, 8, 1)},
          .constants = {0},
          .phases = {phase(0, 0, 0, 0, 3)},
          .instrs = {load(0, 0), instr(KAWARA_OP_max, 1, 0, kConstant), store(1, 1)}};
}
inline std::vector<std::byte> relu() {
  const Section section = relu_section();
  auto vector = blank<kawara_vector>();
  vector.header.debug_id = 7;
  return encode(vector, &section);
}

// output[i] = sum over j of input[i, j], 4 rows of 8.
inline Section row_sum_section() {
  return {.extent = {4, 0, 0, 0, 0, 0, 8},
          .n_par = 1,
          .n_red = 1,
          .n_in = 1,
          .streams = {stream(operand(0, 0), 0, 2), stream(operand(1, 0), 0, 1)},
          .coords = {coord(0, 4, 8), coord(6, 8, 1)},
          .phases = {phase(1, 0, 1, 3, 4)},
          .instrs = {instr(KAWARA_OP_mov, 2, kIndex), load(0, 0), instr(KAWARA_OP_red_add, 1, 0), store(1, 1)}};
}
inline std::vector<std::byte> row_sum() {
  const Section section = row_sum_section();
  return encode(blank<kawara_vector>(), &section);
}

// C[4, 6] = A[4, 8] B[8, 6] + bias[6]
inline std::vector<std::byte> gemm() {
  auto gemm = blank<kawara_gemm>();
  gemm.M = 4;
  gemm.N = 6;
  gemm.K = 8;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = KAWARA_DTYPE_f32;
  gemm.a.data = operand(0, 0);
  gemm.a.stride[2] = 8;
  gemm.a.stride[3] = 1;
  gemm.b.data = operand(2, 0x100);
  gemm.b.stride[2] = 6;
  gemm.b.stride[3] = 1;
  const Section epilogue{.n_in = 1,
                         .acc_group = 1,
                         .streams = {stream(operand(2, 0x40), 1, 1), stream(operand(1, 0), 0, 2)},
                         .coords = {coord(2, 4, 6), coord(3, 6, 1)},
                         .phases = {phase(0, 0, 0, 0, 3)},
                         .instrs = {load(0, 0), instr(KAWARA_OP_add, 1, kAccumulator, 0), store(1, 1)}};
  return encode(gemm, &epilogue);
}

// output[1, 4, 4, 4] = conv(input[1, 3, 6, 6], weights[4, 3, 3, 3]), two output channels at once.
inline std::vector<std::byte> conv() {
  auto conv = blank<kawara_conv>();
  conv.IC = 3;
  conv.OC = 4;
  for (int i = 1; i < 3; ++i) {
    conv.in[i] = 6;
    conv.out[i] = 4;
    conv.kernel[i] = 3;
  }
  conv.acc_dtype = conv.a_dtype = conv.b_dtype = KAWARA_DTYPE_f32;
  conv.a = operand(0, 0);
  conv.b = operand(2, 0);
  const int64_t a_stride[6] = {108, 108, 36, 36, 6, 1}, b_stride[6] = {108, 27, 9, 9, 3, 1};
  std::memcpy(conv.a_stride, a_stride, sizeof(a_stride));
  std::memcpy(conv.b_stride, b_stride, sizeof(b_stride));
  const Section epilogue{.acc_group = 2,
                         .streams = {stream(operand(1, 0), 0, 3), stream(operand(1, 64), 0, 3)},
                         .coords = {coord(1, 2, 32), coord(3, 4, 4), coord(4, 4, 1)},
                         .phases = {phase(0, 0, 0, 0, 2)},
                         .instrs = {store(0, kAccumulator), store(1, kAccumulator + 1)}};
  return encode(conv, &epilogue);
}

// dst[8, 8] = src[4, 6] with 2 rows and 1 column of padding before it.
inline std::vector<std::byte> copy() {
  auto copy = blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_IN;
  copy.dtype = KAWARA_DTYPE_f32;
  copy.src = operand(0, 0);
  copy.dst = operand(1, 0);
  copy.extent[4] = copy.extent[5] = 8;
  copy.src_extent[4] = 4;
  copy.src_extent[5] = 6;
  copy.pad_lo[4] = 2;
  copy.pad_lo[5] = 1;
  copy.src_stride[4] = 6;
  copy.dst_stride[4] = 8;
  copy.src_stride[5] = copy.dst_stride[5] = 1;
  return encode(copy);
}

// dst[5, 8] = src[index[5], 8], 16 rows to choose from.
inline std::vector<std::byte> gather() {
  auto copy = blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_OUT;
  copy.dtype = KAWARA_DTYPE_f32;
  copy.flags = KAWARA_COPY_GATHER;
  copy.src = operand(2, 0);
  copy.dst = operand(1, 0);
  copy.index = operand(0, 0);
  copy.index_dtype = KAWARA_DTYPE_i64;
  copy.index_dim = 4;
  copy.index_extent = copy.src_extent[4] = 16;
  copy.extent[4] = 5;
  copy.extent[5] = copy.src_extent[5] = 8;
  copy.src_stride[4] = copy.dst_stride[4] = 8;
  copy.src_stride[5] = copy.dst_stride[5] = 1;
  return encode(copy);
}

// What the job has cost so far, into the output.
inline std::vector<std::byte> event() {
  auto event = blank<kawara_event>();
  event.dst = operand(1, 0x40);
  return encode(event);
}

// The bytes of one command, open to change.
class Draft {
 public:
  explicit Draft(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  std::vector<std::byte>& bytes() { return bytes_; }
  kawara_header& header() { return *reinterpret_cast<kawara_header*>(bytes_.data()); }
  template <typename Body>
  Body& body() {
    return *reinterpret_cast<Body*>(bytes_.data());
  }
  kawara_section& section() { return *reinterpret_cast<kawara_section*>(bytes_.data() + kawara_body_bytes(header().opcode)); }
  kawara_stream& stream(int i) { return const_cast<kawara_stream&>(arrays().streams[i]); }
  kawara_coord& coord(int i) { return const_cast<kawara_coord&>(arrays().coords[i]); }
  uint32_t& constant(int i) { return const_cast<uint32_t&>(arrays().constants[i]); }
  kawara_phase& phase(int i) { return const_cast<kawara_phase&>(arrays().phases[i]); }
  kawara_instr& instr(int i) { return const_cast<kawara_instr&>(arrays().instrs[i]); }
  uint32_t field(const void* member) const { return static_cast<uint32_t>(static_cast<const std::byte*>(member) - bytes_.data()); }

 private:
  kawara_section_arrays arrays() { return kawara_view_section(&section()); }

  std::vector<std::byte> bytes_;
};

}  // namespace kawara::hw
