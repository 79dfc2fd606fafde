// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "header_text.h"
#include "kawara/hw/rows.h"
#include "manual.h"

namespace kawara::manual {

namespace {

using hw::Field;
using hw::Kind;
using hw::Role;

// The words of the rows that rows.h has, in the same order.
struct Words {
  std::string_view owner, doc;
};
constexpr Words kFieldWords[] = {
#define MEMBER(struct_, offset, type, name, low, high, doc) {#struct_, doc},
#define ARRAY(struct_, offset, type, name, count, low, high, doc) {#struct_, doc},
#define RESERVED(struct_, offset, type, name, count) {#struct_, "Zero"},
#include "kawara/hw/commands.def"
};
constexpr Words kStructWords[] = {
#define STRUCT(name, bytes, doc) {#name, doc},
#include "kawara/hw/commands.def"
};
constexpr Words kCommandWords[] = {
#define COMMAND(opcode, name, engines, section, doc) {#name, doc},
#include "kawara/hw/commands.def"
};

std::string_view words_of(std::span<const Words> table, std::string_view owner) {
  return std::ranges::find(table, owner, &Words::owner)->doc;
}

std::string c_name(std::string_view name) { return fmt::format("kawara_{}", name); }

template <typename Type>
bool whole_range(const Field& field) {
  return field.low == int64_t{std::numeric_limits<Type>::min()} && field.high == int64_t{std::numeric_limits<Type>::max()};
}

std::string range_of(const Field& field) {
  if (field.role == Role::reserved) return "0";
  const auto range = [&] { return fmt::format("{} to {}", field.low, field.high); };
  switch (field.kind) {
    case Kind::structure: return "";
    case Kind::u64:
    case Kind::i64:
    case Kind::operand: return "any";  // rows have no other range for 64 bits
    case Kind::u8:
    case Kind::dtype: return whole_range<uint8_t>(field) ? "any" : range();
    case Kind::u16: return whole_range<uint16_t>(field) ? "any" : range();
    case Kind::i32: return whole_range<int32_t>(field) ? "any" : range();
    case Kind::u32:
    case Kind::wait: return whole_range<uint32_t>(field) ? "any" : range();
  }
  return "";
}

std::string engines_of(const hw::CommandRow& command, const std::vector<Constant>& engines) {
  std::vector<std::string> names;
  for (size_t i = 0; i < KAWARA_ENGINE_COUNT; ++i)
    if (command.engines >> i & 1) names.push_back(engines[i].name.substr(std::string_view("KAWARA_ENGINE_").size()));
  return fmt::format("{}", fmt::join(names, ", "));
}

// The constants of commands.h that begin with a struct's name in capitals, if it has such.
void add_constants_of(Page& page, const hw::StructRow& row) {
  std::string prefix = row.name == "instr" ? "KAWARA_SOURCE_" : fmt::format("KAWARA_{}_", row.name);
  std::ranges::transform(prefix, prefix.begin(), [](unsigned char c) { return std::toupper(c); });
  static const HeaderText header("commands.h");
  const auto all = header.defines({"KAWARA_"});
  std::vector<Constant> own;
  std::ranges::copy_if(all, std::back_inserter(own), [&](const Constant& constant) { return constant.name.starts_with(prefix); });
  add_constants(page, own);
}

void add_struct(Page& page, const hw::StructRow& row) {
  page.section(c_name(row.name));
  const auto command = std::ranges::find(hw::command_rows, &row, &hw::CommandRow::body);
  std::string text;
  if (command != std::end(hw::command_rows))
    text = fmt::format("{}: {}. ", code(fmt::format("KAWARA_COMMAND_{} = {:#04x}", row.name, command->opcode)),
                       words(words_of(kCommandWords, row.name)));
  if (const auto doc = words_of(kStructWords, row.name); !doc.empty()) text += fmt::format("{}. ", words(doc));
  page.paragraph(fmt::format("{}{} bytes{}.", text, row.bytes,
                             command != std::end(hw::command_rows) && command->section
                                 ? fmt::format(", and a {} with its arrays follows them", link_to(c_name("section")))
                                 : ""));
  auto field_words = std::ranges::find(kFieldWords, row.name, &Words::owner);
  Page::Rows rows;
  for (const Field& field : row.fields) {
    const std::string many = field.count > 1 ? fmt::format("[{}]", field.count) : "";
    rows.push_back({std::to_string(field.offset),
                    field.kind == Kind::structure ? link_to(c_name(field.type)) + many : code(std::string(field.type) + many),
                    code(field.name), range_of(field), words((field_words++)->doc)});
  }
  page.table({"offset", "type", "member", "values", "meaning"}, rows);
  add_constants_of(page, row);
}

void add_element_types(Page& page) {
  page.section("Element types");
  HeaderText("dtypes.def").quote(page, "Codes never change");
  page.table({"code", "name", "bits", "kind", "meaning"}, {
#define DTYPE(code_, name, bits, kind, doc) {std::to_string(code_), code("KAWARA_DTYPE_" #name), std::to_string(bits), #kind, words(doc)},
#include "kawara/hw/dtypes.def"
                                                          });
}

}  // namespace

void add_commands(Page& page) {
  const HeaderText chip("hw.h");
  const auto engines = chip.enumerators("kawara_engine");
  page.chapter("Commands");
  page.paragraph("A command buffer is commands one after another, each a multiple of 16 bytes long and opened by a\n" +
                 link_to(c_name("header")) +
                 ". Each engine runs its own commands strictly in their order; engines run side by side, but where a command waits.");
  Page::Rows rows;
  for (const hw::CommandRow& command : hw::command_rows)
    rows.push_back({code(fmt::format("{:#04x}", command.opcode)), link_to(c_name(command.name)), engines_of(command, engines),
                    command.section ? "yes" : "", words(words_of(kCommandWords, command.name))});
  page.table({"opcode", "command", "engines", "section", "what it does"}, rows);
  HeaderText("commands.def").quote(page, "Types:");
  page.paragraph("A value outside of its row's range is `bad_command`, and so is a reserved byte that is not zero.");
  add_element_types(page);
  for (const hw::StructRow& row : hw::struct_rows) add_struct(page, row);

  page.section("What the chip checks");
  HeaderText("check.h").quote(page, "May this job run?");
  for (const char* file : {"check_fields.h", "check_regions.h", "check_bounds.h", "check_section.h", "check_microcode.h", "check_bodies.h"})
    HeaderText(file).quote(page);
  auto limits = chip.defines({"KAWARA_COMMAND_BYTES_MAX", "KAWARA_SEGMENT_CYCLES_LOG2"});
  std::ranges::copy(HeaderText("check_bounds.h").defines({"KAWARA_POINTS_MAX"}), std::back_inserter(limits));
  add_constants(page, limits);
}

}  // namespace kawara::manual
