// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/region_uses.h"

#include "kawara/hw/decode.h"
#include "kawara/hw/rows.h"

namespace kawara::emulator {
namespace {

struct Uses {
  std::span<const std::byte> commands;
  std::span<const uint32_t> offsets;
  std::vector<RegionUse>& regions;
  uint32_t command = 0;
  bool computes = false;

  void add(uint64_t operand, uint32_t field, bool write) {
    const uint32_t region = kawara_operand_region(operand);
    if (region >= regions.size()) return;  // absent
    RegionUse& use = regions[region];
    const OperandPlace place{command, field};
    auto& kind = write ? use.written : use.read;
    if (!kind) kind = place;
    if (computes && !use.computed) use.computed = place;
  }

  // Every operand of a struct and of the structs in it. Commands write through `dst` and the output streams only.
  void add_struct(const hw::StructRow& row, const std::byte* bytes, uint32_t at) {
    for (const hw::Field& field : row.fields) {
      if (field.kind == hw::Kind::structure) {
        add_struct(*hw::find_struct(field.type), bytes + field.offset, at + field.offset);
      } else if (field.kind == hw::Kind::operand) {
        add(static_cast<uint64_t>(hw::read_value(field, bytes + field.offset)), at + field.offset, field.name == "dst");
      }
    }
  }

  void add_command(uint32_t index) {
    const hw::CommandView view(commands, offsets[index]);
    const hw::CommandRow& row = *hw::find_command(view.header().opcode);
    command = index;
    computes = view.engine() == KAWARA_ENGINE_ME || view.engine() == KAWARA_ENGINE_VE;
    add_struct(*row.body, view.bytes().data(), 0);
    if (!row.section) return;
    const hw::SectionView section = view.section();
    for (const kawara_stream& stream : section.streams()) {
      const auto field = reinterpret_cast<const std::byte*>(&stream.data) - view.bytes().data();
      add(stream.data, static_cast<uint32_t>(field), &stream >= section.outputs().data());
    }
  }
};

}  // namespace

std::vector<RegionUse> region_uses(std::span<const std::byte> commands, std::span<const uint32_t> offsets, size_t regions) {
  std::vector<RegionUse> used(regions);
  Uses uses{commands, offsets, used};
  for (uint32_t index = 0; index < offsets.size(); ++index) uses.add_command(index);
  return used;
}

}  // namespace kawara::emulator
