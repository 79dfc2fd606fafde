// SPDX-License-Identifier: Apache-2.0
// Generates the compute shader of a nest: one invocation per point, reductions looped inside it in the manual's order.
// lane_shader.h changes where parameters come from, which point is computed and how elements are fetched.
#pragma once

#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "emulator/vulkan/element_codec.h"
#include "emulator/vulkan/nest_parameters.h"

namespace kawara::emulator::vulkan {

class SectionShader {
 public:
  SectionShader(const NestPlan& plan, uint32_t local_size);
  virtual ~SectionShader() = default;
  std::vector<uint32_t> build();

 protected:
  SectionShader(const NestPlan& plan, uint32_t local_size, uint32_t pushed_words);

  // Entry: everything that the parameters hold, and this invocation's point.
  void load_parameters();
  Id parameter(ParameterKind kind, unsigned a = 0, unsigned b = 0, unsigned c = 0) const;
  Id find_point();
  Id apply_limit(Id inside);
  void start_streams();
  void declare_registers();
  void clear_registers();

  // Phases.
  void emit_phase(const PlanPhase& phase);
  void emit_steps_nested(const PlanPhase& phase, size_t depth);
  void emit_steps_long(const PlanPhase& phase);
  void combine_partials(const std::vector<Id>& partials, const std::vector<kawara_instr>& reductions, Id count);
  std::vector<kawara_instr> reductions(const PlanPhase& phase) const;
  Id step_count(const PlanPhase& phase);
  template <typename Body>
  void loop(Id counter, Id start, Id stop, Id by, Body body);
  virtual void reduce(uint8_t number, const std::function<void()>& body);  // runs the body for each value of a reduced loop

  // Instructions.
  void emit_range(unsigned begin, unsigned end);
  void emit_instruction(const kawara_instr& instr);
  Id source(uint8_t number, bool wide);
  Id read_register(unsigned number, bool wide);
  void write_register(unsigned number, Id value, bool wide);

  // Streams.
  struct Element {
    Id unit, inside;  // offset in the stream's units; inside is none where it always is
    Id reachable;     // of what inside says, the part that must hold for a load from there
    Id found;         // whether indices from data lie inside; none without such
  };
  Element find_element(unsigned stream);
  Id coordinate_value(unsigned stream, unsigned number, Id& inside);
  Id address_of(unsigned stream, Id unit);
  virtual Id fetch(unsigned /*stream*/, Id address, Id type) { return b_.load_at(address, type); }
  // Somewhere to read from instead, if the element is none.
  virtual Id elsewhere(unsigned /*stream*/) { return parameters_; }
  // The coordinate of which this lane's element is tested, if addresses are the same in all lanes.
  virtual Id tested(unsigned /*stream*/, unsigned /*number*/, Id value) { return value; }
  // Of a loop, for the addresses of a stream.
  virtual Id index_in(unsigned /*stream*/, unsigned index) { return index_value(index); }
  Id load(unsigned stream);
  void store(unsigned stream, Id value, uint8_t type);
  // Writes the element, in the type that memory has it in, where there is one.
  virtual void put(unsigned stream, const Element& element, Id value) { write(stream, element, value, element.inside); }
  void write(unsigned stream, const Element& element, Id value, Id condition);
  void under(Id condition, const std::function<void()>& body);  // none: always
  void count_health(Id value, uint8_t type);
  void count(unsigned counter, Id condition);
  void store_nibble(unsigned stream, Id unit, Id value);

  Id index_type() const { return plan_.is_wide ? b_.u64_type : b_.u32_type; }
  Id index_value(unsigned index);  // of a loop, as index_type
  Id widen_index(Id value);
  Id and_also(Id a, Id b);
  Id test(spv::Op opcode, Id a, Id b) { return b_.op(opcode, b_.bool_type, {a, b}); }
  Id add(Id type, Id a, Id b) { return b_.op(spv::OpIAdd, type, {a, b}); }
  Id multiply(Id type, Id a, Id b) { return b_.op(spv::OpIMul, type, {a, b}); }

  const NestPlan& plan_;
  uint32_t local_size_;
  SpirvBuilder b_;
  MicrocodeEmitter microcode_;
  ElementCodec codec_;
  Id parameters_ = Id::none;
  std::map<std::tuple<ParameterKind, unsigned, unsigned, unsigned>, Id> loaded_;
  std::array<Id, kIndices> index_{};           // u32, of loops that are not being reduced
  std::array<Id, kIndices> index_variable_{};  // of reduced loops that run right now
  std::vector<Id> reduced_extent_;
  std::vector<Id> stream_start_;  // what the parallel loops contribute
  std::vector<std::vector<Id>> coordinate_start_;
  std::array<Id, KAWARA_REGISTERS> registers_{};
  std::array<bool, KAWARA_REGISTERS> register_is_wide_{};
  std::array<Id, 4> accumulators_{};
};

}  // namespace kawara::emulator::vulkan
