// SPDX-License-Identifier: Apache-2.0
// A bench for executors: regions made of vectors, one command at a time, and short names for what a section is made of.
#pragma once

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "emulator/executor.h"
#include "kawara/hw/encode.h"

namespace kawara::test {

class Machine {
 public:
  explicit Machine(const emulator::ExecutorFactory& executor) : execute_(executor({}, {})) {}

  // A region of local memory that holds `values`.
  template <typename T>
  uint32_t local(const std::vector<T>& values) {
    auto& bytes = *blocks_.emplace_back(std::make_unique<std::vector<std::byte>>(std::max<size_t>(values.size() * sizeof(T), 8)));
    std::ranges::copy(std::as_bytes(std::span(values)), bytes.begin());
    regions_.push_back({emulator::Region::Place::local, true, true, bytes.size(), bytes.data(), {}});
    return static_cast<uint32_t>(regions_.size() - 1);
  }

  // The same in host memory, in pieces of `piece_bytes` that do not touch.
  template <typename T>
  uint32_t host(const std::vector<T>& values, size_t piece_bytes) {
    const uint64_t size = values.size() * sizeof(T);
    emulator::Region region{emulator::Region::Place::host, true, true, size, nullptr, {}};
    for (uint64_t offset = 0; offset < size; offset += piece_bytes) {
      auto& bytes = *blocks_.emplace_back(std::make_unique<std::vector<std::byte>>(std::min<uint64_t>(piece_bytes, size - offset)));
      std::memcpy(bytes.data(), reinterpret_cast<const std::byte*>(values.data()) + offset, bytes.size());
      region.pieces.push_back({offset, bytes.data(), bytes.size()});
    }
    regions_.push_back(region);
    return static_cast<uint32_t>(regions_.size() - 1);
  }

  template <typename T>
  std::vector<T> read(uint32_t region, size_t count) const {
    std::vector<T> values(count);
    if (regions_[region].data != nullptr) {
      std::memcpy(values.data(), regions_[region].data, count * sizeof(T));
    } else {
      for (const emulator::Extent& piece : regions_[region].pieces)
        std::memcpy(reinterpret_cast<std::byte*>(values.data()) + piece.offset, piece.data, piece.size);
    }
    return values;
  }

  emulator::Health run(const std::vector<hw::Commands>& buffers, const emulator::Progress& progress = {}) {
    emulator::Health health;
    for (const hw::Commands& buffer : buffers) {
      const emulator::Job job{.commands = buffer.bytes(), .offsets = buffer.offsets(), .table = {}, .regions = regions_};
      health = execute_(job, 0, static_cast<uint32_t>(buffer.offsets().size()), progress);
    }
    return health;
  }

  template <typename Body>
  emulator::Health run(const Body& body, const hw::Section* section = nullptr) {
    hw::Commands commands;
    commands.append(hw::encode(body, section));
    return run({commands});
  }

 private:
  emulator::Execute execute_;
  std::vector<emulator::Region> regions_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> blocks_;
};

inline kawara_stream stream(uint32_t region, uint8_t dtype, uint8_t first_coord, uint8_t n_coord, uint64_t pad = 0, uint8_t flags = 0) {
  kawara_stream result{};
  result.data = hw::operand(region, 0);
  result.dtype = dtype;
  result.first_coord = first_coord;
  result.n_coord = n_coord;
  result.pad = pad;
  result.flags = flags;
  return result;
}

// terms: loop and its coefficient.
inline kawara_coord coord(int64_t stride, uint32_t extent, std::initializer_list<std::pair<int, int>> terms, int32_t base = 0) {
  kawara_coord result{};
  result.stride = stride;
  result.extent = extent;
  result.base = base;
  result.den = 1;
  for (const auto& [loop, coef] : terms) result.coef[loop] = coef;
  return result;
}

inline kawara_instr instr(uint8_t op, uint8_t type, uint8_t dst, uint8_t a = 0, uint8_t b = 0, uint8_t c = 0, uint16_t imm = 0) {
  kawara_instr result{};
  result.op = op;
  result.dst = dst;
  result.a = a;
  result.b = b;
  result.c = c;
  result.type = type;
  result.imm = imm;
  return result;
}
inline kawara_instr load(uint8_t type, uint8_t dst, uint16_t number) { return instr(KAWARA_OP_load, type, dst, 0, 0, 0, number); }
inline kawara_instr store(uint8_t type, uint8_t from, uint16_t number) { return instr(KAWARA_OP_store, type, 0, from, 0, 0, number); }

inline constexpr uint8_t kF32 = KAWARA_DTYPE_f32, kI32 = KAWARA_DTYPE_i32, kU32 = KAWARA_DTYPE_u32, kI64 = KAWARA_DTYPE_i64;
constexpr uint8_t constant(unsigned number) { return static_cast<uint8_t>(KAWARA_SOURCE_CONSTANT + number); }
constexpr uint8_t loop(unsigned number) { return static_cast<uint8_t>(KAWARA_SOURCE_INDEX + number); }
constexpr uint8_t accumulator(unsigned number) { return static_cast<uint8_t>(KAWARA_SOURCE_ACCUMULATOR + number); }

inline kawara_phase phase(uint8_t mode, uint8_t red_dims, uint16_t before, uint16_t step, uint16_t after, uint16_t end) {
  kawara_phase result{};
  result.mode = mode;
  result.red_dims = red_dims;
  result.before = before;
  result.step = step;
  result.after = after;
  result.end = end;
  return result;
}
// Without reductions: everything runs once.
inline kawara_phase once(size_t instructions) {
  const auto count = static_cast<uint16_t>(instructions);
  return phase(KAWARA_PHASE_TREE, 0, 0, 0, count, count);
}

// Values of a fixed sequence between -1 and 1, no two seeds alike.
inline std::vector<float> noise(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int32_t>(seed) >> 8) * 0x1p-23f;
  }
  return values;
}

inline std::vector<uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<uint32_t> result(values.size());
  std::memcpy(result.data(), values.data(), values.size() * sizeof(float));
  return result;
}

}  // namespace kawara::test
