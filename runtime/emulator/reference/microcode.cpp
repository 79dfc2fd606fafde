// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/microcode.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "emulator/reference/convert.h"
#include "kawara/hw/sequences.h"

namespace kawara::emulator::reference {
namespace {

template <typename T>
T get(const Lanes& lanes, unsigned lane) {
  if constexpr (sizeof(T) == 8)
    return static_cast<T>(static_cast<uint64_t>(lanes.high[lane]) << 32 | lanes.low[lane]);
  else
    return std::bit_cast<T>(lanes.low[lane]);
}

template <typename T>
void put(Lanes& lanes, unsigned lane, T value) {
  if constexpr (sizeof(T) == 8) {
    lanes.low[lane] = static_cast<uint32_t>(value);
    lanes.high[lane] = static_cast<uint32_t>(static_cast<uint64_t>(value) >> 32);
  } else {
    lanes.low[lane] = std::bit_cast<uint32_t>(value);
  }
}

template <typename T>
constexpr bool kIsFloat = std::is_floating_point_v<T>;

// Integers wrap, so they are added and multiplied without a sign.
template <typename T>
using Wrapping = typename std::conditional_t<kIsFloat<T>, std::type_identity<T>, std::make_unsigned<T>>::type;
template <typename T>
T add(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
}
template <typename T>
T subtract(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
}
template <typename T>
T multiply(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
}

template <typename T>
T divide(T a, T b) {
  if constexpr (!kIsFloat<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return subtract(T{0}, a);
  }
  return a / b;
}

template <typename T>
T remainder(T a, T b) {
  return b == 0 ? T{0} : subtract(a, multiply(divide(a, b), b));
}

template <typename T>
T divide_floor(T a, T b) {
  const T quotient = divide(a, b), rest = remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? subtract(quotient, T{1}) : quotient;
}

template <typename T>
T modulo(T a, T b) {
  const T rest = remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? add(rest, b) : rest;
}

constexpr float kNaN = std::bit_cast<float>(0x7fc00000u);

// Of two zeros, -0 is the lesser.
float lesser(float a, float b) {
  if (a == b) return std::bit_cast<float>(std::bit_cast<uint32_t>(a) | std::bit_cast<uint32_t>(b));
  return a < b ? a : b;
}
float greater(float a, float b) {
  if (a == b) return std::bit_cast<float>(std::bit_cast<uint32_t>(a) & std::bit_cast<uint32_t>(b));
  return a > b ? a : b;
}

template <typename T>
T minimum(T a, T b) {
  if constexpr (kIsFloat<T>)
    return std::isnan(a) || std::isnan(b) ? kNaN : lesser(a, b);
  else
    return a < b ? a : b;
}
template <typename T>
T maximum(T a, T b) {
  if constexpr (kIsFloat<T>)
    return std::isnan(a) || std::isnan(b) ? kNaN : greater(a, b);
  else
    return a > b ? a : b;
}
float minimum_number(float a, float b) {
  if (std::isnan(a)) return std::isnan(b) ? kNaN : b;
  return std::isnan(b) ? a : lesser(a, b);
}
float maximum_number(float a, float b) {
  if (std::isnan(a)) return std::isnan(b) ? kNaN : b;
  return std::isnan(b) ? a : greater(a, b);
}

template <typename T>
T negate(T a) {
  if constexpr (kIsFloat<T>)
    return std::bit_cast<float>(std::bit_cast<uint32_t>(a) ^ 0x80000000u);
  else
    return subtract(T{0}, a);
}
template <typename T>
T absolute(T a) {
  if constexpr (kIsFloat<T>)
    return std::bit_cast<float>(std::bit_cast<uint32_t>(a) & 0x7fffffffu);
  else
    return a < 0 ? negate(a) : a;
}

template <typename T>
T shift_left(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) << (static_cast<Wrapping<T>>(b) % (8 * sizeof(T))));
}
template <typename T>
T shift_right(T a, T b) {
  return a >> (static_cast<Wrapping<T>>(b) % (8 * sizeof(T)));
}

// The block: which sources a function reads follows from its arguments.
template <typename T, typename Function>
void each(Lanes& dst, const Lanes& a, const Lanes& b, const Lanes& c, unsigned count, Function function) {
  for (unsigned lane = 0; lane < count; ++lane) {
    if constexpr (std::is_invocable_v<Function, T>)
      put(dst, lane, function(get<T>(a, lane)));
    else if constexpr (std::is_invocable_v<Function, T, T>)
      put(dst, lane, function(get<T>(a, lane), get<T>(b, lane)));
    else
      put(dst, lane, function(get<T>(a, lane), get<T>(b, lane), get<T>(c, lane)));
  }
}

template <typename To, typename From>
void convert_lanes(Lanes& dst, const Lanes& a, unsigned count) {
  for (unsigned lane = 0; lane < count; ++lane) {
    if constexpr (kIsFloat<From> && !kIsFloat<To>)
      put(dst, lane, truncate_saturated<To>(get<From>(a, lane)));
    else
      put(dst, lane, static_cast<To>(get<From>(a, lane)));
  }
}

template <typename To>
void convert(uint8_t from, Lanes& dst, const Lanes& a, unsigned count) {
  switch (from) {
    case KAWARA_DTYPE_f32: return convert_lanes<To, float>(dst, a, count);
    case KAWARA_DTYPE_i32: return convert_lanes<To, int32_t>(dst, a, count);
    case KAWARA_DTYPE_u32: return convert_lanes<To, uint32_t>(dst, a, count);
    default: return convert_lanes<To, int64_t>(dst, a, count);
  }
}

void run_sequence(uint8_t op, Lanes& dst, const Lanes& argument, unsigned count) {
  Lanes temporaries[kSequenceTemporaries], constants[3];
  unsigned result = 0;
  for (const SequenceStep& step : steps_of(op)) {
    const auto source = [&](const StepSource& from, Lanes& constant) -> const Lanes& {
      if (from.kind == StepSource::Kind::temporary) return temporaries[from.value];
      if (from.kind == StepSource::Kind::constant) fill(constant, from.value, count);
      return from.kind == StepSource::Kind::argument ? argument : constant;
    };
    const Lanes& a = source(step.a, constants[0]);
    const Lanes& b = source(step.b, constants[1]);
    const Lanes& c = source(step.c, constants[2]);
    const uint16_t from = step.type == KAWARA_DTYPE_f32 ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32;
    evaluate(step.op, step.type, from, temporaries[step.dst], a, b, c, count);
    result = step.dst;
  }
  for (unsigned lane = 0; lane < count; ++lane) dst.low[lane] = temporaries[result].low[lane];
}

template <typename T>
void evaluate_as(uint8_t op, uint16_t imm, Lanes& dst, const Lanes& a, const Lanes& b, const Lanes& c, unsigned count) {
  const auto run = [&](auto function) { each<T>(dst, a, b, c, count, function); };
  // A reduction's second source is its destination, which comes first.
  const auto reduce = [&](auto function) { each<T>(dst, dst, a, c, count, function); };
  switch (op) {
    case KAWARA_OP_mov: return run([](T x) { return x; });
    case KAWARA_OP_cvt: return convert<T>(imm & 0xff, dst, a, count);
    case KAWARA_OP_select:
      for (unsigned lane = 0; lane < count; ++lane) put(dst, lane, a.low[lane] != 0 ? get<T>(b, lane) : get<T>(c, lane));
      return;
    case KAWARA_OP_add: return run([](T x, T y) { return add(x, y); });
    case KAWARA_OP_sub: return run([](T x, T y) { return subtract(x, y); });
    case KAWARA_OP_mul: return run([](T x, T y) { return multiply(x, y); });
    case KAWARA_OP_mad: return run([](T x, T y, T z) { return add(multiply(x, y), z); });
    case KAWARA_OP_div: return run([](T x, T y) { return divide(x, y); });
    case KAWARA_OP_min: return run([](T x, T y) { return minimum(x, y); });
    case KAWARA_OP_max: return run([](T x, T y) { return maximum(x, y); });
    case KAWARA_OP_eq: return run([](T x, T y) -> uint32_t { return x == y; });
    case KAWARA_OP_ne: return run([](T x, T y) -> uint32_t { return x != y; });
    case KAWARA_OP_lt: return run([](T x, T y) -> uint32_t { return x < y; });
    case KAWARA_OP_le: return run([](T x, T y) -> uint32_t { return x <= y; });
    case KAWARA_OP_red_add: return reduce([](T x, T y) { return add(x, y); });
    case KAWARA_OP_red_mul: return reduce([](T x, T y) { return multiply(x, y); });
    case KAWARA_OP_red_min: return reduce([](T x, T y) { return minimum(x, y); });
    case KAWARA_OP_red_max: return reduce([](T x, T y) { return maximum(x, y); });
    default: break;
  }
  if constexpr (kIsFloat<T> || std::is_signed_v<T>) {
    if (op == KAWARA_OP_neg) return run([](T x) { return negate(x); });
    if (op == KAWARA_OP_abs) return run([](T x) { return absolute(x); });
  }
  if constexpr (kIsFloat<T>) {
    switch (op) {
      case KAWARA_OP_minnum: return run([](T x, T y) { return minimum_number(x, y); });
      case KAWARA_OP_maxnum: return run([](T x, T y) { return maximum_number(x, y); });
      case KAWARA_OP_sqrt: return run([](T x) { return std::sqrt(x); });
      case KAWARA_OP_floor: return run([](T x) { return std::floor(x); });
      case KAWARA_OP_ceil: return run([](T x) { return std::ceil(x); });
      case KAWARA_OP_trunc: return run([](T x) { return std::trunc(x); });
      case KAWARA_OP_rint: return run([](T x) { return std::rint(x); });
      case KAWARA_OP_isnan: return run([](T x) -> uint32_t { return std::isnan(x); });
      case KAWARA_OP_isinf: return run([](T x) -> uint32_t { return std::isinf(x); });
      default: return run_sequence(op, dst, a, count);
    }
  } else {
    switch (op) {
      case KAWARA_OP_mod: return run([](T x, T y) { return modulo(x, y); });
      case KAWARA_OP_rem: return run([](T x, T y) { return remainder(x, y); });
      case KAWARA_OP_divfloor: return run([](T x, T y) { return divide_floor(x, y); });
      case KAWARA_OP_umulhi: return run([](T x, T y) { return static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y) >> 32); });
      case KAWARA_OP_and: return run([](T x, T y) { return static_cast<T>(x & y); });
      case KAWARA_OP_or: return run([](T x, T y) { return static_cast<T>(x | y); });
      case KAWARA_OP_xor: return run([](T x, T y) { return static_cast<T>(x ^ y); });
      case KAWARA_OP_not: return run([](T x) { return static_cast<T>(~x); });
      case KAWARA_OP_shl: return run([](T x, T y) { return shift_left(x, y); });
      case KAWARA_OP_shr: return run([](T x, T y) { return shift_right(x, y); });
      case KAWARA_OP_red_and: return reduce([](T x, T y) { return static_cast<T>(x & y); });
      case KAWARA_OP_red_or: return reduce([](T x, T y) { return static_cast<T>(x | y); });
      default: return;
    }
  }
}

}  // namespace

void evaluate(uint8_t op, uint8_t type, uint16_t imm, Lanes& dst, const Lanes& a, const Lanes& b, const Lanes& c, unsigned count) {
  switch (type) {
    case KAWARA_DTYPE_f32: return evaluate_as<float>(op, imm, dst, a, b, c, count);
    case KAWARA_DTYPE_i32: return evaluate_as<int32_t>(op, imm, dst, a, b, c, count);
    case KAWARA_DTYPE_u32: return evaluate_as<uint32_t>(op, imm, dst, a, b, c, count);
    default: return evaluate_as<int64_t>(op, imm, dst, a, b, c, count);
  }
}

uint64_t identity(uint8_t op, uint8_t type) {
  const bool real = type == KAWARA_DTYPE_f32;
  switch (op) {
    case KAWARA_OP_red_mul: return real ? 0x3f800000u : 1u;
    case KAWARA_OP_red_and: return ~0ull;
    case KAWARA_OP_red_min:
      if (real) return 0x7f800000u;
      if (type == KAWARA_DTYPE_i32) return std::numeric_limits<int32_t>::max();
      return type == KAWARA_DTYPE_u32 ? ~0u : std::numeric_limits<int64_t>::max();
    case KAWARA_OP_red_max:
      if (real) return 0xff800000u;
      if (type == KAWARA_DTYPE_i32) return 0x80000000u;
      return type == KAWARA_DTYPE_u32 ? 0 : 1ull << 63;
    case KAWARA_OP_red_add: return real ? 0x80000000u : 0u;
    default: return 0;
  }
}

void fill(Lanes& lanes, uint64_t value, unsigned count) {
  for (unsigned lane = 0; lane < count; ++lane) lanes.low[lane] = static_cast<uint32_t>(value);
  for (unsigned lane = 0; lane < count; ++lane) lanes.high[lane] = static_cast<uint32_t>(value >> 32);
}

}  // namespace kawara::emulator::reference
