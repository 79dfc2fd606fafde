// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "header_text.h"
#include "kawara/hw/hw.h"
#include "manual.h"

namespace kawara::manual {

namespace {

struct PacketField {
  std::string_view packet, name;
  unsigned word, high, low;  // high 63: words word and word + 1
  std::string_view doc;
};
constexpr PacketField kPacketFields[] = {
#define PACKET_FIELD(packet, name, word, high, low, doc) {#packet, #name, word, high, low, doc},
#define PACKET_FIELD64(packet, name, word, doc) {#packet, #name, word, 63, 0, doc},
#include "kawara/hw/packets.def"
};

struct Packet {
  unsigned opcode;
  std::string_view name, doc;
};
constexpr Packet kPackets[] = {
#define PACKET(opcode, name, doc) {opcode, #name, doc},
#include "kawara/hw/packets.def"
};

struct Member {
  std::string_view owner;
  unsigned offset;
  std::string_view type, name;
  unsigned count;  // 0: one value
  std::string_view doc;
};
constexpr Member kMembers[] = {
#define MEMBER(struct_, offset, type, name, doc) {#struct_, offset, #type, #name, 0, doc},
#define RESERVED(struct_, offset, type, name, count) {#struct_, offset, #type, #name, count, "Zero"},
#include "kawara/hw/structs.def"
};

struct Struct {
  std::string_view name;
  unsigned bytes;
  std::string_view doc;
};
constexpr Struct kStructs[] = {
#define STRUCT(name, bytes, doc) {#name, bytes, doc},
#include "kawara/hw/structs.def"
};

void add_packet(Page& page, const Packet& packet) {
  page.section(fmt::format("Packet {}", packet.name));
  page.paragraph(fmt::format("{}. {} is {}.", words(packet.doc), code(fmt::format("KAWARA_PACKET_{}", packet.name)),
                             code(std::to_string(packet.opcode))));
  Page::Rows rows;
  for (const PacketField& field : kPacketFields) {
    if (field.packet != packet.name) continue;
    const bool wide = field.high == 63;
    rows.push_back({wide ? fmt::format("{}, {}", field.word, field.word + 1) : std::to_string(field.word),
                    field.high == field.low ? std::to_string(field.high) : fmt::format("{}..{}", field.high, field.low),
                    code(fmt::format("KAWARA_{}_{}{}", field.packet, field.name, wide ? "_WORD" : "")), words(field.doc)});
  }
  page.table({"word", "bits", "name", "meaning"}, rows);
}

void add_struct(Page& page, const Struct& row) {
  page.section(fmt::format("kawara_{}", row.name));
  page.paragraph(fmt::format("{}. {} bytes.", words(row.doc), row.bytes));
  Page::Rows rows;
  for (const Member& member : kMembers)
    if (member.owner == row.name)
      rows.push_back({std::to_string(member.offset),
                      code(member.count == 0 ? std::string(member.type) : fmt::format("{}[{}]", member.type, member.count)),
                      code(member.name), words(member.doc)});
  page.table({"offset", "type", "member", "meaning"}, rows);
}

}  // namespace

void add_memory(Page& page) {
  const HeaderText hw("hw.h");
  page.chapter("Ring packets");
  HeaderText("packets.def").quote(page, "Ring packets");
  page.paragraph(
      "A driver writes packets behind those that are there and moves `KAWARA_QUEUE_TAIL`; the chip takes them in order. A field's name\n"
      "is the mask of its bits in its word, `KAWARA_RUN_CONTEXT_WORD` says which word that is, and `KAWARA_RUN_CONTEXT_LOW` its lowest\n"
      "bit. Of 64 bits there is the number of the low word alone.");
  for (const Packet& packet : kPackets) add_packet(page, packet);

  page.chapter("Structs in memory");
  HeaderText("structs.def").quote(page, "What chip and driver tell");
  for (const Struct& row : kStructs) {
    add_struct(page, row);
    if (row.name == "region") add_constants(page, hw.defines({"KAWARA_REGION_"}));
  }
  page.section("Page tables");
  HeaderText("page_table.h").quote(page);
  add_constants(page, hw.defines({"KAWARA_PTE_", "KAWARA_PAGE_BYTES", "KAWARA_LARGE_PAGE_BYTES", "KAWARA_VA_"}));
}

}  // namespace kawara::manual
