// SPDX-License-Identifier: Apache-2.0
// Writes one compute shader as SPIR-V words: types and constants once each, code block by block.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <utility>
#include <vector>

#include <spirv/unified1/spirv.hpp>

namespace kawara::emulator::vulkan {

enum class Id : uint32_t { none = 0 };

class SpirvBuilder {
 public:
  // Opens main() and its first block. pushed_words: as many u32 are the push constants; none: one address is.
  explicit SpirvBuilder(uint32_t local_size, uint32_t pushed_words = 0);

  // Types. Integers carry no sign: the operation decides.
  Id void_type, bool_type, u8_type, u16_type, u32_type, u64_type, f32_type;

  Id u32(uint32_t value);
  Id u64(uint64_t value);
  Id f32_bits(uint32_t bits);
  Id integer(Id type, uint64_t value) { return type == u64_type ? u64(value) : u32(static_cast<uint32_t>(value)); }

  // Instructions in the current block.
  Id op(spv::Op opcode, Id type, std::initializer_list<Id> operands);
  Id extended(uint32_t instruction, Id type, std::initializer_list<Id> operands);  // GLSL.std.450
  Id exact(spv::Op opcode, Id a, Id b);                                            // f32, not to be contracted
  Id select(Id condition, Id if_true, Id if_false, Id type) { return op(spv::OpSelect, type, {condition, if_true, if_false}); }
  Id high_product(Id a, Id b);            // of u32
  Id quotient(Id n, Id magic, Id shift);  // by the divisor of magic_divisor.h

  // Memory at a 64-bit address; `type` is u8, u16, u32, u64 or f32, and the address is a multiple of `alignment`: 0 is its size.
  Id load_at(Id address, Id type, uint32_t alignment = 0);
  void store_at(Id address, Id type, Id value, uint32_t alignment = 0);
  void atomic_at(spv::Op opcode, Id address, Id value);  // u32, relaxed

  // Variables of the function. An array has `length` u32 or u64 elements.
  Id variable(Id type);
  Id array_variable(Id type, uint32_t length);
  Id element(Id array, Id type, Id index);
  Id load(Id variable, Id type) { return op(spv::OpLoad, type, {variable}); }
  void store(Id variable, Id value) { emit(spv::OpStore, {raw(variable), raw(value)}); }

  // The shader's inputs.
  Id push_constant_address();  // without pushed words
  Id pushed_word(Id index);    // with them, as the next
  Id lane_of_subgroup();
  Id subgroup();  // of the workgroup
  Id workgroup(uint32_t axis);
  Id local_index();

  // Control flow. A label is made first and opened as a block later.
  Id label() { return fresh(); }
  void open(Id label);
  void branch(Id label);
  void branch_if(Id condition, Id if_true, Id if_false);
  void selection_merge(Id merge);
  void loop_merge(Id merge, Id next);

  std::vector<uint32_t> finish();  // ends main()

 private:
  static uint32_t raw(Id id) { return static_cast<uint32_t>(id); }
  Id fresh() { return Id{next_++}; }
  static void append(std::vector<uint32_t>& to, spv::Op opcode, const std::vector<uint32_t>& operands);
  void emit(spv::Op opcode, const std::vector<uint32_t>& operands) { append(code_, opcode, operands); }
  Id declare(spv::Op opcode, std::vector<uint32_t> operands);  // a type: result first
  Id pointer_type(spv::StorageClass storage, Id pointee);
  Id constant(Id type, std::vector<uint32_t> words);

  uint32_t next_ = 1;
  uint32_t local_size_;
  std::vector<uint32_t> decorations_, globals_, variables_, code_;
  std::map<std::vector<uint32_t>, Id> declared_;  // opcode and operands -> type or constant
  Id library_, main_, main_type_, entry_;
  Id u32x3_type_, product_type_;
  Id push_constant_, workgroup_, local_index_;
  Id lane_ = Id::none, subgroup_ = Id::none;
};

}  // namespace kawara::emulator::vulkan
