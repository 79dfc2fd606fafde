/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Text to command buffers: see text.h. */
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kawara/hw/layout.h"
#include "kawara/hw/microcode.h"
#include "kawara/hw/text_names.h"
#include "kawara/hw/text_words.h"

namespace kawara::hw {

// Reads one text. A value must fit its field; whether the chip accepts it is check.h's to say.
class Assembler {
 public:
  explicit Assembler(std::string_view text) : words_(text) {}

  std::vector<std::byte> run() {
    std::vector<std::byte> buffer;
    while (!words_.at_end()) {
      const std::vector<std::byte> bytes = command();
      buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    }
    return buffer;
  }

 private:
  using Bytes = std::vector<std::byte>;

  // What a command's braces hold.
  struct Parts {
    Bytes body, section;
    std::vector<Bytes> inputs, outputs, coords, phases, instrs;
    std::vector<uint32_t> constants;
  };

  Bytes command() {
    const CommandRow* row = nullptr;
    for (const CommandRow& candidate : command_rows)
      if (candidate.name == words_.peek()) row = &candidate;
    if (row == nullptr) words_.refuse("a command");
    words_.take();
    words_.expect("{");
    Parts parts;
    parts.body = blank_body(*row);
    parts.section = blank_section(row->opcode == KAWARA_COMMAND_vector);
    while (words_.peek() != "}") {
      if (const Field* field = find_field(*row->body, words_.peek()))
        member(*field, parts.body.data());
      else if (!row->section || !part(parts))
        words_.refuse(fmt::format("a member of {}{} or '}}'", row->name, row->section ? ", a part of its section, an instruction" : ""));
    }
    if (row->section) append_section(parts);
    if (parts.body.size() / 16 > 0xffff) words_.refuse("less: a command has at most 1048560 bytes");
    words_.expect("}");
    const auto size16 = static_cast<uint16_t>(parts.body.size() / 16);
    std::memcpy(parts.body.data() + offsetof(kawara_header, size16), &size16, sizeof(size16));
    return parts.body;
  }

  // A part of the section or an instruction; false when the word at hand is neither.
  bool part(Parts& parts) {
    const std::string_view word = words_.peek();
    if (word == "section") return into(parts.section);
    if (word == "input") return into(parts.inputs.emplace_back(blank_stream()), "stream");
    if (word == "output") return into(parts.outputs.emplace_back(blank_stream()), "stream");
    if (word == "coord") return into(parts.coords.emplace_back(blank_coord()), "coord");
    if (word == "phase") return into(parts.phases.emplace_back(bytes_of_struct(kawara_phase{})), "phase");
    if (word == "instr") return into(parts.instrs.emplace_back(bytes_of_struct(kawara_instr{})), "instr");
    if (word == "constants") {
      words_.take();
      words_.expect("[");
      while (!words_.take_if("]")) parts.constants.push_back(static_cast<uint32_t>(words_.number(0, 0xffffffff, "a 32-bit word or ']'")));
      return true;
    }
    if (word.find('.') == std::string_view::npos) return false;
    parts.instrs.push_back(bytes_of_struct(instruction()));
    return true;
  }

  bool into(Bytes& bytes, std::string_view type = "section") {
    words_.take();
    braces(*find_struct(type), bytes.data());
    return true;
  }

  void braces(const StructRow& row, std::byte* at) {
    words_.expect("{");
    while (!words_.take_if("}")) {
      const Field* field = find_field(row, words_.peek());
      if (field == nullptr) words_.refuse(fmt::format("a member of {} or '}}'", row.name));
      member(*field, at);
    }
  }

  static const Field* find_field(const StructRow& row, std::string_view name) {
    for (const Field& field : row.fields)
      if (field.name == name) return &field;
    return nullptr;
  }

  // at: of the struct.
  void member(const Field& field, std::byte* at) {
    words_.take();
    at += field.offset;
    if (field.kind == Kind::structure) return braces(*find_struct(field.type), at);
    words_.expect("=");
    if (field.count == 1) return write_value(field, at, value(field));
    words_.expect("[");
    for (uint32_t i = 0; !words_.take_if("]"); ++i) {
      if (i == field.count) words_.refuse(fmt::format("']': {} has {} values", field.name, field.count));
      write_value(field, at + i * bytes_of(field.kind), value(field));
    }
  }

  int64_t value(const Field& field) {
    switch (field.kind) {
      case Kind::operand: return operand_value();
      case Kind::dtype: return named(dtype_names, 0xff, "an element type");
      case Kind::wait: return wait_value();
      case Kind::u8:
        if (field.name == "engine") return named(engine_names, 0xff, "an engine");
        return static_cast<int64_t>(words_.number(0, 0xff, "a number of 8 bits"));
      case Kind::u16: return static_cast<int64_t>(words_.number(0, 0xffff, "a number of 16 bits"));
      case Kind::u32: return static_cast<int64_t>(words_.number(0, 0xffffffff, "a number of 32 bits"));
      case Kind::u64: return static_cast<int64_t>(words_.number(0, UINT64_MAX, "a number of 64 bits"));
      case Kind::i32: return static_cast<int64_t>(words_.number(INT32_MIN, INT32_MAX, "a signed number of 32 bits"));
      case Kind::i64: return static_cast<int64_t>(words_.number(INT64_MIN, INT64_MAX, "a signed number of 64 bits"));
      case Kind::structure: break;
    }
    words_.refuse("a value");
  }

  int64_t named(std::span<const NamedCode> names, uint32_t most, std::string_view expected) {
    if (const std::optional<uint32_t> code = code_of(names, words_.peek())) {
      words_.take();
      return *code;
    }
    return static_cast<int64_t>(words_.number(0, most, expected));
  }

  int64_t operand_value() {
    if (words_.take_if("absent")) return static_cast<int64_t>(KAWARA_OPERAND_ABSENT);
    const auto region = static_cast<uint32_t>(words_.number(0, 0xffff, "an operand: REGION:OFFSET or absent"));
    words_.expect(":");
    return static_cast<int64_t>(kawara_operand(region, static_cast<uint64_t>(words_.number(0, 0xffffffffffff, "an offset of 48 bits"))));
  }

  int64_t wait_value() {
    if (words_.take_if("none")) return 0;
    const auto engine = static_cast<uint32_t>(named(engine_names, 15, "a wait: ENGINE:COUNT or none"));
    words_.expect(":");
    return kawara_wait(engine, static_cast<uint32_t>(words_.number(0, 0xfffffff, "a count of 28 bits")));
  }

  // OP.TYPE or cvt.TO.FROM, then what the form reads and writes, in the order that people write it.
  kawara_instr instruction() {
    std::string_view rest = words_.peek();
    const auto next = [&] {
      const std::string_view name = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      return name;
    };
    const std::optional<uint32_t> op = code_of(microcode_names, next());
    if (!op) words_.refuse("an instruction of microcode.def");
    const kawara_form form = kawara_form_of(*op);
    const std::optional<uint32_t> type = code_of(dtype_names, next());
    const std::optional<uint32_t> from = form == KAWARA_FORM_CONVERT ? code_of(dtype_names, next()) : 0;
    if (!type || !from || !rest.empty()) words_.refuse(form == KAWARA_FORM_CONVERT ? "cvt.TO.FROM" : "one type behind the instruction");
    words_.take();

    kawara_instr instr{};
    instr.op = static_cast<uint8_t>(*op);
    instr.type = static_cast<uint8_t>(*type);
    instr.imm = static_cast<uint16_t>(*from);
    if (form == KAWARA_FORM_STORE)
      instr.imm = prefixed("s", 0xffff, "a stream, s0 to s65535");
    else
      instr.dst = static_cast<uint8_t>(prefixed("r", 31, "a register, r0 to r31"));
    uint8_t* const sources[3] = {&instr.a, &instr.b, &instr.c};
    for (uint32_t i = 0; i < kawara_sources_of(form); ++i) *sources[i] = source();
    if (form == KAWARA_FORM_LOAD) instr.imm = prefixed("s", 0xffff, "a stream, s0 to s65535");
    return instr;
  }

  // The number behind a prefix, or nothing when the word at hand is of another kind.
  std::optional<uint16_t> try_prefixed(std::string_view prefix, uint32_t most) {
    std::string_view digits = words_.peek();
    if (!digits.starts_with(prefix)) return std::nullopt;
    digits.remove_prefix(prefix.size());
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || number > most) return std::nullopt;
    words_.take();
    return static_cast<uint16_t>(number);
  }

  uint16_t prefixed(std::string_view prefix, uint32_t most, std::string_view expected) {
    const std::optional<uint16_t> number = try_prefixed(prefix, most);
    if (!number) words_.refuse(expected);
    return *number;
  }

  uint8_t source() {
    if (words_.take_if("b_index")) return KAWARA_SOURCE_B_INDEX;
    const struct {
      std::string_view prefix;
      uint32_t first, most;
    } kinds[] = {{"r", KAWARA_SOURCE_REGISTER, 31}, {"c", KAWARA_SOURCE_CONSTANT, 63}, {"i", KAWARA_SOURCE_INDEX, 8}, {"acc", KAWARA_SOURCE_ACCUMULATOR, 3}};
    for (const auto& kind : kinds)
      if (const std::optional<uint16_t> number = try_prefixed(kind.prefix, kind.most)) return static_cast<uint8_t>(kind.first + *number);
    words_.refuse("a source: r0-r31, c0-c63, i0-i8, acc0-acc3 or b_index");
  }

  // Counts, then everything behind the body, each array at a multiple of 16.
  void append_section(Parts& parts) {
    kawara_section section;
    std::memcpy(&section, parts.section.data(), sizeof(section));
    section.n_in = static_cast<uint8_t>(counted("inputs", parts.inputs.size(), 0xff));
    section.n_out = static_cast<uint8_t>(counted("outputs", parts.outputs.size(), 0xff));
    section.n_coord = static_cast<uint8_t>(counted("coords", parts.coords.size(), 0xff));
    section.n_const = static_cast<uint8_t>(counted("constants", parts.constants.size(), 0xff));
    section.n_phase = static_cast<uint8_t>(counted("phases", parts.phases.size(), 0xff));
    section.n_instr = static_cast<uint16_t>(counted("instructions", parts.instrs.size(), 0xffff));
    const auto append = [&](const std::vector<Bytes>& elements) {
      for (const Bytes& element : elements) parts.body.insert(parts.body.end(), element.begin(), element.end());
      parts.body.resize((parts.body.size() + 15) / 16 * 16);
    };
    std::vector<Bytes> constants;
    for (uint32_t word : parts.constants) constants.push_back(bytes_of_struct(word));
    append({bytes_of_struct(section)});
    append(parts.inputs);
    append(parts.outputs);
    append(parts.coords);
    append(constants);
    append(parts.phases);
    append(parts.instrs);
  }

  size_t counted(std::string_view what, size_t count, size_t most) const {
    if (count > most) words_.refuse(fmt::format("at most {} {}", most, what));
    return count;
  }

  Words words_;
};

// Throws invalid_argument with the line and what was expected there.
inline std::vector<std::byte> assemble(std::string_view text) { return Assembler(text).run(); }

}  // namespace kawara::hw
