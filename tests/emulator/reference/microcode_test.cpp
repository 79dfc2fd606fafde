// SPDX-License-Identifier: Apache-2.0
// Every row of microcode.def at arguments where its words decide: (row, type, arguments, what must come out).
#include "emulator/reference/microcode.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "emulator/reference/machine.h"
#include "kawara/hw/microcode.h"
#include "kawara/hw/sequences.h"

namespace kawara::test {
namespace {

using emulator::reference::Lanes;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
constexpr float kGreatest = std::numeric_limits<float>::max();

uint64_t bits(float value) { return std::bit_cast<uint32_t>(value); }
uint64_t bits(uint32_t value) { return value; }
uint64_t bits(int32_t value) { return static_cast<uint32_t>(value); }
uint64_t bits(int64_t value) { return static_cast<uint64_t>(value); }

struct Case {
  kawara_microcode op;
  uint8_t type;
  std::vector<uint64_t> arguments;  // of a reduction: dst, then a
  uint64_t result;
  uint16_t imm = 0;
};

// Runs in the last lane of a block, after all others have run on something else.
uint64_t evaluate(const Case& c) {
  Lanes sources[3], dst;
  for (unsigned i = 0; i < 3; ++i) {
    emulator::reference::fill(sources[i], 3, emulator::reference::kLanes);
    if (i < c.arguments.size()) {
      sources[i].low[emulator::reference::kLanes - 1] = static_cast<uint32_t>(c.arguments[i]);
      sources[i].high[emulator::reference::kLanes - 1] = static_cast<uint32_t>(c.arguments[i] >> 32);
    }
  }
  const bool reduces = kawara_form_of(c.op) == KAWARA_FORM_REDUCE;
  emulator::reference::fill(dst, 0, emulator::reference::kLanes);
  if (reduces) dst = sources[0];
  const Lanes& a = reduces ? sources[1] : sources[0];
  emulator::reference::evaluate(c.op, c.type, c.imm, dst, a, sources[1], sources[2], emulator::reference::kLanes);
  const unsigned lane = emulator::reference::kLanes - 1;
  return static_cast<uint64_t>(dst.high[lane]) << 32 | dst.low[lane];
}

std::vector<Case> float_cases() {
  std::vector<Case> cases;
  const auto row = [&](kawara_microcode op, std::vector<float> arguments, float result) {
    Case& c = cases.emplace_back(Case{op, kF32, {}, bits(result)});
    for (const float argument : arguments) c.arguments.push_back(bits(argument));
  };
  const auto test = [&](kawara_microcode op, std::vector<float> arguments, uint32_t result) {
    row(op, std::move(arguments), 0);
    cases.back().result = result;
  };
  row(KAWARA_OP_mov, {-0.0f}, -0.0f);
  row(KAWARA_OP_add, {1, 0x1p-24f}, 1);
  row(KAWARA_OP_add, {1, 0x1.000002p-24f}, 0x1.000002p+0f);
  row(KAWARA_OP_add, {-0.0f, -0.0f}, -0.0f);
  row(KAWARA_OP_add, {kGreatest, kGreatest}, kInfinity);
  row(KAWARA_OP_sub, {1, 3}, -2);
  row(KAWARA_OP_mul, {-3, 0}, -0.0f);
  // (1 + 2^-23)^2 - (1 + 2^-22) is 2^-46 in one rounding, 0 in two.
  row(KAWARA_OP_mad, {0x1.000002p+0f, 0x1.000002p+0f, -0x1.000004p+0f}, 0);
  row(KAWARA_OP_div, {1, 3}, 0x1.555556p-2f);
  row(KAWARA_OP_div, {-1, 0}, -kInfinity);
  row(KAWARA_OP_neg, {0}, -0.0f);
  row(KAWARA_OP_abs, {-2.5f}, 2.5f);
  row(KAWARA_OP_min, {0.0f, -0.0f}, -0.0f);
  row(KAWARA_OP_min, {-0.0f, 0.0f}, -0.0f);
  row(KAWARA_OP_min, {1, kNaN}, kNaN);
  row(KAWARA_OP_min, {-kNaN, 1}, kNaN);
  row(KAWARA_OP_min, {2, -1}, -1);
  row(KAWARA_OP_max, {0.0f, -0.0f}, 0.0f);
  row(KAWARA_OP_max, {-0.0f, 0.0f}, 0.0f);
  row(KAWARA_OP_max, {-kNaN, 1}, kNaN);
  row(KAWARA_OP_max, {2, -1}, 2);
  row(KAWARA_OP_minnum, {kNaN, 1}, 1);
  row(KAWARA_OP_minnum, {1, kNaN}, 1);
  row(KAWARA_OP_minnum, {2, 1}, 1);
  row(KAWARA_OP_maxnum, {kNaN, 1}, 1);
  row(KAWARA_OP_maxnum, {1, kNaN}, 1);
  row(KAWARA_OP_maxnum, {2, 1}, 2);
  row(KAWARA_OP_sqrt, {2}, 0x1.6a09e6p+0f);
  row(KAWARA_OP_sqrt, {-0.0f}, -0.0f);
  row(KAWARA_OP_floor, {-1.5f}, -2);
  row(KAWARA_OP_ceil, {-1.5f}, -1);
  row(KAWARA_OP_ceil, {-0.5f}, -0.0f);
  row(KAWARA_OP_trunc, {-1.5f}, -1);
  row(KAWARA_OP_rint, {2.5f}, 2);
  row(KAWARA_OP_rint, {3.5f}, 4);
  row(KAWARA_OP_rint, {-2.5f}, -2);
  row(KAWARA_OP_red_add, {1, 2}, 3);
  row(KAWARA_OP_red_mul, {2, 3}, 6);
  row(KAWARA_OP_red_min, {2, 3}, 2);
  row(KAWARA_OP_red_max, {2, 3}, 3);
  test(KAWARA_OP_eq, {0.0f, -0.0f}, 1);
  test(KAWARA_OP_eq, {kNaN, kNaN}, 0);
  test(KAWARA_OP_ne, {kNaN, kNaN}, 1);
  test(KAWARA_OP_ne, {1, 1}, 0);
  test(KAWARA_OP_lt, {1, 2}, 1);
  test(KAWARA_OP_lt, {2, 2}, 0);
  test(KAWARA_OP_lt, {1, kNaN}, 0);
  test(KAWARA_OP_le, {2, 2}, 1);
  test(KAWARA_OP_le, {kNaN, 2}, 0);
  test(KAWARA_OP_isnan, {kNaN}, 1);
  test(KAWARA_OP_isnan, {kInfinity}, 0);
  test(KAWARA_OP_isinf, {-kInfinity}, 1);
  test(KAWARA_OP_isinf, {kNaN}, 0);
  for (const SequenceBound& bound : kSequenceBounds) row(bound.sequence, {kNaN}, kNaN);
  cases.push_back({KAWARA_OP_select, kF32, {2, bits(1.5f), bits(2.5f)}, bits(1.5f)});
  return cases;
}

// Rows whose result does not depend on the integer type, then those where width and sign decide.
template <typename T>
void add_integer_cases(std::vector<Case>& cases, uint8_t type) {
  const auto row = [&](kawara_microcode op, std::vector<T> arguments, T result) {
    Case& c = cases.emplace_back(Case{op, type, {}, bits(result)});
    for (const T argument : arguments) c.arguments.push_back(bits(argument));
  };
  const auto test = [&](kawara_microcode op, T a, T b, uint32_t result) { cases.push_back({op, type, {bits(a), bits(b)}, result}); };
  constexpr T kLeast = std::numeric_limits<T>::min(), kMost = std::numeric_limits<T>::max();
  row(KAWARA_OP_mov, {kMost}, kMost);
  row(KAWARA_OP_add, {kMost, 1}, kLeast);
  row(KAWARA_OP_sub, {kLeast, 1}, kMost);
  row(KAWARA_OP_mul, {kMost, 2}, static_cast<T>(-2));
  row(KAWARA_OP_mad, {7, 6, 5}, 47);
  row(KAWARA_OP_div, {7, 2}, 3);
  row(KAWARA_OP_div, {7, 0}, 0);
  row(KAWARA_OP_mod, {7, 4}, 3);
  row(KAWARA_OP_mod, {7, 0}, 0);
  row(KAWARA_OP_rem, {7, 4}, 3);
  row(KAWARA_OP_rem, {7, 0}, 0);
  row(KAWARA_OP_divfloor, {7, 2}, 3);
  row(KAWARA_OP_divfloor, {7, 0}, 0);
  row(KAWARA_OP_min, {kLeast, kMost}, kLeast);
  row(KAWARA_OP_max, {kLeast, kMost}, kMost);
  row(KAWARA_OP_and, {12, 10}, 8);
  row(KAWARA_OP_or, {12, 10}, 14);
  row(KAWARA_OP_xor, {12, 10}, 6);
  row(KAWARA_OP_not, {0}, static_cast<T>(-1));
  row(KAWARA_OP_shl, {3, 8 * sizeof(T) - 1}, static_cast<T>(T{1} << (8 * sizeof(T) - 1)));
  row(KAWARA_OP_shl, {3, 8 * sizeof(T) + 1}, 6);
  row(KAWARA_OP_shr, {static_cast<T>(-8), 8 * sizeof(T) + 1}, static_cast<T>(static_cast<T>(-8) >> 1));
  row(KAWARA_OP_red_add, {2, 3}, 5);
  row(KAWARA_OP_red_mul, {2, 3}, 6);
  row(KAWARA_OP_red_min, {kLeast, kMost}, kLeast);
  row(KAWARA_OP_red_max, {kLeast, kMost}, kMost);
  test(KAWARA_OP_eq, kMost, kMost, 1);
  test(KAWARA_OP_ne, kMost, kMost, 0);
  test(KAWARA_OP_lt, kLeast, kMost, 1);
  test(KAWARA_OP_lt, kMost, kLeast, 0);
  test(KAWARA_OP_le, kMost, kMost, 1);
  cases.push_back({KAWARA_OP_select, type, {0, bits(kLeast), bits(kMost)}, bits(kMost)});
  if constexpr (std::is_signed_v<T>) {
    row(KAWARA_OP_div, {-7, 2}, -3);
    row(KAWARA_OP_div, {kLeast, -1}, kLeast);
    row(KAWARA_OP_mod, {-7, 4}, 1);
    row(KAWARA_OP_mod, {7, -4}, -1);
    row(KAWARA_OP_mod, {-8, 4}, 0);
    row(KAWARA_OP_mod, {kLeast, -1}, 0);
    row(KAWARA_OP_rem, {-7, 4}, -3);
    row(KAWARA_OP_rem, {7, -4}, 3);
    row(KAWARA_OP_rem, {kLeast, -1}, 0);
    row(KAWARA_OP_divfloor, {-7, 2}, -4);
    row(KAWARA_OP_divfloor, {7, -2}, -4);
    row(KAWARA_OP_divfloor, {-8, 2}, -4);
    row(KAWARA_OP_divfloor, {kLeast, -1}, kLeast);
    row(KAWARA_OP_neg, {kLeast}, kLeast);
    row(KAWARA_OP_neg, {5}, -5);
    row(KAWARA_OP_abs, {-5}, 5);
    row(KAWARA_OP_abs, {kLeast}, kLeast);
  }
  if constexpr (sizeof(T) == 4) {
    row(KAWARA_OP_red_and, {12, 10}, 8);
    row(KAWARA_OP_red_or, {12, 10}, 14);
  }
  if constexpr (std::is_same_v<T, uint32_t>) row(KAWARA_OP_umulhi, {0xffffffff, 0xffffffff}, 0xfffffffe);
}

void add_conversions(std::vector<Case>& cases) {
  const auto row = [&](uint8_t from, uint64_t argument, uint8_t to, uint64_t result) {
    cases.push_back({KAWARA_OP_cvt, to, {argument}, result, from});
  };
  row(kF32, bits(-1.9f), kI32, bits(-1));
  row(kF32, bits(3e9f), kI32, bits(INT32_MAX));
  row(kF32, bits(-3e9f), kI32, bits(INT32_MIN));
  row(kF32, bits(kNaN), kI32, 0);
  row(kF32, bits(0x1.fffffep+30f), kI32, bits(2147483520));
  row(kF32, bits(-1.0f), kU32, 0);
  row(kF32, bits(3e9f), kU32, 3000000000u);
  row(kF32, bits(5e9f), kU32, 0xffffffff);
  row(kF32, bits(kInfinity), kI64, bits(INT64_MAX));
  row(kF32, bits(-kInfinity), kI64, bits(INT64_MIN));
  row(kF32, bits(-0x1p+40f), kI64, bits(-(int64_t{1} << 40)));
  row(kF32, bits(1.5f), kF32, bits(1.5f));
  row(kI32, bits(16777217), kF32, bits(16777216.0f));
  row(kI32, bits(16777219), kF32, bits(16777220.0f));
  row(kI32, bits(-1), kI64, bits(int64_t{-1}));
  row(kI32, bits(-1), kU32, 0xffffffff);
  row(kU32, 0xffffffff, kI64, 0xffffffff);
  row(kU32, 0xffffffff, kF32, bits(0x1p+32f));
  row(kI64, 0x1'8000'0002, kI32, 0x80000002);
  row(kI64, 0x1'8000'0002, kU32, 0x80000002);
  row(kI64, bits(int64_t{1} << 62 | 1), kF32, bits(0x1p+62f));
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = float_cases();
  add_integer_cases<int32_t>(cases, kI32);
  add_integer_cases<uint32_t>(cases, kU32);
  add_integer_cases<int64_t>(cases, kI64);
  add_conversions(cases);
  return cases;
}

TEST(Microcode, DoesWhatItsRowsSay) {
  for (const Case& c : all_cases()) {
    // Comparisons and conversions to 32 bits leave the high word alone.
    kawara_instr instr{};
    instr.op = c.op, instr.type = c.type, instr.imm = c.imm;
    const uint64_t mask = kawara_result_type(&instr) == kI64 ? ~0ull : 0xffffffff;
    std::string arguments;
    for (const uint64_t argument : c.arguments) arguments += fmt::format(" {:#x}", argument);
    EXPECT_EQ(evaluate(c) & mask, c.result & mask) << "op " << c.op << " type " << int{c.type} << " of" << arguments;
  }
}

TEST(Microcode, HasACaseForEveryRowInEveryType) {
  std::set<std::tuple<uint32_t, uint8_t>> covered;
  for (const Case& c : all_cases()) covered.insert({c.op, c.type});
  for (uint32_t op = 0; op < 256; ++op) {
    const kawara_form form = kawara_form_of(op);
    if (form == KAWARA_FORM_NONE || form == KAWARA_FORM_LOAD || form == KAWARA_FORM_STORE) continue;
    for (const uint8_t type : {kF32, kI32, kU32, kI64})
      EXPECT_TRUE(!kawara_computes_in(op, type) || covered.contains({op, type})) << "op " << op << " type " << int{type};
  }
}

}  // namespace
}  // namespace kawara::test
