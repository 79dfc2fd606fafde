// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_code.h"

#include <vector>

namespace kawara::emulator::vulkan {

Id LaneCode::pushed_address(uint32_t word) {
  const Id u64 = b_.u64_type;
  const auto widened = [&](uint32_t number) { return b_.op(spv::OpUConvert, u64, {b_.pushed_word(b_.u32(number))}); };
  const Id low = widened(word), high = b_.op(spv::OpShiftLeftLogical, u64, {widened(word + 1), b_.u32(32)});
  return b_.op(spv::OpBitwiseOr, u64, {high, low});
}

// A digit that the shader's own numbers give is not known to be the same in all lanes; what push constants hold is.
Id LaneCode::number(Id digit) {
  const Id masked = b_.op(spv::OpBitwiseAnd, b_.u32_type, {digit, b_.u32(kNumbers - 1)});
  return b_.pushed_word(b_.op(spv::OpIAdd, b_.u32_type, {masked, b_.u32(table_)}));
}

Id LaneCode::workgroup(uint32_t digits) {
  const Id known = b_.workgroup(0);
  Id result = number(known);
  for (uint32_t shift = 4; shift < 4 * digits; shift += 4) {
    const Id digit = b_.op(spv::OpShiftLeftLogical, b_.u32_type, {number(shifted_right(known, shift)), b_.u32(shift)});
    result = b_.op(spv::OpIAdd, b_.u32_type, {result, digit});
  }
  return result;
}

// lavapipe knows it as it is; from the number of an invocation it would be divided out lane by lane.
Id LaneCode::subgroup() { return number(b_.subgroup()); }

Id LaneCode::lane() {
  if (lane_ == Id::none) lane_ = b_.lane_of_subgroup();
  return lane_;
}

Id LaneCode::exchanged(Id value, uint32_t bit) {
  return b_.op(spv::OpGroupNonUniformShuffleXor, b_.u32_type, {b_.u32(spv::ScopeSubgroup), value, b_.u32(bit)});
}

Id LaneCode::neighbours(Id address, Id type, uint32_t size, uint32_t alignment) {
  std::vector<Id> values;
  for (uint32_t i = 0; i < lanes_; ++i)
    values.push_back(b_.load_at(i == 0 ? address : b_.op(spv::OpIAdd, b_.u64_type, {address, b_.u64(i * size)}), type, alignment));
  Id value = values[0];
  for (uint32_t i = 1; i < lanes_; ++i) value = b_.select(b_.op(spv::OpIEqual, b_.bool_type, {lane(), b_.u32(i)}), values[i], value, type);
  return value;
}

}  // namespace kawara::emulator::vulkan
