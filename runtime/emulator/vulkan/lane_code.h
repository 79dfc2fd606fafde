// SPDX-License-Identifier: Apache-2.0
// What the shaders for software devices share: ways to write code that lavapipe compiles well, see lane_product_shader.h.
#pragma once

#include "emulator/vulkan/spirv_builder.h"

namespace kawara::emulator::vulkan {

class LaneCode {
 public:
  static constexpr uint32_t kNumbers = 16;

  // table: the first of kNumbers pushed words, each its own number. lanes: of a subgroup.
  LaneCode(SpirvBuilder& builder, uint32_t table, uint32_t lanes) : b_(builder), table_(table), lanes_(lanes) {}

  // The u64 in two pushed words.
  Id pushed_address(uint32_t word);

  // Numbers below 16^digits that are the same in all lanes, made known as such: of the workgroup, of the subgroup in it.
  Id workgroup(uint32_t digits);
  Id subgroup();

  // One element for each lane, neighbours in memory from the address on: `size` bytes each, aligned so.
  Id neighbours(Id address, Id type, uint32_t size, uint32_t alignment);
  Id lane();
  // What the lane holds whose number differs in the one bit; u32.
  Id exchanged(Id value, uint32_t bit);

 private:
  Id number(Id digit);
  Id shifted_right(Id value, uint32_t by) { return b_.op(spv::OpShiftRightLogical, b_.u32_type, {value, b_.u32(by)}); }

  SpirvBuilder& b_;
  uint32_t table_, lanes_;
  Id lane_ = Id::none;
};

}  // namespace kawara::emulator::vulkan
