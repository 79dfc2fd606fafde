// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_shader.h"

#include <algorithm>

namespace kawara::emulator::vulkan {

LaneShader::LaneShader(const LaneNest& nest) : LaneShader(nest, NestParameters(nest, 0, 1)) {}

LaneShader::LaneShader(const LaneNest& nest, const NestParameters& parameters)
    : SectionShader(nest.plan, nest.lanes * LaneNest::kSubgroups, parameters.size_bytes() / 4),
      nest_(nest),
      code_(b_, table_of(parameters), nest.lanes) {
  read_parameters(parameters);
}

std::vector<uint32_t> LaneShader::build() {
  find_tile();
  declare_registers();
  for (uint32_t row = 0; row < nest_.rows; ++row) emit_row(row);
  return b_.finish();
}

uint32_t LaneShader::table_of(const NestParameters& parameters) {
  return std::ranges::find(parameters.list(), ParameterKind::number, &Parameter::kind)->offset / 4;
}

// First of all, since reads of push constants check bounds by branches.
void LaneShader::read_parameters(const NestParameters& parameters) {
  for (const Parameter& parameter : parameters.list()) {
    const uint32_t word = parameter.offset / 4;
    loaded_[{parameter.kind, parameter.a, parameter.b, parameter.c}] =
        parameter.is_wide ? code_.pushed_address(word) : b_.pushed_word(b_.u32(word));
  }
}

// number / the loop's divisor; what is left goes to rest.
Id LaneShader::divided(Id number, unsigned loop, Id& rest) {
  const Id u32 = b_.u32_type;
  const Id quotient = b_.quotient(number, parameter(ParameterKind::magic, loop), parameter(ParameterKind::shift, loop));
  rest = b_.op(spv::OpISub, u32, {number, multiply(u32, quotient, parameter(ParameterKind::count, loop))});
  return quotient;
}

void LaneShader::find_tile() {
  const Id u32 = b_.u32_type;
  const Id group = code_.workgroup(nest_.digits), subgroup = code_.subgroup();
  const Id first = add(u32, parameter(ParameterKind::first_tile), multiply(u32, group, b_.u32(LaneNest::kSubgroups)));
  const Id tile = add(u32, first, subgroup), last = parameter(ParameterKind::last_tile);
  const Id is_there = test(spv::OpULessThanEqual, tile, last);
  count_ = b_.select(is_there, parameter(ParameterKind::lane_extent), b_.u32(0), u32);
  Id rest = b_.select(is_there, tile, last, u32);
  if (!nest_.reduces) rest = divided(rest, nest_.lane, group_);
  for (unsigned loop = static_cast<unsigned>(plan_.parallel.size()); loop-- > 0;) {
    if (!nest_.is_other(loop)) continue;
    Id& index = index_[plan_.parallel[loop].index];
    if (loop == nest_.outermost())
      index = rest;
    else
      rest = divided(rest, loop, index);
  }
  if (!nest_.reduces) group_ = multiply(u32, group_, b_.u32(nest_.width()));
  if (nest_.rows > 1) first_row_ = multiply(u32, index_[plan_.parallel[nest_.down].index], b_.u32(nest_.rows));
}

// Rows that are not there read the last one.
void LaneShader::emit_row(uint32_t row) {
  if (nest_.rows > 1) {
    const Id u32 = b_.u32_type, wanted = add(u32, first_row_, b_.u32(row)), extent = parameter(ParameterKind::down_extent);
    is_row_ = test(spv::OpULessThan, wanted, extent);
    index_[plan_.parallel[nest_.down].index] = b_.select(is_row_, wanted, b_.op(spv::OpISub, u32, {extent, b_.u32(1)}), u32);
  }
  for (uint32_t vector = 0; vector < nest_.vectors; ++vector) emit_vector(vector);
}

void LaneShader::emit_vector(uint32_t vector) {
  position_ = add(b_.u32_type, group_, b_.u32(vector * nest_.width() / nest_.vectors));
  loaded_ahead_.clear();
  stored_behind_.clear();
  for (unsigned of_pair = 0; of_pair < (nest_.pairs ? 2 : 1); ++of_pair) emit_points(of_pair);
}

void LaneShader::emit_points(unsigned of_pair) {
  const Id u32 = b_.u32_type;
  of_pair_ = of_pair;
  next_load_ = next_store_ = 0;
  offset_ = code_.lane();
  if (nest_.pairs) offset_ = add(u32, multiply(u32, offset_, b_.u32(2)), b_.u32(of_pair));
  const Id point = add(u32, position_, offset_);
  stores_ = and_also(test(spv::OpULessThan, point, count_), is_row_);
  // Lanes without a point read the last one's elements.
  const Id last = b_.op(spv::OpISub, u32, {parameter(ParameterKind::lane_extent), b_.u32(1)});
  index_[plan_.parallel[nest_.lane].index] = b_.select(test(spv::OpULessThan, point, last), point, last, u32);
  clear_registers();
  start_streams();
  for (unsigned i = 0; i < plan_.n_accumulators; ++i) accumulators_[i] = load(plan_.first_accumulator() + i);
  for (const PlanPhase& phase : plan_.phases) emit_phase(phase);
}

void LaneShader::reduce(uint8_t number, const std::function<void()>& body) {
  const PlanLoop& loop = plan_.reduced[number];
  for (uint32_t step = 0; step < loop.extent; ++step) {
    index_[loop.index] = b_.u32(step);
    body();
  }
  index_[loop.index] = Id::none;
}

// Stores go lane by lane, so their addresses may too.
bool LaneShader::is_by_each(unsigned stream) const {
  const bool is_stored = stream >= plan_.n_in && stream < plan_.first_accumulator();
  return is_stored || nest_.access[stream] == LaneAccess::each;
}

Id LaneShader::index_in(unsigned stream, unsigned index) { return is_lane(index) && !is_by_each(stream) ? position_ : index_value(index); }

// The address is that of the first lane's element; the test is each lane's own.
Id LaneShader::tested(unsigned stream, unsigned number, Id value) {
  const bool varies = plan_.streams[stream].coordinates[number].fields.coef[nest_.lane_loop().index] != 0;
  return varies && !is_by_each(stream) ? add(b_.u32_type, value, offset_) : value;
}

Id LaneShader::fetch(unsigned stream, Id address, Id type) {
  if (nest_.access[stream] != LaneAccess::neighbours) return b_.load_at(address, type);
  const uint32_t width = bits(plan_.streams[stream].fields.dtype), size = width / 8;
  if (!nest_.pairs) return code_.neighbours(address, type, size, size);
  if (type == b_.u64_type) {  // no type is twice as wide
    const Id far = add(b_.u64_type, address, b_.op(spv::OpUConvert, b_.u64_type, {multiply(b_.u32_type, offset_, b_.u32(8))}));
    return b_.load_at(far, type);
  }
  if (of_pair_ == 1) return loaded_ahead_[next_load_++];
  const Id twice = double_type(type), both = code_.neighbours(address, twice, 2 * size, size);
  loaded_ahead_.push_back(b_.op(spv::OpUConvert, type, {b_.op(spv::OpShiftRightLogical, twice, {both, b_.u32(width)})}));
  return b_.op(spv::OpUConvert, type, {both});
}

Id LaneShader::double_type(Id type) { return type == b_.u8_type ? b_.u16_type : type == b_.u16_type ? b_.u32_type : b_.u64_type; }

// Whether both of a pair are neighbours in memory wherever they are stored.
bool LaneShader::stores_pairs(unsigned stream) const {
  const PlanStream& fields = plan_.streams[stream];
  const uint32_t width = bits(fields.fields.dtype);
  return nest_.pairs && width <= 32 && fields.coordinates.empty() && fields.step[plan_.parallel[nest_.lane].index] == width / 8;
}

// A store costs a branch for each lane, so that of a pair in one is worth what it takes to put them together.
void LaneShader::put(unsigned stream, const Element& element, Id value) {
  if (!stores_pairs(stream)) return write(stream, element, value, and_also(element.inside, stores_));
  if (of_pair_ == 0) return stored_behind_.push_back({element, value, stores_});
  const Stored& first = stored_behind_[next_store_++];
  const Id type = codec_.memory_type(plan_.streams[stream].fields.dtype), twice = double_type(type);
  const uint32_t width = bits(plan_.streams[stream].fields.dtype);
  under(stores_, [&] {
    const auto widened = [&](Id half) {
      const Id narrow = type == b_.u32_type ? half : b_.op(spv::OpUConvert, type, {half});
      return b_.op(spv::OpUConvert, twice, {narrow});
    };
    const Id high = b_.op(spv::OpShiftLeftLogical, twice, {widened(value), b_.u32(width)});
    b_.store_at(address_of(stream, first.element.unit), twice, b_.op(spv::OpBitwiseOr, twice, {high, widened(first.value)}), width / 8);
  });
  const Id is_alone = and_also(first.condition, b_.op(spv::OpLogicalNot, b_.bool_type, {stores_}));
  write(stream, first.element, first.value, is_alone);
}

}  // namespace kawara::emulator::vulkan
