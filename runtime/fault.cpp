// SPDX-License-Identifier: Apache-2.0
#include "kawara/fault.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "kawara/hw/field_name.h"
#include "kawara/hw/hw.h"

namespace kawara {
namespace {

struct FaultRow {
  uint32_t code;
  std::string_view name, cause, remedy;
};
constexpr FaultRow kFaults[] = {
#define FAULT_ROW(code, name, cause, remedy) {code, #name, cause, remedy},
#include "kawara/hw/faults.def"
};

constexpr std::string_view kEngines[] = {"command processor", "matrix engine", "vector engine", "DMA in", "DMA out"};

// Which command starts at the byte offset, counted from 0. The buffer is not to be trusted.
std::optional<uint32_t> index_of(uint32_t offset, std::span<const std::byte> commands) {
  uint32_t index = 0;
  size_t at = 0;
  while (at + sizeof(kawara_header) <= commands.size() && at < offset) {
    kawara_header header;
    std::memcpy(&header, commands.data() + at, sizeof header);
    if (header.size16 == 0) return std::nullopt;
    at += header.size16 * size_t{16};
    ++index;
  }
  if (at != offset || at + sizeof(kawara_header) > commands.size()) return std::nullopt;
  return index;
}

std::string place(const Fault& fault, std::span<const std::byte> commands) {
  const auto index = index_of(fault.command, commands);
  if (!index) return fmt::format("command at byte {:#x}, field at byte {}", fault.command, fault.field);
  const auto command = commands.subspan(fault.command);
  const hw::CommandRow* row = hw::find_command(std::to_integer<uint32_t>(command[0]));
  const std::string field = hw::field_name(command, fault.field);
  return fmt::format("command {} ({}) at byte {:#x}, field {} at byte {}", *index, row ? row->name : "unknown", fault.command,
                     field.empty() ? "?" : field, fault.field);
}

// Faults of the packet itself come before any command is read.
bool in_a_command(uint32_t code) {
  return code != KAWARA_FAULT_bad_doorbell && code != KAWARA_FAULT_bad_packet && code != KAWARA_FAULT_context_invalid;
}

}  // namespace

std::string describe(const Fault& fault, std::span<const std::byte> commands) {
  const auto row = std::ranges::find(kFaults, fault.code, &FaultRow::code);
  if (row == std::end(kFaults)) return fmt::format("fault {}, which this version does not know", fault.code);
  std::string text = fmt::format("{}: {}", row->name, row->cause);
  if (in_a_command(fault.code)) text += "; " + place(fault, commands);
  if (fault.engine > 0 && fault.engine < std::size(kEngines)) text += fmt::format(", {}", kEngines[fault.engine]);
  if (fault.address) text += fmt::format(", {} address {:#x}", fault.write ? "writing" : "reading", fault.address);
  if (fault.debug_id) text += fmt::format(", debug_id {}", fault.debug_id);
  return text + fmt::format(". {}", row->remedy);
}

}  // namespace kawara
