// SPDX-License-Identifier: Apache-2.0
// Writes the microcode of one point of a loop nest: operators emit instructions on registers, each assigned once;
// finish() removes what nothing uses, shares equal constants and instructions, and fits the rest into the chip's registers.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "kawara/dtype.h"
#include "kawara/hw/commands.h"

namespace kawara::compiler {

// A register and the type it is computed in: f32, i32, u32 (also booleans, 0 or 1) or i64.
struct Register {
  uint32_t id = ~0u;
  DType type = DType::none;
};

// The type in which the chip computes on elements of a dtype: floats f32, small signed i32, unsigned and boolean u32, 64 bits i64.
DType compute_type(DType element);

// A finished program, as a section holds it.
struct Microcode {
  std::vector<uint32_t> constants;
  std::vector<kawara_phase> phases;
  std::vector<kawara_instr> instructions;
  std::map<uint32_t, std::array<uint8_t, 3>> index_registers;  // per input stream with indexed coordinates: theirs, in order
};

class Points {
 public:
  Register constant(float value);
  Register constant(DType type, int64_t value);
  // One row of microcode.def. `type` is the instruction's type field; comparisons and tests yield u32.
  Register emit(kawara_microcode op, DType type, Register a, Register b = {}, Register c = {});
  Register convert(DType to, Register a);  // cvt; a itself when the types agree

  Register add(Register a, Register b) { return emit(KAWARA_OP_add, a.type, a, b); }
  Register sub(Register a, Register b) { return emit(KAWARA_OP_sub, a.type, a, b); }
  Register mul(Register a, Register b) { return emit(KAWARA_OP_mul, a.type, a, b); }
  Register div(Register a, Register b) { return emit(KAWARA_OP_div, a.type, a, b); }
  Register min(Register a, Register b) { return emit(KAWARA_OP_min, a.type, a, b); }
  Register max(Register a, Register b) { return emit(KAWARA_OP_max, a.type, a, b); }

  // Streams are counted apart: input 0, 1, … and output 0, 1, …
  Register load(unsigned input, DType element);
  // From a stream with indexed coordinates: one i32 result of an instruction for each of them, in order. Such a stream is loaded once.
  Register load(unsigned input, DType element, std::array<Register, 3> indices);
  void store(unsigned output, Register a);
  Register index(unsigned loop);                      // i32
  Register accumulator(unsigned column, DType type);  // epilogues only

  // Code is written from top to bottom: phase(), its `before`; step(); after(); phase(), … Each phase sweeps all reduced
  // loops of its section. What `step` computes is seen there alone; what it reduces is seen from `after` on.
  void phase(bool ordered = false);
  void step();
  void after();
  // A reduction of microcode.def over all steps of this phase.
  Register reduce(kawara_microcode op, Register a);

  // The program for a section with so many input streams; otherwise the limit of the chip that it breaks.
  std::expected<Microcode, std::string> finish(unsigned inputs) const;

 private:
  enum class Part : uint8_t { before, step, after };
  enum class Source : uint8_t { instruction, constant32, constant64, index, accumulator };
  struct Place {
    uint32_t phase = 0;
    Part part = Part::before;
    auto operator<=>(const Place&) const = default;
  };
  struct Entry {
    Source source = Source::instruction;
    uint8_t op = 0;
    DType type = DType::none;  // the instruction's type field, or the constant's type
    DType result = DType::none;
    std::array<uint32_t, 3> operands{~0u, ~0u, ~0u};  // entry numbers; ~0u: none
    uint64_t value = 0;                               // imm, constant bits, loop or column
    Place place{};
    auto operator<=>(const Entry&) const = default;
  };
  struct Layout;

  Register add_entry(Entry entry);
  Layout layout() const;
  std::string assign_registers(Layout& layout) const;
  static std::string place_constants(const std::vector<Entry>& entries, Layout& layout);

  std::vector<Entry> entries_;
  std::map<Entry, uint32_t> known_;
  std::vector<bool> ordered_{false};  // per phase
  Place place_;
  bool opened_ = false;  // phase() was called
};

}  // namespace kawara::compiler
