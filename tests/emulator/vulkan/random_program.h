// SPDX-License-Identifier: Apache-2.0
// Random straight-line programs of microcode, well typed, and the elements to feed them with.
#pragma once

#include <bit>
#include <cmath>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "emulator/reference/machine.h"
#include "kawara/dtype.h"
#include "kawara/hw/encode.h"

namespace kawara::test {

// Any codes of the small types; of f32 numbers of a size that arithmetic keeps normal; integers of all sizes.
inline std::vector<uint8_t> random_elements(DType dtype, uint32_t count, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> bytes(bytes_of(dtype, count));
  if (dtype == DType::f32) {
    for (uint32_t i = 0; i < count; ++i) {
      const float value = std::ldexp(static_cast<float>(static_cast<int32_t>(random())) * 0x1p-31f, static_cast<int>(random() % 12));
      std::memcpy(&bytes[i * 4], &value, 4);
    }
  } else if (bits(dtype) >= 32) {
    for (uint32_t i = 0; i < count; ++i) {
      const auto value = static_cast<int64_t>(random()) >> (random() % 64);
      std::memcpy(&bytes[i * bits(dtype) / 8], &value, bits(dtype) / 8);
    }
  } else {
    for (uint8_t& byte : bytes) byte = dtype == DType::boolean ? random() & 1 : static_cast<uint8_t>(random());
    // A bf16 may be as small as an f32's subnormals, which a device may flush.
    if (dtype == DType::bf16)
      for (size_t i = 1; i < bytes.size(); i += 2) bytes[i] = static_cast<uint8_t>((bytes[i] & 0x80) | (0x38 + bytes[i] % 16));
  }
  return bytes;
}

// Halfway cases, limits, infinities and NaN among numbers of all sizes.
inline std::vector<float> awkward_floats(uint32_t count) {
  std::mt19937_64 random(3);
  std::vector<float> values;
  for (const float edge :
       {0.0f,          0.5f,          1.5f,          127.0f,       127.5f,        128.0f,        255.5f,   256.0f,        448.0f,
        464.0f,        465.0f,        65504.0f,      65519.0f,     65520.0f,      57344.0f,      61440.0f, 2147483520.0f, 2147483648.0f,
        4294967040.0f, 4294967296.0f, 9.2233715e18f, 9.223372e18f, 1.8446743e19f, 1.8446744e19f, 6.0f,     5.0f,          7.0f,
        0.25f,         0.75f,         3e38f,         INFINITY,     NAN,           6e-8f,         3e-8f,    2.9e-8f,       6.1e-5f})
    values.insert(values.end(), {edge, -edge});
  while (values.size() < count)
    values.push_back(std::ldexp(static_cast<float>(static_cast<int32_t>(random())) * 0x1p-31f, static_cast<int>(random() % 90) - 25));
  return values;
}

// The first element whose bits differ, or -1. Two NaN are one; where a subnormal f32 arises, zero is as good.
inline int64_t first_difference(const std::vector<uint8_t>& got, const std::vector<uint8_t>& want, DType dtype) {
  if (dtype != DType::f32) {
    for (size_t i = 0; i < got.size(); ++i)
      if (got[i] != want[i]) return static_cast<int64_t>(i * 8 / bits(dtype));
    return -1;
  }
  for (size_t i = 0; i + 4 <= got.size(); i += 4) {
    float a, b;
    std::memcpy(&a, &got[i], 4);
    std::memcpy(&b, &want[i], 4);
    const bool tiny = std::fabs(a) < 0x1p-126f && std::fabs(b) < 0x1p-126f && std::fpclassify(b) != FP_ZERO;
    const bool same = std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b)) || tiny;
    if (!same) return static_cast<int64_t>(i / 4);
  }
  return -1;
}

class RandomProgram {
 public:
  // make(dtype, count, seed): a region that holds random elements.
  RandomProgram(uint32_t seed, const std::function<uint32_t(DType, uint32_t, uint32_t)>& make) : random_(seed) {
    constexpr uint32_t kRows = 6, kColumns = 50, kCount = kRows * kColumns;
    section.extent = {kRows, kColumns};
    section.n_par = 2;
    section.n_in = 3;
    section.coords = {coord(kColumns, kRows, {{0, 1}}), coord(1, kColumns, {{1, 1}}),         // whole
                      coord(kColumns, kRows, {{0, 1}}, 1), coord(1, kColumns, {{1, 1}}, -3),  // shifted, so that some lie outside
                      coord(1, kColumns, {{1, 1}})};                                          // broadcast
    for (uint32_t i = 0; i < 3; ++i) {
      const DType dtype = any_dtype();
      section.streams.push_back(stream(make(dtype, kCount, seed * 10 + i), static_cast<uint8_t>(dtype), 2 * pick(3), 0, random_()));
      section.streams.back().n_coord = section.streams.back().first_coord == 4 ? 1 : 2;
      section.instrs.push_back(load(register_type(dtype), static_cast<uint8_t>(i), static_cast<uint16_t>(i)));
      types_[i] = register_type(dtype);
    }
    section.constants = {0x3fc00000u, 3, 0x7fffffffu, 0x80000000u};
    for (int i = 0; i < 10; ++i) add_instruction();
    for (uint16_t i = 0; i < 2; ++i) {
      DType dtype = any_dtype();
      if (bits(dtype) == 4) dtype = DType::i8;  // two rows would share a byte
      outputs.emplace_back(make(dtype, kCount, seed), dtype);
      section.streams.push_back(stream(outputs.back().first, static_cast<uint8_t>(dtype), 0, 2, 0, pick(2)));
      const uint8_t from = static_cast<uint8_t>(kRegisters - 1 - i);
      section.instrs.push_back(store(types_[from], from, static_cast<uint16_t>(3 + i)));
    }
    section.phases = {once(section.instrs.size())};
  }

  hw::Section section;
  std::vector<std::pair<uint32_t, DType>> outputs;

 private:
  static constexpr uint8_t kRegisters = 10;
  struct Op {
    uint8_t op;
    const char* types;  // F, I, U, L: what it may compute in
    int sources;
    bool compares;
  };
  static constexpr Op kOps[] = {{KAWARA_OP_mov, "FIUL", 1, false}, {KAWARA_OP_add, "FIUL", 2, false}, {KAWARA_OP_sub, "FIUL", 2, false},
                                {KAWARA_OP_mul, "FIUL", 2, false}, {KAWARA_OP_mad, "FIUL", 3, false}, {KAWARA_OP_div, "FIUL", 2, false},
                                {KAWARA_OP_mod, "IUL", 2, false},  {KAWARA_OP_rem, "IUL", 2, false},  {KAWARA_OP_divfloor, "IUL", 2, false},
                                {KAWARA_OP_umulhi, "U", 2, false}, {KAWARA_OP_neg, "FIL", 1, false},  {KAWARA_OP_abs, "FIL", 1, false},
                                {KAWARA_OP_min, "FIUL", 2, false}, {KAWARA_OP_max, "FIUL", 2, false}, {KAWARA_OP_minnum, "F", 2, false},
                                {KAWARA_OP_maxnum, "F", 2, false}, {KAWARA_OP_sqrt, "F", 1, false},   {KAWARA_OP_floor, "F", 1, false},
                                {KAWARA_OP_ceil, "F", 1, false},   {KAWARA_OP_trunc, "F", 1, false},  {KAWARA_OP_rint, "F", 1, false},
                                {KAWARA_OP_and, "UIL", 2, false},  {KAWARA_OP_or, "UIL", 2, false},   {KAWARA_OP_xor, "UIL", 2, false},
                                {KAWARA_OP_not, "UIL", 1, false},  {KAWARA_OP_shl, "UIL", 2, false},  {KAWARA_OP_shr, "UIL", 2, false},
                                {KAWARA_OP_eq, "FIUL", 2, true},   {KAWARA_OP_ne, "FIUL", 2, true},   {KAWARA_OP_lt, "FIUL", 2, true},
                                {KAWARA_OP_le, "FIUL", 2, true},   {KAWARA_OP_isnan, "F", 1, true},   {KAWARA_OP_isinf, "F", 1, true},
                                {KAWARA_OP_exp, "F", 1, false}};

  uint8_t pick(uint32_t below) { return static_cast<uint8_t>(random_() % below); }
  DType any_dtype() { return static_cast<DType>(1 + random_() % 18); }
  static uint8_t register_type(DType dtype) {
    return kind(dtype) == DTypeKind::FLOAT ? kF32 : bits(dtype) == 64 ? kI64 : kind(dtype) == DTypeKind::SIGNED ? kI32 : kU32;
  }

  // Writes registers 3 to 9 in turn, and reads any before it, converted first where the type is another.
  void add_instruction() {
    const Op& op = kOps[random_() % std::size(kOps)];
    constexpr uint8_t kTypes[] = {kF32, kI32, kU32, kI64};
    const std::string_view letters = "FIUL", allowed = op.types;
    const uint8_t type = kTypes[letters.find(allowed[random_() % allowed.size()])];
    uint8_t sources[3] = {};
    for (int i = 0; i < op.sources; ++i) {
      const uint8_t from = pick(next_);
      sources[i] = static_cast<uint8_t>(20 + i);
      section.instrs.push_back(instr(KAWARA_OP_cvt, type, sources[i], from, 0, 0, types_[from]));
    }
    section.instrs.push_back(instr(op.op, type, next_, sources[0], sources[1], sources[2]));
    types_[next_] = op.compares ? kU32 : type;
    if (next_ + 1 < kRegisters) ++next_;
  }

  std::mt19937 random_;
  uint8_t types_[32] = {};
  uint8_t next_ = 3;
};

}  // namespace kawara::test
