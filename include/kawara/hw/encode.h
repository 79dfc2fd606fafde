/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Commands from C structs: what the compiler and tests write command buffers with.
 *
 *   auto gemm = hw::blank<kawara_gemm>();       // operands absent, no limit, no waits, unused extents 1
 *   gemm.M = 64; …
 *   hw::Section epilogue{.n_in = 1, .streams = {bias, output}, .coords = …, .phases = …, .instrs = …};
 *   uint32_t number = commands.append(hw::encode(gemm, &epilogue));
 *
 * encode() sets opcode, size16, counts, and the engine where only one may run the command. A value that no row allows is
 * an Error that names the field; nothing is ever masked. Rules that need more than one field are check.h's.
 */
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "kawara/error.h"
#include "kawara/hw/layout.h"
#include "kawara/hw/rows.h"

namespace kawara::hw {

// The affine loop nest of a vector command, or the epilogue of another one (extents, n_par and n_red stay 0 there).
struct Section {
  std::array<uint32_t, 9> extent{};  // 0-5 parallel, 6-8 reduced; what n_par and n_red leave unused need not be set
  uint8_t n_par = 0, n_red = 0;
  uint8_t n_in = 0;  // streams before this one are inputs
  uint8_t acc_group = 0;
  bool index64 = false;
  std::vector<kawara_stream> streams{};  // inputs first
  std::vector<kawara_coord> coords{};
  std::vector<uint32_t> constants{};
  std::vector<kawara_phase> phases{};
  std::vector<kawara_instr> instrs{};
};

inline uint64_t operand(uint32_t region, uint64_t offset) {
  if (region >= KAWARA_REGION_COUNT_MAX) throw fail(Code::invalid_argument, "region {} of an operand: at most {} fit", region, KAWARA_REGION_COUNT_MAX);
  if (offset >> 48 != 0) throw fail(Code::invalid_argument, "offset {} of an operand does not fit 48 bits", offset);
  return kawara_operand(region, offset);
}

// Start once `engine` has retired `count` commands of the job.
inline uint32_t wait(uint32_t engine, uint32_t count) {
  if (engine >= KAWARA_ENGINE_COUNT) throw fail(Code::invalid_argument, "wait for engine {}: there is none", engine);
  if (count >> 28 != 0) throw fail(Code::invalid_argument, "wait for {} commands does not fit 28 bits", count);
  return kawara_wait(engine, count);
}

// A body whose operands are absent, without limit and waits, with extent 1 where the table says "1 where unused".
template <typename Body>
Body blank() {
  static_assert(is_command<Body>, "the struct of a COMMAND row");
  Body body{};
  body.header.flags = KAWARA_HEADER_LIMIT_NONE;
  body.header.limit = KAWARA_OPERAND_ABSENT;
  if constexpr (requires { body.group_table; }) {
    body.group_table = KAWARA_OPERAND_ABSENT;
    for (kawara_matrix* matrix : {&body.a, &body.b}) matrix->data = matrix->scale = matrix->zero = KAWARA_OPERAND_ABSENT;
    body.G = body.H = 1;
  }
  if constexpr (requires { body.kernel; }) {
    body.a = body.a_zero = body.b = body.b_scale = body.b_zero = KAWARA_OPERAND_ABSENT;
    body.N = body.groups = 1;
    for (int i = 0; i < 3; ++i) body.in[i] = body.out[i] = body.kernel[i] = body.stride[i] = body.dilation[i] = 1;
  }
  if constexpr (requires { body.src_extent; }) {
    body.src = body.dst = body.index = KAWARA_OPERAND_ABSENT;
    for (int i = 0; i < 6; ++i) body.extent[i] = body.src_extent[i] = 1;
  }
  return body;
}

// Throws for the first value of a struct that its row does not allow.
inline void require_in_range(const StructRow& row, const std::byte* bytes, const std::string& path) {
  for (const Field& field : row.fields) {
    if (field.kind == Kind::structure) {
      require_in_range(*find_struct(field.type), bytes + field.offset, path + "." + std::string(field.name));
      continue;
    }
    for (uint32_t i = 0; i < field.count; ++i) {
      const int64_t value = read_value(field, bytes + field.offset + i * bytes_of(field.kind));
      if (value >= field.low && value <= field.high) continue;
      const std::string index = field.role == Role::member ? "" : fmt::format("[{}]", i);
      throw fail(Code::invalid_argument, "{}.{}{} must be within {} and {}, got {}", path, field.name, index, field.low, field.high, value);
    }
  }
}

// The section as bytes. vector: unused extents become 1.
inline std::vector<std::byte> encode_section(const Section& section, bool is_vector, const std::string& path) {
  const auto count = [&](std::string_view name, size_t size, size_t most) {
    if (size > most) throw fail(Code::invalid_argument, "{}.{} must be at most {}, got {}", path, name, most, size);
    return size;
  };
  if (section.n_in > section.streams.size())
    throw fail(Code::invalid_argument, "{}.n_in is {}, but there are {} streams", path, section.n_in, section.streams.size());
  kawara_section fields{};
  std::copy(section.extent.begin(), section.extent.end(), fields.extent);
  for (int i = 0; is_vector && i < 9; ++i)
    if (fields.extent[i] == 0 && (i < 6 ? i >= section.n_par : i - 6 >= section.n_red)) fields.extent[i] = 1;
  fields.n_par = section.n_par;
  fields.n_red = section.n_red;
  fields.n_in = section.n_in;
  fields.n_out = static_cast<uint8_t>(count("n_out", section.streams.size() - section.n_in, 4));
  fields.n_coord = static_cast<uint8_t>(count("n_coord", section.coords.size(), 48));
  fields.n_const = static_cast<uint8_t>(count("n_const", section.constants.size(), 64));
  fields.n_phase = static_cast<uint8_t>(count("n_phase", section.phases.size(), 4));
  fields.n_instr = static_cast<uint16_t>(count("n_instr", section.instrs.size(), 256));
  fields.acc_group = section.acc_group;
  fields.index64 = section.index64;
  require_in_range(*find_struct("section"), reinterpret_cast<const std::byte*>(&fields), path);

  const kawara_section_layout at = kawara_layout_section(&fields);
  std::vector<std::byte> bytes(at.end);
  const auto put = [&](uint32_t offset, const auto& values) {
    if (!values.empty()) std::memcpy(bytes.data() + offset, values.data(), values.size() * sizeof(values[0]));
  };
  const auto require = [&](std::string_view name, const auto& values) {
    for (size_t i = 0; i < values.size(); ++i)
      require_in_range(*find_struct(name), reinterpret_cast<const std::byte*>(&values[i]), fmt::format("{}.{} {}", path, name, i));
  };
  require("stream", section.streams);
  require("coord", section.coords);
  require("phase", section.phases);
  require("instr", section.instrs);
  std::memcpy(bytes.data(), &fields, sizeof(fields));
  put(at.streams, section.streams);
  put(at.coords, section.coords);
  put(at.constants, section.constants);
  put(at.phases, section.phases);
  put(at.instrs, section.instrs);
  return bytes;
}

// The command as bytes: a multiple of 16. section: given exactly where the command's row has one.
template <typename Body>
std::vector<std::byte> encode(Body body, const Section* section = nullptr) {
  static_assert(is_command<Body>, "the struct of a COMMAND row");
  constexpr const CommandRow& row = *command_row_of<Body>;
  const std::string name(row.name);
  if (row.section != (section != nullptr))
    throw fail(Code::invalid_argument, "command {} {} section", name, row.section ? "needs a" : "has no");
  std::vector<std::byte> tail;
  if (section != nullptr) tail = encode_section(*section, row.opcode == KAWARA_COMMAND_vector, name + ".section");

  body.header.opcode = row.opcode;
  if constexpr ((row.engines & (row.engines - 1)) == 0) body.header.engine = static_cast<uint8_t>(std::countr_zero(row.engines));
  if (body.header.engine > 15 || (row.engines >> body.header.engine & 1) == 0)
    throw fail(Code::invalid_argument, "{}.header.engine: engine {} does not run it", name, body.header.engine);
  body.header.size16 = static_cast<uint16_t>((sizeof(body) + tail.size()) / 16);  // at most 6 KiB by the counts' limits
  require_in_range(*row.body, reinterpret_cast<const std::byte*>(&body), name);

  std::vector<std::byte> bytes(sizeof(body) + tail.size());
  std::memcpy(bytes.data(), &body, sizeof(body));
  if (!tail.empty()) std::memcpy(bytes.data() + sizeof(body), tail.data(), tail.size());
  return bytes;
}

// A command buffer that grows.
class Commands {
 public:
  // Returns the command's index in the job.
  uint32_t append(std::span<const std::byte> command) {
    if (bytes_.size() + command.size() > KAWARA_COMMAND_BYTES_MAX)
      throw fail(Code::invalid_argument, "a command buffer holds at most {} bytes", KAWARA_COMMAND_BYTES_MAX);
    offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
    bytes_.insert(bytes_.end(), command.begin(), command.end());
    return static_cast<uint32_t>(offsets_.size() - 1);
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::span<const uint32_t> offsets() const { return offsets_; }

 private:
  std::vector<std::byte> bytes_;
  std::vector<uint32_t> offsets_;
};

}  // namespace kawara::hw
