/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Views of commands that have passed kawara_check(): C structs and spans that point into the bytes, nothing copied.
 *
 *   for (uint32_t offset : job.offsets) {
 *     const hw::CommandView command(job.commands, offset);
 *     switch (command.opcode()) {
 *       case KAWARA_COMMAND_gemm: run(command.body<kawara_gemm>(), command.section()); break;
 */
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kawara/hw/layout.h"

namespace kawara::hw {

// A section with its arrays.
class SectionView {
 public:
  explicit SectionView(const kawara_section& section) : arrays_(kawara_view_section(&section)) {}

  const kawara_section& fields() const { return *arrays_.section; }
  std::span<const kawara_stream> streams() const { return {arrays_.streams, size_t{fields().n_in} + fields().n_out}; }
  std::span<const kawara_stream> inputs() const { return streams().first(fields().n_in); }
  std::span<const kawara_stream> outputs() const { return streams().subspan(fields().n_in); }
  std::span<const kawara_coord> coords() const { return {arrays_.coords, fields().n_coord}; }
  std::span<const kawara_coord> coords(const kawara_stream& stream) const {
    return stream.n_coord == 0 ? std::span<const kawara_coord>() : coords().subspan(stream.first_coord, stream.n_coord);
  }
  std::span<const uint32_t> constants() const { return {arrays_.constants, fields().n_const}; }
  std::span<const kawara_phase> phases() const { return {arrays_.phases, fields().n_phase}; }
  std::span<const kawara_instr> instrs() const { return {arrays_.instrs, fields().n_instr}; }

 private:
  kawara_section_arrays arrays_;
};

// One command of a buffer.
class CommandView {
 public:
  // buffer: 16-byte aligned; offset: of a command in it.
  CommandView(std::span<const std::byte> buffer, uint32_t offset)
      : header_(reinterpret_cast<const kawara_header*>(buffer.data() + offset)), offset_(offset) {
    assert(offset + size_t{size_bytes()} <= buffer.size());
  }

  const kawara_header& header() const { return *header_; }
  kawara_opcode opcode() const { return static_cast<kawara_opcode>(header_->opcode); }
  kawara_engine engine() const { return static_cast<kawara_engine>(header_->engine); }
  uint32_t offset() const { return offset_; }
  uint32_t size_bytes() const { return header_->size16 * 16u; }
  std::span<const std::byte> bytes() const { return {reinterpret_cast<const std::byte*>(header_), size_bytes()}; }

  // Body: the struct of the command's row, e.g. kawara_gemm.
  template <typename Body>
  const Body& body() const {
    assert(kawara_body_bytes(header_->opcode) == sizeof(Body));
    return *reinterpret_cast<const Body*>(header_);
  }

  bool has_section() const { return kawara_has_section(header_->opcode) != 0; }
  SectionView section() const {
    assert(has_section());
    const auto* bytes = reinterpret_cast<const std::byte*>(header_);
    return SectionView(*reinterpret_cast<const kawara_section*>(bytes + kawara_body_bytes(header_->opcode)));
  }

 private:
  const kawara_header* header_;
  uint32_t offset_;
};

}  // namespace kawara::hw
