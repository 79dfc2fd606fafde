// SPDX-License-Identifier: Apache-2.0
// Streams of a nest's shader: coordinates, loads, stores.
#include "emulator/vulkan/section_shader.h"

namespace kawara::emulator::vulkan {

Id SectionShader::widen_index(Id value) { return plan_.is_wide ? b_.op(spv::OpUConvert, b_.u64_type, {value}) : value; }

// Of a reduced loop that does not run right now: 0.
Id SectionShader::index_value(unsigned index) {
  if (index_variable_[index] != Id::none) return widen_index(b_.load(index_variable_[index], b_.u32_type));
  return index_[index] != Id::none ? widen_index(index_[index]) : Id::none;
}

// What parallel loops contribute to addresses and coordinates is computed once, before any loop.
void SectionShader::start_streams() {
  const Id type = index_type();
  stream_start_.clear();
  coordinate_start_.clear();
  for (unsigned s = 0; s < plan_.streams.size(); ++s) {
    const PlanStream& stream = plan_.streams[s];
    const bool nibbles = NestPlan::counts_nibbles(stream.fields.dtype);
    Id start = nibbles ? parameter(ParameterKind::origin, s) : b_.integer(type, 0);
    for (const PlanLoop& loop : plan_.parallel)
      if (stream.step[loop.index] != 0)
        start = add(type, start, multiply(type, index_in(s, loop.index), parameter(ParameterKind::step, s, 0, loop.index)));
    stream_start_.push_back(start);
    auto& sums = coordinate_start_.emplace_back();
    for (unsigned j = 0; j < stream.coordinates.size(); ++j) {
      Id sum = parameter(ParameterKind::base, s, j);
      for (const PlanLoop& loop : plan_.parallel)
        if (stream.coordinates[j].fields.coef[loop.index] != 0)
          sum = add(type, sum, multiply(type, index_in(s, loop.index), parameter(ParameterKind::coef, s, j, loop.index)));
      sums.push_back(sum);
    }
  }
}

Id SectionShader::coordinate_value(unsigned stream, unsigned number, Id& inside) {
  const Id type = index_type();
  const NestCoordinate& fields = plan_.streams[stream].coordinates[number].fields;
  Id value = coordinate_start_[stream][number];
  for (const PlanLoop& loop : plan_.reduced) {
    if (fields.coef[loop.index] == 0) continue;
    if (const Id index = index_in(stream, loop.index); index != Id::none)
      value = add(type, value, multiply(type, index, parameter(ParameterKind::coef, stream, number, loop.index)));
  }
  if (fields.flags & KAWARA_COORD_INDEXED) {
    const Id from_data = read_register(fields.reg, false);
    value = add(type, value, plan_.is_wide ? b_.op(spv::OpSConvert, type, {from_data}) : from_data);
  }
  if (fields.den != 1) {
    const Id den = parameter(ParameterKind::den, stream, number);
    const Id quotient = b_.op(spv::OpSDiv, type, {value, den});
    const Id rest = b_.op(spv::OpISub, type, {value, multiply(type, quotient, den)});
    const Id zero = b_.integer(type, 0);
    if (fields.flags & KAWARA_COORD_EXACT) inside = and_also(inside, test(spv::OpIEqual, rest, zero));
    const Id less = b_.op(spv::OpISub, type, {quotient, b_.integer(type, 1)});
    value = b_.select(test(spv::OpSLessThan, rest, zero), less, quotient, type);
  }
  const Id extent = parameter(ParameterKind::extent, stream, number);
  if (fields.flags & KAWARA_COORD_CLAMP) {
    const uint8_t in = plan_.is_wide ? KAWARA_DTYPE_i64 : KAWARA_DTYPE_i32;
    const Id last = b_.op(spv::OpISub, type, {extent, b_.integer(type, 1)});
    value = microcode_.emit(KAWARA_OP_max, in, 0, value, b_.integer(type, 0), Id::none);
    return microcode_.emit(KAWARA_OP_min, in, 0, value, last, Id::none);
  }
  inside = and_also(inside, test(spv::OpULessThan, tested(stream, number, value), extent));
  return value;
}

SectionShader::Element SectionShader::find_element(unsigned stream) {
  const Id type = index_type();
  const PlanStream& fields = plan_.streams[stream];
  Element element{stream_start_[stream], Id::none, Id::none, Id::none};
  for (const PlanLoop& loop : plan_.reduced) {
    if (fields.step[loop.index] == 0) continue;
    if (const Id index = index_in(stream, loop.index); index != Id::none)
      element.unit = add(type, element.unit, multiply(type, index, parameter(ParameterKind::step, stream, 0, loop.index)));
  }
  for (unsigned j = 0; j < fields.coordinates.size(); ++j) {
    Id inside = Id::none;
    const Id value = coordinate_value(stream, j, inside);
    if (inside != Id::none) element.inside = and_also(element.inside, inside);
    if (inside != Id::none && tested(stream, j, value) == value) element.reachable = and_also(element.reachable, inside);
    if (inside != Id::none && (fields.coordinates[j].fields.flags & KAWARA_COORD_INDEXED)) element.found = and_also(element.found, inside);
    element.unit = add(type, element.unit, multiply(type, value, parameter(ParameterKind::coordinate_step, stream, j)));
  }
  return element;
}

Id SectionShader::address_of(unsigned stream, Id unit) {
  const Id type = index_type();
  if (NestPlan::counts_nibbles(plan_.streams[stream].fields.dtype))
    unit = b_.op(spv::OpShiftRightArithmetic, type, {unit, b_.integer(type, 1)});
  const Id offset = plan_.is_wide ? unit : b_.op(spv::OpSConvert, b_.u64_type, {unit});
  return add(b_.u64_type, parameter(ParameterKind::stream_address, stream), offset);
}

Id SectionShader::load(unsigned stream) {
  const DType dtype = plan_.streams[stream].fields.dtype;
  const Element element = find_element(stream);
  Id address = address_of(stream, element.unit);
  if (element.reachable != Id::none) address = b_.select(element.reachable, address, elsewhere(stream), b_.u64_type);
  const Id type = codec_.memory_type(dtype);
  Id raw = fetch(stream, address, type);
  const bool wide = ElementCodec::is_wide(dtype);
  if (!wide && type != b_.u32_type) raw = b_.op(spv::OpUConvert, b_.u32_type, {raw});
  if (NestPlan::counts_nibbles(dtype)) {
    const Id odd = b_.op(spv::OpBitwiseAnd, index_type(), {element.unit, b_.integer(index_type(), 1)});
    const Id shift = b_.op(spv::OpShiftLeftLogical, index_type(), {odd, b_.u32(2)});
    raw = b_.op(spv::OpBitwiseAnd, b_.u32_type, {b_.op(spv::OpShiftRightLogical, b_.u32_type, {raw, shift}), b_.u32(15)});
  }
  if (element.inside != Id::none) {
    Id pad = parameter(ParameterKind::pad, stream);
    if (wide) {
      const Id high = b_.op(spv::OpUConvert, b_.u64_type, {parameter(ParameterKind::pad_high, stream)});
      pad = b_.op(spv::OpBitwiseOr, b_.u64_type,
                  {b_.op(spv::OpShiftLeftLogical, b_.u64_type, {high, b_.u32(32)}), b_.op(spv::OpUConvert, b_.u64_type, {pad})});
    } else if (bits(dtype) < 32) {
      pad = b_.op(spv::OpBitwiseAnd, b_.u32_type, {pad, b_.u32((1u << bits(dtype)) - 1)});
    }
    raw = b_.select(element.inside, raw, pad, wide ? b_.u64_type : b_.u32_type);
  }
  return codec_.widen(raw, dtype);
}

void SectionShader::store(unsigned stream, Id value, uint8_t type) {
  const NestStream& fields = plan_.streams[stream].fields;
  const bool saturates = (fields.flags & KAWARA_STREAM_SATURATE) != 0;
  const Element element = find_element(stream);
  if (plan_.counts_health) {
    if (element.found != Id::none) count(2, b_.op(spv::OpLogicalNot, b_.bool_type, {element.found}));
    under(element.inside, [&] {
      count_health(value, type);
      const Id lost = codec_.does_not_fit(value, type, fields.dtype, saturates);
      if (lost != Id::none) count(3, lost);
    });
  }
  put(stream, element, codec_.narrow(value, type, fields.dtype, saturates));
}

void SectionShader::write(unsigned stream, const Element& element, Id value, Id condition) {
  const DType dtype = plan_.streams[stream].fields.dtype;
  under(condition, [&] {
    if (NestPlan::counts_nibbles(dtype)) return store_nibble(stream, element.unit, value);
    const Id memory = codec_.memory_type(dtype);
    if (memory != b_.u64_type && memory != b_.u32_type) value = b_.op(spv::OpUConvert, memory, {value});
    b_.store_at(address_of(stream, element.unit), memory, value);
  });
}

void SectionShader::under(Id condition, const std::function<void()>& body) {
  if (condition == Id::none) return body();
  const Id write = b_.label(), end = b_.label();
  b_.selection_merge(end);
  b_.branch_if(condition, write, end);
  b_.open(write);
  body();
  b_.branch(end);
  b_.open(end);
}

void SectionShader::count_health(Id value, uint8_t type) {
  if (type != KAWARA_DTYPE_f32) return;
  const Id magnitude = b_.op(spv::OpBitwiseAnd, b_.u32_type, {value, b_.u32(0x7fffffff)});
  count(0, microcode_.is_nan(value));
  count(1, test(spv::OpIEqual, magnitude, b_.u32(0x7f800000)));
}

void SectionShader::count(unsigned counter, Id condition) {
  under(condition, [&] {
    b_.atomic_at(spv::OpAtomicIAdd, add(b_.u64_type, parameter(ParameterKind::health_address), b_.u64(4 * counter)), b_.u32(1));
  });
}

// The neighbour in the same byte belongs to another invocation: only this nibble may change.
void SectionShader::store_nibble(unsigned stream, Id unit, Id value) {
  const Id u32 = b_.u32_type, address = address_of(stream, unit);
  const Id low = b_.op(spv::OpUConvert, u32, {address});
  const Id odd = b_.op(spv::OpBitwiseAnd, index_type(), {unit, b_.integer(index_type(), 1)});
  const Id nibble = plan_.is_wide ? b_.op(spv::OpUConvert, u32, {odd}) : odd;
  const Id byte_shift = b_.op(spv::OpShiftLeftLogical, u32, {b_.op(spv::OpBitwiseAnd, u32, {low, b_.u32(3)}), b_.u32(3)});
  const Id shift = add(u32, byte_shift, b_.op(spv::OpShiftLeftLogical, u32, {nibble, b_.u32(2)}));
  const Id word = b_.op(spv::OpBitwiseAnd, b_.u64_type, {address, b_.u64(~3ull)});
  const Id mask = b_.op(spv::OpShiftLeftLogical, u32, {b_.u32(15), shift});
  const Id placed = b_.op(spv::OpShiftLeftLogical, u32, {b_.op(spv::OpBitwiseAnd, u32, {value, b_.u32(15)}), shift});
  b_.atomic_at(spv::OpAtomicAnd, word, b_.op(spv::OpNot, u32, {mask}));
  b_.atomic_at(spv::OpAtomicOr, word, placed);
}

}  // namespace kawara::emulator::vulkan
