// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "header_text.h"
#include "kawara/hw/hw.h"
#include "manual.h"

namespace kawara::manual {

namespace {

struct Field {
  std::string_view block, reg, name;
  unsigned high, low;
  std::string_view doc;
};
constexpr Field kFields[] = {
#define FIELD(block, reg, name, high, low, doc) {#block, #reg, #name, high, low, doc},
#include "kawara/hw/registers.def"
};

struct Register {
  std::string_view block, name;
  uint32_t offset;
  std::string_view access;
  uint32_t reset;
  std::string_view doc;
};
constexpr Register kRegisters[] = {
#define REGISTER(block, name, offset, access, reset, doc) {#block, #name, offset, #access, reset, doc},
#include "kawara/hw/registers.def"
};

struct Block {
  std::string_view name;
  uint32_t base, stride, count;
  std::string_view doc;
};
constexpr Block kBlocks[] = {
#define BLOCK(name, base, stride, count, doc) {#name, base, stride, count, doc},
#include "kawara/hw/registers.def"
};

std::string bits(unsigned high, unsigned low) { return high == low ? fmt::format("{}", high) : fmt::format("{}..{}", high, low); }

std::string title(const Block& block) { return fmt::format("Block {}", block.name); }

void add_block(Page& page, const Block& block) {
  page.section(title(block));
  if (block.count == 1)
    page.paragraph(fmt::format("{}. It starts at {}.", words(block.doc), code(fmt::format("{:#x}", block.base))));
  else
    page.paragraph(fmt::format("{}. There are {}; number i starts at {}.", words(block.doc), block.count,
                               code(fmt::format("{:#x} + {:#x} * i", block.base, block.stride))));
  Page::Rows rows;
  for (const Register& reg : kRegisters) {
    if (reg.block != block.name) continue;
    rows.push_back({code(fmt::format("{:#05x}", reg.offset)), "", code(fmt::format("KAWARA_{}_{}", reg.block, reg.name)),
                    std::string(reg.access), code(fmt::format("{:#x}", reg.reset)), words(reg.doc)});
    for (const Field& field : kFields)
      if (field.block == reg.block && field.reg == reg.name)
        rows.push_back({"", bits(field.high, field.low), code(fmt::format("KAWARA_{}_{}_{}", field.block, field.reg, field.name)), "", "",
                        words(field.doc)});
  }
  page.table({"offset", "bits", "name", "access", "reset", "meaning"}, rows);
}

}  // namespace

void add_registers(Page& page) {
  const HeaderText table("registers.def"), hw("hw.h");
  page.chapter("Registers");
  page.paragraph(
      "All registers lie in BAR0. A register's name stands for its offset in its block, a field's name for the mask of its bits;\n"
      "`KAWARA_REGISTER(QUEUE, 3, TAIL)` is the address of one register, `KAWARA_GET(value, QUEUE_STATE_CONTEXT)` takes a field out of\n"
      "a value, and `KAWARA_PUT(QUEUE_CONTROL_VECTOR, 2)` puts one into its place. Other bits are zero.");
  table.quote(page, "access:");
  table.quote(page, "A 64-bit value");
  Page::Rows rows;
  for (const Block& block : kBlocks)
    rows.push_back({link_to(title(block)), code(fmt::format("{:#x}", block.base)), code(fmt::format("{:#x}", block.stride)),
                    std::to_string(block.count), words(block.doc)});
  page.table({"block", "base", "stride", "count", "what it is"}, rows);
  add_constants(page, hw.defines({"KAWARA_BAR0_"}));
  for (const Block& block : kBlocks) add_block(page, block);

  page.section("Constants of registers");
  page.paragraph("What `KAWARA_QUEUE_STATE_STATE` shows:");
  add_constants(page, hw.enumerators("kawara_queue_state"));
  page.paragraph("The engines, as faults, commands and waits number them:");
  add_constants(page, hw.enumerators("kawara_engine"));
  page.paragraph("What `KAWARA_GLOBAL_RESET` takes, and the interrupt vectors:");
  add_constants(page, hw.defines({"KAWARA_RESET_", "KAWARA_VECTOR"}));
  page.paragraph("What `KAWARA_QUEUE_RING_SIZE_LOG2_PACKETS` may be:");
  add_constants(page, hw.defines({"KAWARA_RING_LOG2_"}));
}

}  // namespace kawara::manual
