// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "header_text.h"
#include "kawara/hw/cost_command.h"
#include "kawara/hw/fidelity.h"
#include "kawara/hw/sequences.h"
#include "manual.h"

namespace kawara::manual {

namespace {

struct Instruction {
  unsigned code;
  std::string_view name, form;
  unsigned types;
  std::string_view effect;
};
constexpr Instruction kInstructions[] = {
#define INSTR(code, name, form, types, effect) {code, #name, #form, types, effect},
#include "kawara/hw/microcode.def"
};

std::string_view name_of(unsigned op) {
  for (const Instruction& row : kInstructions)
    if (row.code == op) return row.name;
  return "";
}

constexpr std::string_view type_name(kawara_dtype type) {
  switch (type) {
    case KAWARA_DTYPE_none: break;
#define DTYPE(code, name, bits, kind, doc) \
  case KAWARA_DTYPE_##name: return #name;
#include "kawara/hw/dtypes.def"
  }
  return "";
}

std::string types_of(const Instruction& row) {
  std::vector<std::string_view> names;
  for (const kawara_dtype type : {KAWARA_DTYPE_f32, KAWARA_DTYPE_i32, KAWARA_DTYPE_u32, KAWARA_DTYPE_i64})
    if (kawara_computes_in(row.code, type)) names.push_back(type_name(type));
  return fmt::format("{}", fmt::join(names, " "));
}

std::string bound_of(unsigned op) {
  const unsigned bound = kawara_ulp_bound(op);
  return bound == 0 ? "" : fmt::format("{:.3f} ULP", bound / 1000.0);
}

std::string link_to_sequence(std::string_view name) { return link_to(fmt::format("Sequence {}", name)); }

std::string source(const StepSource& source) {
  switch (source.kind) {
    case StepSource::Kind::none: return "";
    case StepSource::Kind::argument: return "x";
    case StepSource::Kind::temporary: return fmt::format("t{}", source.value);
    case StepSource::Kind::constant: return fmt::format("{:#x}", source.value);
  }
  return "";
}

// "t2 = mad.f32 t2, t0, 0x3aaec392        0.00133334624": behind the constants of a float instruction stands what they are.
std::string line(const SequenceStep& step) {
  std::string text = fmt::format("t{} = {}.{} ", step.dst, name_of(step.op), type_name(step.type)), values;
  const char* separator = "";
  for (const StepSource& operand : {step.a, step.b, step.c}) {
    if (operand.kind == StepSource::Kind::none) continue;
    text += separator + source(operand);
    separator = ", ";
    if (operand.kind == StepSource::Kind::constant && step.type == KAWARA_DTYPE_f32)
      values += fmt::format(" {:.9g}", std::bit_cast<float>(operand.value));
  }
  return values.empty() ? text : fmt::format("{:<48}{}", text, values);
}

}  // namespace

void add_microcode(Page& page) {
  const HeaderText table("microcode.def");
  page.chapter("Microcode");
  page.paragraph("A section's instructions are " + link_to("kawara_instr") + "s: `dst`, up to three operands, a type and `imm`.");
  table.quote(page, "form ");
  table.quote(page, "A register holds");
  table.quote(page, "Reductions:");
  table.quote(page, "Rounding is");
  page.paragraph(
      "Integers are exact, and each operation on floats is correctly rounded; only published sequences have an error of their own.\n"
      "Cycles are a lane's, in 32 bits; in 64 bits they are twice as many.");
  Page::Rows rows;
  for (const Instruction& row : kInstructions) {
    const kawara_instr instr{.op = static_cast<uint8_t>(row.code), .dst = 0, .a = 0, .b = 0, .c = 0, .type = KAWARA_DTYPE_f32, .imm = 0};
    const std::string bound = bound_of(row.code);
    rows.push_back({std::to_string(row.code), code(fmt::format("KAWARA_OP_{}", row.name)),
                    bound.empty() ? std::string(row.form) : fmt::format("[{}](#sequence-{})", row.form, row.name), types_of(row),
                    words(row.effect), bound, std::to_string(kawara_instr_cycles(&instr))});
  }
  page.table({"code", "name", "form", "types", "effect", "error", "cycles"}, rows);
}

void add_sequences(Page& page) {
  const HeaderText table("sequences.def");
  page.chapter("Published sequences");
  table.quote(page, "The published sequences:");
  table.quote(page, "A bound is");
  table.quote(page, "NaN gives");
  page.paragraph(
      "Below, `x` is the argument and `t0` to `t7` are temporaries; the result is what the last step leaves. Behind the steps\n"
      "of floats stand their constants in decimal.");
  struct Sequence {
    kawara_microcode op;
    std::string_view name;
    unsigned ulp_times_1000;
    float low, high;
    std::string_view doc;
  };
  constexpr Sequence sequences[] = {
#define SEQUENCE(name, ulp_times_1000, low, high, doc) {KAWARA_OP_##name, #name, ulp_times_1000, low, high, doc},
#include "kawara/hw/sequences.def"
  };
  Page::Rows rows;
  for (const Sequence& row : sequences)
    rows.push_back({link_to_sequence(row.name), words(row.doc), bound_of(row.op), fmt::format("{:.9g} to {:.9g}", row.low, row.high),
                    std::to_string(steps_of(static_cast<uint8_t>(row.op)).size())});
  page.table({"sequence", "function", "error", "arguments", "steps"}, rows);
  for (const Sequence& row : sequences) {
    page.section(fmt::format("Sequence {}", row.name));
    std::vector<std::string> lines;
    for (const SequenceStep& step : steps_of(static_cast<uint8_t>(row.op))) lines.push_back(line(step));
    page.block(fmt::format("{}", fmt::join(lines, "\n")));
  }
}

void add_fidelity(Page& page) {
  page.chapter("How near the numbers are");
  HeaderText("fidelity.h").quote(page);
}

}  // namespace kawara::manual
