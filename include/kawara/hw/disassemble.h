/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Command buffers to text: see text.h. */
#pragma once

#include <span>
#include <string>
#include <utility>

#include "kawara/hw/layout.h"
#include "kawara/hw/microcode.h"
#include "kawara/hw/text_names.h"

namespace kawara::hw {

// Writes the text of one buffer. Any values print; what no text can express (a wrong size, stray padding) is an Error.
class Disassembler {
 public:
  explicit Disassembler(std::span<const std::byte> buffer) : buffer_(buffer) {}

  std::string run() {
    while (at_ < buffer_.size()) command();
    return std::move(text_);
  }

 private:
  using Bytes = std::span<const std::byte>;
  static constexpr size_t kColumns = 110;

  [[noreturn]] void refuse(std::string_view why) const { throw fail(Code::invalid_argument, "the command at byte {} {}", at_, why); }

  void command() {
    const Bytes left = buffer_.subspan(at_);
    if (left.size() < sizeof(kawara_header)) refuse("is cut off");
    kawara_header header;
    std::memcpy(&header, left.data(), sizeof(header));
    const CommandRow* row = find_command(header.opcode);
    if (row == nullptr) refuse("has an opcode that no row names");
    if (left.size() < row->body->bytes) refuse("is cut off");

    kawara_section section{};
    size_t bytes = row->body->bytes;
    if (row->section) {
      if (left.size() < bytes + sizeof(section)) refuse("is cut off");
      std::memcpy(&section, left.data() + bytes, sizeof(section));
      bytes += kawara_layout_section(&section).end;
    }
    if (bytes != header.size16 * size_t{16}) refuse("has another size than its arrays need");
    if (bytes > left.size()) refuse("is cut off");

    line(0, std::string(row->name) + " {");
    // What follows from the rest is no text: it is made blank before the comparison with a blank body.
    std::vector<std::byte> body(left.begin(), left.begin() + row->body->bytes);
    body[offsetof(kawara_header, size16)] = body[offsetof(kawara_header, size16) + 1] = std::byte{0};
    members(*row->body, body, blank_body(*row), 1);
    if (row->section) arrays(section, left.subspan(row->body->bytes), row->opcode == KAWARA_COMMAND_vector);
    line(0, "}");
    at_ += bytes;
  }

  void arrays(kawara_section section, Bytes bytes, bool is_vector) {
    const kawara_section_layout at = kawara_layout_section(&section);
    padding(bytes, at.constants + section.n_const * 4u, at.phases);
    padding(bytes, at.instrs + section.n_instr * 8u, at.end);
    const kawara_section counts = section;
    section.n_in = section.n_out = section.n_coord = section.n_const = section.n_phase = 0;
    section.n_instr = 0;
    part("section", "section", bytes_of_struct(section), blank_section(is_vector));
    for (uint32_t i = 0; i < uint32_t{counts.n_in} + counts.n_out; ++i)
      part(i < counts.n_in ? "input" : "output", "stream", bytes.subspan(at.streams + i * sizeof(kawara_stream), sizeof(kawara_stream)), blank_stream());
    for (uint32_t i = 0; i < counts.n_coord; ++i)
      part("coord", "coord", bytes.subspan(at.coords + i * sizeof(kawara_coord), sizeof(kawara_coord)), blank_coord());
    if (counts.n_const != 0) constants(bytes.subspan(at.constants, counts.n_const * 4u));
    for (uint32_t i = 0; i < counts.n_phase; ++i)
      part("phase", "phase", bytes.subspan(at.phases + i * sizeof(kawara_phase), sizeof(kawara_phase)), bytes_of_struct(kawara_phase{}));
    for (uint32_t i = 0; i < counts.n_instr; ++i) instruction(bytes.subspan(at.instrs + i * sizeof(kawara_instr), sizeof(kawara_instr)));
  }

  void padding(Bytes bytes, uint32_t first, uint32_t end) const {
    for (uint32_t i = first; i < end; ++i)
      if (bytes[i] != std::byte{0}) refuse("has padding that is not zero");
  }

  void constants(Bytes words) {
    std::string text = "constants [";
    for (size_t i = 0; i < words.size(); i += 4) {
      uint32_t word;
      std::memcpy(&word, words.data() + i, 4);
      text += fmt::format("{}{:#x}", i == 0 ? "" : ", ", word);
    }
    line(1, text + "]");
  }

  // The fields that differ from the blank ones: on one line, wrapped; structs in braces, on lines of their own.
  void members(const StructRow& row, Bytes bytes, Bytes blank, int depth) {
    std::string text;
    for (const Field& field : row.fields) {
      if (field.kind == Kind::structure) {
        const StructRow& inner = *find_struct(field.type);
        const std::string braces = in_braces(field.name, inner, bytes.subspan(field.offset, inner.bytes), blank.subspan(field.offset, inner.bytes));
        if (braces.empty()) continue;
        if (!text.empty()) line(depth, std::exchange(text, ""));
        line(depth, braces);
        continue;
      }
      const std::string member = assignment(field, bytes, blank);
      if (member.empty()) continue;
      if (!text.empty() && text.size() + member.size() > kColumns) line(depth, std::exchange(text, ""));
      text += (text.empty() ? "" : ", ") + member;
    }
    if (!text.empty()) line(depth, text);
  }

  // `name { member, … }`, or nothing when all is blank.
  std::string in_braces(std::string_view name, const StructRow& row, Bytes bytes, Bytes blank) {
    std::string text;
    for (const Field& field : row.fields) {
      const std::string member = assignment(field, bytes, blank);
      if (!member.empty()) text += (text.empty() ? "" : ", ") + member;
    }
    return text.empty() ? "" : fmt::format("{} {{ {} }}", name, text);
  }

  void part(std::string_view name, std::string_view type, Bytes bytes, const std::vector<std::byte>& blank) {
    const std::string braces = in_braces(name, *find_struct(type), bytes, blank);
    if (braces.empty() && type == "section") return;
    line(1, braces.empty() ? std::string(name) + " {}" : braces);
  }

  // `name = value`; lists end at the last value that is not blank. Nothing when all is blank.
  static std::string assignment(const Field& field, Bytes bytes, Bytes blank) {
    const uint32_t size = bytes_of(field.kind);
    uint32_t count = field.count;
    const auto at = [&](Bytes from, uint32_t i) { return read_value(field, from.data() + field.offset + i * size); };
    while (count > 0 && at(bytes, count - 1) == at(blank, count - 1)) --count;
    if (count == 0) return "";
    if (field.count == 1) return fmt::format("{} = {}", field.name, value(field, at(bytes, 0)));
    std::string list;
    for (uint32_t i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + value(field, at(bytes, i));
    return fmt::format("{} = [{}]", field.name, list);
  }

  static std::string value(const Field& field, int64_t value) {
    const auto bits = static_cast<uint64_t>(value);
    switch (field.kind) {
      case Kind::operand:
        if (bits == KAWARA_OPERAND_ABSENT) return "absent";
        return fmt::format("{}:{:#x}", kawara_operand_region(bits), kawara_operand_offset(bits));
      case Kind::dtype: return named(dtype_names, bits);
      case Kind::wait: {
        const auto wait = static_cast<uint32_t>(bits);
        if (wait == 0) return "none";
        return fmt::format("{}:{}", named(engine_names, kawara_wait_engine(wait)), kawara_wait_count(wait));
      }
      case Kind::u64: return bits < 10 ? fmt::format("{}", bits) : fmt::format("{:#x}", bits);
      case Kind::u8: return field.name == "engine" ? named(engine_names, bits) : fmt::format("{}", bits);
      case Kind::u16:
      case Kind::u32: return field.name == "flags" ? fmt::format("{:#x}", bits) : fmt::format("{}", bits);
      case Kind::i32:
      case Kind::i64: return fmt::format("{}", value);
      case Kind::structure: break;
    }
    return "";
  }

  static std::string named(std::span<const NamedCode> names, uint64_t code) {
    const std::string_view name = name_of(names, static_cast<uint32_t>(code));
    return name.empty() ? fmt::format("{}", code) : std::string(name);
  }

  static std::string source(uint32_t number) {
    if (number < KAWARA_SOURCE_CONSTANT) return fmt::format("r{}", number);
    if (number < KAWARA_SOURCE_INDEX) return fmt::format("c{}", number - KAWARA_SOURCE_CONSTANT);
    if (number < KAWARA_SOURCE_ACCUMULATOR) return fmt::format("i{}", number - KAWARA_SOURCE_INDEX);
    if (number < KAWARA_SOURCE_B_INDEX) return fmt::format("acc{}", number - KAWARA_SOURCE_ACCUMULATOR);
    return "b_index";
  }

  void instruction(Bytes bytes) {
    kawara_instr instr;
    std::memcpy(&instr, bytes.data(), sizeof(instr));
    if (has_mnemonic(instr))
      line(1, mnemonic(instr));
    else
      part("instr", "instr", bytes, bytes_of_struct(kawara_instr{}));
  }

  // Whether the short form says all of it: what the form does not read is zero.
  static bool has_mnemonic(const kawara_instr& instr) {
    const kawara_form form = kawara_form_of(instr.op);
    const uint8_t sources[3] = {instr.a, instr.b, instr.c};
    const bool stream = form == KAWARA_FORM_LOAD || form == KAWARA_FORM_STORE;
    if (form == KAWARA_FORM_NONE || instr.type == 0 || name_of(dtype_names, instr.type).empty() || instr.dst >= KAWARA_REGISTERS) return false;
    if (form == KAWARA_FORM_STORE && instr.dst != 0) return false;
    for (uint32_t i = 0; i < 3; ++i)
      if (i < kawara_sources_of(form) ? sources[i] > KAWARA_SOURCE_B_INDEX : sources[i] != 0) return false;
    if (form == KAWARA_FORM_CONVERT) return instr.imm != 0 && !name_of(dtype_names, instr.imm).empty();
    return stream || instr.imm == 0;
  }

  static std::string mnemonic(const kawara_instr& instr) {
    const kawara_form form = kawara_form_of(instr.op);
    const uint8_t sources[3] = {instr.a, instr.b, instr.c};
    std::string text = fmt::format("{}.{}", name_of(microcode_names, instr.op), name_of(dtype_names, instr.type));
    if (form == KAWARA_FORM_CONVERT) text += fmt::format(".{}", name_of(dtype_names, instr.imm));
    text += form == KAWARA_FORM_STORE ? fmt::format(" s{}", instr.imm) : fmt::format(" r{}", instr.dst);
    for (uint32_t i = 0; i < kawara_sources_of(form); ++i) text += ", " + source(sources[i]);
    if (form == KAWARA_FORM_LOAD) text += fmt::format(", s{}", instr.imm);
    return text;
  }

  void line(int depth, std::string_view text) {
    text_.append(static_cast<size_t>(depth) * 2, ' ').append(text).append("\n");
  }

  Bytes buffer_;
  size_t at_ = 0;
  std::string text_;
};

// Throws invalid_argument for bytes that are not whole commands.
inline std::string disassemble(std::span<const std::byte> commands) { return Disassembler(commands).run(); }

}  // namespace kawara::hw
