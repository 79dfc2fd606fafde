// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "header_text.h"
#include "kawara/hw/hw.h"
#include "manual.h"

namespace kawara::manual {

namespace {

// Fields of the register FEATURES.
std::string feature_names(uint32_t features) {
  std::string names;
#define FIELD(block, reg, name, high, low, doc) \
  if (std::string_view(#reg) == "FEATURES" && (features >> (low) & 1u) != 0) names += (names.empty() ? "" : ", ") + code(#name);
#include "kawara/hw/registers.def"
  return names;
}

}  // namespace

void add_faults(Page& page) {
  page.chapter("Faults");
  page.paragraph(
      "A fault stops its own queue until the driver resets it. `KAWARA_QUEUE_FAULT` and the registers behind it say what, where and in\n"
      "which field of which command.");
  page.table({"code", "name", "cause", "remedy"}, {
#define FAULT_ROW(code_, name, cause, remedy) {std::to_string(code_), code("KAWARA_FAULT_" #name), words(cause), words(remedy)},
#include "kawara/hw/faults.def"
                                                  });
}

void add_chips(Page& page) {
  page.chapter("Chips of the family");
  page.paragraph(
      "What software must know of a chip, and what its work clock charges by. The three columns behind the clock are bandwidths, in\n"
      "10^9 bytes a second; the last one names what programs for it may use of the register FEATURES.");
  page.table({"chip", "local memory, MiB", "SRAM, KiB", "matrix rows", "matrix columns", "vector lanes", "clock, MHz", "local", "SRAM",
              "PCIe", "FEATURES"},
             {
#define CONFIG(name, spelled, local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s, features) \
  {code(spelled),                                                                                                                        \
   std::to_string(local_mib),                                                                                                            \
   std::to_string(sram_kib),                                                                                                             \
   std::to_string(me_rows),                                                                                                              \
   std::to_string(me_columns),                                                                                                           \
   std::to_string(ve_lanes),                                                                                                             \
   std::to_string(clock_mhz),                                                                                                            \
   std::to_string(local_gb_s),                                                                                                           \
   std::to_string(sram_gb_s),                                                                                                            \
   std::to_string(pcie_gb_s),                                                                                                            \
   feature_names(features)},
#include "kawara/hw/configs.def"
             });
}  // namespace kawara::manual

void add_work_clock(Page& page) {
  page.chapter("The work clock");
  page.paragraph(
      "A job's cycles follow from its commands, the memories of its regions and the chip's row alone, so a compiler knows them before\n"
      "the job runs. Two headers hold the formula as plain C: `cost_command.h` for one command, `cost.h` for a job.");
  page.section("A command");
  HeaderText("cost_command.h").quote(page);
  page.section("A job");
  HeaderText("cost.h").quote(page);
  page.section("Parameters");
  page.table({"name", "value", "meaning"}, {
#define COST(name, value, doc) {code("KAWARA_COST_" #name), std::to_string(value), words(doc)},
#include "kawara/hw/cost.def"
                                           });
}

}  // namespace kawara::manual
