// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/stream.h"

#include <algorithm>
#include <cmath>

#include "emulator/reference/element.h"
#include "emulator/reference/operands.h"
#include "emulator/stride.h"

namespace kawara::emulator::reference {
namespace {

struct Position {
  int64_t value = 0;
  bool inside = false;
};

// The manual's rule for one coordinate: floor((sum) / den), exact, clamp, extent.
Position position(const kawara_coord& coord, int64_t sum) {
  const int64_t den = coord.den;
  int64_t value = sum / den;
  if (sum % den < 0) --value;
  if ((coord.flags & KAWARA_COORD_EXACT) != 0 && sum % den != 0) return {};
  if ((coord.flags & KAWARA_COORD_CLAMP) != 0) value = std::clamp<int64_t>(value, 0, std::max<int64_t>(coord.extent, 1) - 1);
  return {value, value >= 0 && value < int64_t{coord.extent}};
}

// Lanes i of [begin, end) with 0 <= first + i * step < extent; step is not 0.
void clip(int64_t first, int64_t step, int64_t extent, unsigned& begin, unsigned& end) {
  const auto lanes_below = [&](int64_t distance, int64_t width) {  // smallest i with i * width >= distance
    return distance <= 0 ? int64_t{0} : (distance + width - 1) / width;
  };
  const int64_t low = step > 0 ? lanes_below(-first, step) : lanes_below(first - extent + 1, -step);
  const int64_t high = step > 0 ? lanes_below(extent - first, step) : lanes_below(first + 1, -step);
  begin = static_cast<unsigned>(std::clamp<int64_t>(low, begin, end));
  end = static_cast<unsigned>(std::clamp<int64_t>(high, begin, end));
}

}  // namespace

Stream::Stream(const Job& job, const kawara_stream& fields, std::span<const kawara_coord> coords, unsigned lane_dim)
    : base_(address(job, fields.data)), dtype_(fields.dtype), saturate_((fields.flags & KAWARA_STREAM_SATURATE) != 0) {
  for (const kawara_coord& coord : coords) {
    Coord& own = coords_.emplace_back(Coord{coord, coord.coef[lane_dim], {}});
    for (uint8_t dim = 0; dim < 9; ++dim)
      if (coord.coef[dim] != 0) own.terms.emplace_back(dim, coord.coef[dim]);
    const bool from_data = (coord.flags & KAWARA_COORD_INDEXED) != 0;
    const bool bent = coord.den != 1 || (coord.flags & KAWARA_COORD_CLAMP) != 0;
    if (from_data || (bent && own.lane_coef != 0)) always_affine_ = false;
  }
  pad_ = visit_dtype(dtype_, [&](auto codec) {
    constexpr unsigned kBits = decltype(codec)::kBits;
    return register_bits(codec.value(kBits == 64 ? fields.pad : fields.pad & ((1ull << kBits % 64) - 1)));
  });
}

void Stream::find_affine(const Indices& first, unsigned count, Reach& reach) const {
  reach.begin = 0, reach.end = count, reach.offset = reach.step = 0;
  for (const Coord& coord : coords_) {
    int64_t sum = coord.fields.base;
    for (const auto& [dim, coef] : coord.terms) sum += coef * first[dim];
    if (coord.lane_coef == 0) {
      const Position at = position(coord.fields, sum);
      if (!at.inside) reach.end = 0;
      reach.offset = moved(reach.offset, at.value, coord.fields.stride);
    } else {
      clip(sum, coord.lane_coef, coord.fields.extent, reach.begin, reach.end);
      reach.offset = moved(reach.offset, sum, coord.fields.stride);
      reach.step = moved(reach.step, coord.lane_coef, coord.fields.stride);
    }
  }
}

void Stream::find_each(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, Reach& reach) const {
  reach.dropped = 0;
  for (unsigned lane = 0; lane < count; ++lane) {
    int64_t offset = 0;
    bool inside = true, dropped = false;
    for (const Coord& coord : coords_) {
      const bool indexed = (coord.fields.flags & KAWARA_COORD_INDEXED) != 0;
      int64_t sum = coord.fields.base;
      if (indexed) {
        sum += static_cast<int32_t>(registers[coord.fields.reg].low[lane]);
      } else {
        for (const auto& [dim, coef] : coord.terms) sum += coef * first[dim];
        sum += coord.lane_coef * lane;
      }
      const Position at = position(coord.fields, sum);
      inside &= at.inside;
      dropped |= indexed && !at.inside;
      offset = moved(offset, at.value, coord.fields.stride);
    }
    reach.inside[lane] = inside;
    reach.offsets[lane] = offset;
    reach.dropped += dropped;
  }
}

void Stream::find(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, Reach& reach) const {
  reach.affine = always_affine_;
  reach.dropped = 0;
  if (always_affine_)
    find_affine(first, count, reach);
  else
    find_each(first, count, registers, reach);
}

void Stream::load(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, Lanes& dst) const {
  Reach reach;
  find(first, count, registers, reach);
  const auto put = [&](unsigned lane, uint64_t bits) {
    dst.low[lane] = static_cast<uint32_t>(bits);
    dst.high[lane] = static_cast<uint32_t>(bits >> 32);
  };
  visit_dtype(dtype_, [&](auto codec) {
    const auto element = [&](int64_t index) { return register_bits(codec.value(read_bits<decltype(codec)::kBits>(base_, index))); };
    if (!reach.affine) {
      for (unsigned lane = 0; lane < count; ++lane) put(lane, reach.inside[lane] ? element(reach.offsets[lane]) : pad_);
      return;
    }
    for (unsigned lane = 0; lane < reach.begin; ++lane) put(lane, pad_);
    for (unsigned lane = reach.begin; lane < reach.end; ++lane) put(lane, element(reach.element(lane)));
    for (unsigned lane = std::max(reach.begin, reach.end); lane < count; ++lane) put(lane, pad_);
  });
}

void Stream::store(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, const Lanes& value,
                   uint8_t type, Health* health) {
  Reach reach;
  find(first, count, registers, reach);
  uint64_t saturated = 0;
  const auto store_as = [&](auto codec, auto widened) {
    for (unsigned lane = 0; lane < count; ++lane) {
      if (!reach.has(lane)) continue;
      bool limited = false;
      write_bits<decltype(codec)::kBits>(base_, reach.element(lane), codec.narrow(widened(lane), saturate_, limited));
      saturated += limited;
    }
  };
  visit_dtype(dtype_, [&](auto codec) {
    switch (type) {
      case KAWARA_DTYPE_f32: return store_as(codec, [&](unsigned lane) { return std::bit_cast<float>(value.low[lane]); });
      case KAWARA_DTYPE_i32: return store_as(codec, [&](unsigned lane) { return static_cast<int32_t>(value.low[lane]); });
      case KAWARA_DTYPE_u32: return store_as(codec, [&](unsigned lane) { return value.low[lane]; });
      default:
        return store_as(codec, [&](unsigned lane) { return static_cast<int64_t>(uint64_t{value.high[lane]} << 32 | value.low[lane]); });
    }
  });
  if (health == nullptr) return;
  health->saturated += saturated;
  health->dropped += reach.dropped;
  if (type != KAWARA_DTYPE_f32) return;
  for (unsigned lane = 0; lane < count; ++lane) {
    if (!reach.has(lane)) continue;
    health->nan += std::isnan(std::bit_cast<float>(value.low[lane]));
    health->inf += std::isinf(std::bit_cast<float>(value.low[lane]));
  }
}

}  // namespace kawara::emulator::reference
