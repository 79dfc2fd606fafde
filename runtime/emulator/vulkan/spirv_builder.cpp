// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/spirv_builder.h"

namespace kawara::emulator::vulkan {

namespace {
constexpr uint32_t kVersion = 0x00010500;  // SPIR-V 1.5, Vulkan 1.2

uint32_t alignment_of(const SpirvBuilder& builder, Id type) {
  return type == builder.u8_type ? 1 : type == builder.u16_type ? 2 : type == builder.u32_type || type == builder.f32_type ? 4 : 8;
}
}  // namespace

SpirvBuilder::SpirvBuilder(uint32_t local_size, uint32_t pushed_words) : local_size_(local_size) {
  library_ = fresh();
  main_ = fresh();
  entry_ = fresh();
  void_type = declare(spv::OpTypeVoid, {});
  bool_type = declare(spv::OpTypeBool, {});
  u8_type = declare(spv::OpTypeInt, {8, 0});
  u16_type = declare(spv::OpTypeInt, {16, 0});
  u32_type = declare(spv::OpTypeInt, {32, 0});
  u64_type = declare(spv::OpTypeInt, {64, 0});
  f32_type = declare(spv::OpTypeFloat, {32});
  u32x3_type_ = declare(spv::OpTypeVector, {raw(u32_type), 3});
  product_type_ = declare(spv::OpTypeStruct, {raw(u32_type), raw(u32_type)});
  main_type_ = declare(spv::OpTypeFunction, {raw(void_type)});

  Id pushed = u64_type;
  if (pushed_words > 0) {
    pushed = declare(spv::OpTypeArray, {raw(u32_type), raw(u32(pushed_words))});
    append(decorations_, spv::OpDecorate, {raw(pushed), spv::DecorationArrayStride, 4});
  }
  const Id block = declare(spv::OpTypeStruct, {raw(pushed)});
  append(decorations_, spv::OpDecorate, {raw(block), spv::DecorationBlock});
  append(decorations_, spv::OpMemberDecorate, {raw(block), 0, spv::DecorationOffset, 0});
  const auto global = [&](spv::StorageClass storage, Id type) {
    const Id pointer = pointer_type(storage, type), result = fresh();
    append(globals_, spv::OpVariable, {raw(pointer), raw(result), static_cast<uint32_t>(storage)});
    return result;
  };
  push_constant_ = global(spv::StorageClassPushConstant, block);
  workgroup_ = global(spv::StorageClassInput, u32x3_type_);
  local_index_ = global(spv::StorageClassInput, u32_type);
  append(decorations_, spv::OpDecorate, {raw(workgroup_), spv::DecorationBuiltIn, spv::BuiltInWorkgroupId});
  append(decorations_, spv::OpDecorate, {raw(local_index_), spv::DecorationBuiltIn, spv::BuiltInLocalInvocationIndex});
  if (pushed_words == 0) return;
  lane_ = global(spv::StorageClassInput, u32_type);
  append(decorations_, spv::OpDecorate, {raw(lane_), spv::DecorationBuiltIn, spv::BuiltInSubgroupLocalInvocationId});
  subgroup_ = global(spv::StorageClassInput, u32_type);
  append(decorations_, spv::OpDecorate, {raw(subgroup_), spv::DecorationBuiltIn, spv::BuiltInSubgroupId});
}

void SpirvBuilder::append(std::vector<uint32_t>& to, spv::Op opcode, const std::vector<uint32_t>& operands) {
  to.push_back(static_cast<uint32_t>(operands.size() + 1) << 16 | static_cast<uint32_t>(opcode));
  to.insert(to.end(), operands.begin(), operands.end());
}

Id SpirvBuilder::declare(spv::Op opcode, std::vector<uint32_t> operands) {
  std::vector<uint32_t> key{static_cast<uint32_t>(opcode)};
  key.insert(key.end(), operands.begin(), operands.end());
  if (const auto found = declared_.find(key); found != declared_.end()) return found->second;
  const Id result = fresh();
  operands.insert(operands.begin(), raw(result));
  append(globals_, opcode, operands);
  declared_.emplace(std::move(key), result);
  return result;
}

Id SpirvBuilder::pointer_type(spv::StorageClass storage, Id pointee) {
  return declare(spv::OpTypePointer, {static_cast<uint32_t>(storage), raw(pointee)});
}

Id SpirvBuilder::constant(Id type, std::vector<uint32_t> words) {
  std::vector<uint32_t> key{spv::OpConstant, raw(type)};
  key.insert(key.end(), words.begin(), words.end());
  if (const auto found = declared_.find(key); found != declared_.end()) return found->second;
  const Id result = fresh();
  words.insert(words.begin(), {raw(type), raw(result)});
  append(globals_, spv::OpConstant, words);
  declared_.emplace(std::move(key), result);
  return result;
}

Id SpirvBuilder::u32(uint32_t value) { return constant(u32_type, {value}); }
Id SpirvBuilder::u64(uint64_t value) { return constant(u64_type, {static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32)}); }
Id SpirvBuilder::f32_bits(uint32_t bits) { return constant(f32_type, {bits}); }

Id SpirvBuilder::op(spv::Op opcode, Id type, std::initializer_list<Id> operands) {
  const Id result = fresh();
  std::vector<uint32_t> words{raw(type), raw(result)};
  for (const Id operand : operands) words.push_back(raw(operand));
  emit(opcode, words);
  return result;
}

Id SpirvBuilder::extended(uint32_t instruction, Id type, std::initializer_list<Id> operands) {
  const Id result = fresh();
  std::vector<uint32_t> words{raw(type), raw(result), raw(library_), instruction};
  for (const Id operand : operands) words.push_back(raw(operand));
  emit(spv::OpExtInst, words);
  append(decorations_, spv::OpDecorate, {raw(result), spv::DecorationNoContraction});
  return result;
}

Id SpirvBuilder::exact(spv::Op opcode, Id a, Id b) {
  const Id result = op(opcode, f32_type, {a, b});
  append(decorations_, spv::OpDecorate, {raw(result), spv::DecorationNoContraction});
  return result;
}

Id SpirvBuilder::high_product(Id a, Id b) {
  const Id both = op(spv::OpUMulExtended, product_type_, {a, b});
  const Id result = fresh();
  emit(spv::OpCompositeExtract, {raw(u32_type), raw(result), raw(both), 1});
  return result;
}

Id SpirvBuilder::quotient(Id n, Id magic, Id shift) {
  const Id twice = op(spv::OpShiftLeftLogical, u32_type, {n, u32(1)});
  return op(spv::OpShiftRightLogical, u32_type, {high_product(twice, magic), shift});
}

Id SpirvBuilder::load_at(Id address, Id type, uint32_t alignment) {
  const Id pointer = op(spv::OpConvertUToPtr, pointer_type(spv::StorageClassPhysicalStorageBuffer, type), {address});
  const Id result = fresh();
  emit(spv::OpLoad,
       {raw(type), raw(result), raw(pointer), spv::MemoryAccessAlignedMask, alignment ? alignment : alignment_of(*this, type)});
  return result;
}

void SpirvBuilder::store_at(Id address, Id type, Id value, uint32_t alignment) {
  const Id pointer = op(spv::OpConvertUToPtr, pointer_type(spv::StorageClassPhysicalStorageBuffer, type), {address});
  emit(spv::OpStore, {raw(pointer), raw(value), spv::MemoryAccessAlignedMask, alignment ? alignment : alignment_of(*this, type)});
}

void SpirvBuilder::atomic_at(spv::Op opcode, Id address, Id value) {
  const Id pointer = op(spv::OpConvertUToPtr, pointer_type(spv::StorageClassPhysicalStorageBuffer, u32_type), {address});
  op(opcode, u32_type, {pointer, u32(spv::ScopeDevice), u32(spv::MemorySemanticsMaskNone), value});
}

Id SpirvBuilder::variable(Id type) {
  const Id pointer = pointer_type(spv::StorageClassFunction, type), result = fresh();
  append(variables_, spv::OpVariable, {raw(pointer), raw(result), spv::StorageClassFunction});
  return result;
}

Id SpirvBuilder::array_variable(Id type, uint32_t length) { return variable(declare(spv::OpTypeArray, {raw(type), raw(u32(length))})); }

Id SpirvBuilder::element(Id array, Id type, Id index) {
  return op(spv::OpAccessChain, pointer_type(spv::StorageClassFunction, type), {array, index});
}

Id SpirvBuilder::push_constant_address() {
  const Id pointer = op(spv::OpAccessChain, pointer_type(spv::StorageClassPushConstant, u64_type), {push_constant_, u32(0)});
  return load(pointer, u64_type);
}

Id SpirvBuilder::pushed_word(Id index) {
  return load(op(spv::OpAccessChain, pointer_type(spv::StorageClassPushConstant, u32_type), {push_constant_, u32(0), index}), u32_type);
}

Id SpirvBuilder::lane_of_subgroup() { return load(lane_, u32_type); }
Id SpirvBuilder::subgroup() { return load(subgroup_, u32_type); }

Id SpirvBuilder::workgroup(uint32_t axis) {
  const Id pointer = op(spv::OpAccessChain, pointer_type(spv::StorageClassInput, u32_type), {workgroup_, u32(axis)});
  return load(pointer, u32_type);
}

Id SpirvBuilder::local_index() { return load(local_index_, u32_type); }

void SpirvBuilder::open(Id label) { emit(spv::OpLabel, {raw(label)}); }
void SpirvBuilder::branch(Id label) { emit(spv::OpBranch, {raw(label)}); }
void SpirvBuilder::branch_if(Id condition, Id if_true, Id if_false) {
  emit(spv::OpBranchConditional, {raw(condition), raw(if_true), raw(if_false)});
}
void SpirvBuilder::selection_merge(Id merge) { emit(spv::OpSelectionMerge, {raw(merge), spv::SelectionControlMaskNone}); }
void SpirvBuilder::loop_merge(Id merge, Id next) { emit(spv::OpLoopMerge, {raw(merge), raw(next), spv::LoopControlDontUnrollMask}); }

std::vector<uint32_t> SpirvBuilder::finish() {
  emit(spv::OpReturn, {});
  std::vector<uint32_t> words{spv::MagicNumber, kVersion, 0, next_, 0};
  for (const auto capability :
       {spv::CapabilityShader, spv::CapabilityPhysicalStorageBufferAddresses, spv::CapabilityInt64, spv::CapabilityInt16,
        spv::CapabilityInt8, spv::CapabilityStorageBuffer16BitAccess, spv::CapabilityStorageBuffer8BitAccess,
        spv::CapabilitySignedZeroInfNanPreserve, spv::CapabilityRoundingModeRTE})
    append(words, spv::OpCapability, {static_cast<uint32_t>(capability)});
  if (lane_ != Id::none)
    for (const auto capability : {spv::CapabilityGroupNonUniform, spv::CapabilityGroupNonUniformShuffle})
      append(words, spv::OpCapability, {static_cast<uint32_t>(capability)});
  append(words, spv::OpExtInstImport, {raw(library_), 0x4c534c47, 0x6474732e, 0x3035342e, 0});  // "GLSL.std.450"
  append(words, spv::OpMemoryModel, {spv::AddressingModelPhysicalStorageBuffer64, spv::MemoryModelGLSL450});
  std::vector<uint32_t> entry{spv::ExecutionModelGLCompute, raw(main_), 0x6e69616d, 0};  // "main"
  for (const Id variable : {push_constant_, workgroup_, local_index_, lane_, subgroup_})
    if (variable != Id::none) entry.push_back(raw(variable));
  append(words, spv::OpEntryPoint, entry);
  append(words, spv::OpExecutionMode, {raw(main_), spv::ExecutionModeLocalSize, local_size_, 1, 1});
  append(words, spv::OpExecutionMode, {raw(main_), spv::ExecutionModeSignedZeroInfNanPreserve, 32});
  append(words, spv::OpExecutionMode, {raw(main_), spv::ExecutionModeRoundingModeRTE, 32});
  words.insert(words.end(), decorations_.begin(), decorations_.end());
  words.insert(words.end(), globals_.begin(), globals_.end());
  append(words, spv::OpFunction, {raw(void_type), raw(main_), spv::FunctionControlMaskNone, raw(main_type_)});
  append(words, spv::OpLabel, {raw(entry_)});
  words.insert(words.end(), variables_.begin(), variables_.end());
  words.insert(words.end(), code_.begin(), code_.end());
  append(words, spv::OpFunctionEnd, {});
  return words;
}

}  // namespace kawara::emulator::vulkan
