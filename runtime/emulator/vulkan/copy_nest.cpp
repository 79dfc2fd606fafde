// SPDX-License-Identifier: Apache-2.0
// A copy within the device's own memory is a loop nest: load, store, and bounds as coordinates have them anyway.
#include "emulator/vulkan/command_nests.h"

namespace kawara::emulator::vulkan {

namespace {

// A copy moves bytes: the unsigned type of the same width keeps every bit.
DType unsigned_type(uint8_t dtype) {
  switch (bits(static_cast<DType>(dtype))) {
    case 64: return DType::u64;
    case 32: return DType::u32;
    case 16: return DType::u16;
    case 8: return DType::u8;
    default: return DType::u4;
  }
}

class CopyNest {
 public:
  explicit CopyNest(const kawara_copy& copy) : copy_(copy) {}

  Nest build() {
    nest_.n_par = kParallelMax;
    for (unsigned i = 0; i < kParallelMax; ++i) nest_.extent[i] = copy_.extent[i];
    nest_.counts_health = copy_.header.flags & KAWARA_HEADER_HEALTH;
    nest_.limit = nest_limit(copy_.header, static_cast<uint8_t>(copy_.header.flags & KAWARA_HEADER_LIMIT_DIM));
    const bool fills = copy_.flags & KAWARA_COPY_FILL;
    const bool indexes = copy_.flags & (KAWARA_COPY_GATHER | KAWARA_COPY_SCATTER);
    if (!fills) source();
    if (indexes) index_list();
    nest_.n_in = static_cast<uint32_t>(nest_.streams.size());
    destination();
    if (indexes) load_index();
    const bool wide = bits(static_cast<DType>(copy_.dtype)) == 64;
    const uint8_t type = wide ? KAWARA_DTYPE_i64 : KAWARA_DTYPE_u32;
    if (!fills)
      add(KAWARA_OP_load, kValue, 0, 0, 0, type, 0);
    else
      add(KAWARA_OP_mov, kValue, constant(copy_.pad, wide), 0, 0, type, 0);
    add(KAWARA_OP_store, 0, kValue, 0, 0, type, static_cast<uint16_t>(nest_.n_in));
    const auto end = static_cast<uint16_t>(nest_.instrs.size());
    nest_.phases.push_back({KAWARA_PHASE_TREE, 0, 0, 0, end, end, {}});
    return nest_;
  }

 private:
  static constexpr uint8_t kValue = 0, kIndex = 1;

  NestCoordinate plain(unsigned dim, int64_t stride) const {
    NestCoordinate coordinate;
    coordinate.stride = stride;
    coordinate.extent = copy_.extent[dim];
    coordinate.coef[dim] = 1;
    return coordinate;
  }
  NestCoordinate indexed(int64_t stride) const {
    NestCoordinate coordinate;
    coordinate.stride = stride;
    coordinate.extent = copy_.index_extent;
    coordinate.flags = KAWARA_COORD_INDEXED;
    coordinate.reg = kIndex;
    return coordinate;
  }

  void source() {
    NestStream stream{place_of(copy_.src), unsigned_type(copy_.dtype), 0, copy_.pad, {}};
    for (unsigned dim = 0; dim < kParallelMax; ++dim) {
      if ((copy_.flags & KAWARA_COPY_GATHER) && dim == copy_.index_dim) {
        stream.coordinates.push_back(indexed(copy_.src_stride[dim]));
        continue;
      }
      NestCoordinate coordinate = plain(dim, copy_.src_stride[dim]);
      coordinate.extent = copy_.src_extent[dim];
      coordinate.base = -int64_t{copy_.pad_lo[dim]};
      stream.coordinates.push_back(coordinate);
    }
    nest_.streams.push_back(stream);
  }
  void index_list() {
    NestStream stream{place_of(copy_.index), static_cast<DType>(copy_.index_dtype), 0, 0, {}};
    stream.coordinates.push_back(plain(copy_.index_dim, 1));
    index_stream_ = static_cast<uint16_t>(nest_.streams.size());
    nest_.streams.push_back(stream);
  }
  void destination() {
    NestStream stream{place_of(copy_.dst), unsigned_type(copy_.dtype), 0, 0, {}};
    for (unsigned dim = 0; dim < kParallelMax; ++dim) {
      const bool scatters = (copy_.flags & KAWARA_COPY_SCATTER) && dim == copy_.index_dim;
      stream.coordinates.push_back(scatters ? indexed(copy_.dst_stride[dim]) : plain(dim, copy_.dst_stride[dim]));
    }
    nest_.streams.push_back(stream);
  }
  // An i64 index that does not fit a register's i32 must not come back inside: it becomes -1.
  void load_index() {
    if (copy_.index_dtype != KAWARA_DTYPE_i64) return add(KAWARA_OP_load, kIndex, 0, 0, 0, KAWARA_DTYPE_i32, index_stream_);
    add(KAWARA_OP_load, kIndex, 0, 0, 0, KAWARA_DTYPE_i64, index_stream_);
    add(KAWARA_OP_min, kIndex, kIndex, constant(INT32_MAX, true), 0, KAWARA_DTYPE_i64, 0);
    add(KAWARA_OP_max, kIndex, kIndex, constant(~0ull, true), 0, KAWARA_DTYPE_i64, 0);
    add(KAWARA_OP_cvt, kIndex, kIndex, 0, 0, KAWARA_DTYPE_i32, KAWARA_DTYPE_i64);
  }

  uint8_t constant(uint64_t value, bool wide) {
    if (wide && nest_.constants.size() % 2) nest_.constants.push_back(0);
    const auto number = static_cast<uint8_t>(KAWARA_SOURCE_CONSTANT + nest_.constants.size());
    nest_.constants.push_back(static_cast<uint32_t>(value));
    if (wide) nest_.constants.push_back(static_cast<uint32_t>(value >> 32));
    return number;
  }
  void add(uint8_t op, uint8_t dst, uint8_t a, uint8_t b, uint8_t c, uint8_t type, uint16_t imm) {
    nest_.instrs.push_back({op, dst, a, b, c, type, imm});
  }

  const kawara_copy& copy_;
  Nest nest_;
  uint16_t index_stream_ = 0;
};

}  // namespace

Nest copy_nest(const kawara_copy& copy) { return CopyNest(copy).build(); }

}  // namespace kawara::emulator::vulkan
