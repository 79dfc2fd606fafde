// SPDX-License-Identifier: Apache-2.0
#include "encode_command.h"

#include "kawara/hw/encode.h"

namespace kawara::compiler {

namespace {

void resolve(const Command& command, const Locate& locate, uint64_t& operand) {
  if (operand == KAWARA_OPERAND_ABSENT) return;
  const uint64_t place = locate(command.buffers.at(kawara_operand_region(operand)));
  operand = hw::operand(kawara_operand_region(place), kawara_operand_offset(place) + kawara_operand_offset(operand));
}

std::vector<std::byte> encode(const Command& command, const Locate* locate) {
  auto section = command.section;
  if (section && locate)
    for (kawara_stream& stream : section->streams) resolve(command, *locate, stream.data);
  return std::visit(
      [&](auto body) {
        if (locate) {
          resolve(command, *locate, body.header.limit);
          if constexpr (requires { body.group_table; }) {
            for (kawara_matrix* matrix : {&body.a, &body.b}) resolve(command, *locate, matrix->data);
          } else if constexpr (requires { body.kernel; }) {
            resolve(command, *locate, body.a);
            resolve(command, *locate, body.b);
          } else if constexpr (requires { body.src_extent; }) {
            resolve(command, *locate, body.src);
            resolve(command, *locate, body.dst);
          }
        }
        body.header.engine = static_cast<uint8_t>(command.engine);
        body.header.debug_id = command.debug_id;
        if (command.switch_point) body.header.flags |= KAWARA_HEADER_SWITCH_POINT;
        std::ranges::copy(command.waits, body.header.wait);
        return hw::encode(body, section ? &*section : nullptr);
      },
      command.body);
}

}  // namespace

std::vector<std::byte> encode(const Command& command, const Locate& locate) { return encode(command, &locate); }

std::vector<std::byte> encode_unplaced(const Command& command) { return encode(command, nullptr); }

}  // namespace kawara::compiler
