// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <optional>

#include "emulator/reference/commands.h"
#include "emulator/reference/memory.h"
#include "emulator/stride.h"
#include "kawara/dtype.h"

namespace kawara::emulator::reference {
namespace {

constexpr unsigned kDims = 6;

class Copy {
 public:
  Copy(const Job& job, const kawara_copy& copy, const Limit& limit, Health* health)
      : copy_(copy), bits_(bits(static_cast<DType>(copy.dtype))), health_(health), dst_(job, copy.dst) {
    for (unsigned dim = 0; dim < kDims; ++dim) extent_[dim] = limit.clamp(dim, copy.extent[dim]);
    if ((copy.flags & KAWARA_COPY_FILL) == 0) src_.emplace(job, copy.src);
    if ((copy.flags & (KAWARA_COPY_GATHER | KAWARA_COPY_SCATTER)) != 0) index_.emplace(job, copy.index);
    // Rows go along the last dimension that has more than one element.
    while (row_dim_ > 0 && extent_[row_dim_] == 1) --row_dim_;
    contiguous_ =
        bits_ >= 8 && src_ && copy.src_stride[row_dim_] == 1 && copy.dst_stride[row_dim_] == 1 && !(index_ && copy.index_dim == row_dim_);
  }

  void run(Pace& pace) {
    if (std::ranges::find(extent_, 0u) != extent_.end()) return;
    std::array<uint32_t, kDims> row{};
    do {
      Ends ends;
      for (unsigned dim = 0; dim < kDims; ++dim)
        if (dim != row_dim_) place(dim, row[dim], ends);
      if (!ends.has_dst)
        drop(extent_[row_dim_]);
      else if (contiguous_)
        copy_bytes(ends);
      else
        copy_elements(ends, pace);
      if (!pace.spend(50 + uint64_t{extent_[row_dim_]} * (contiguous_ ? 1 : 0))) return;
    } while (next(row));
  }

 private:
  // Where an element comes from and goes to, in elements from the operands; without a source it gets the pad.
  struct Ends {
    int64_t src = 0, dst = 0;
    bool has_src = true, has_dst = true;
  };

  // Adds what index `at` of one dimension contributes.
  void place(unsigned dim, uint32_t at, Ends& ends) {
    int64_t from = int64_t{at} - copy_.pad_lo[dim], to = at;
    bool inside = from >= 0 && from < int64_t{copy_.src_extent[dim]};
    if (index_ && dim == copy_.index_dim) {
      const std::optional<int64_t> chosen = index(at);
      if ((copy_.flags & KAWARA_COPY_SCATTER) != 0) {
        to = chosen.value_or(0);
        ends.has_dst &= chosen.has_value();
      } else {
        from = chosen.value_or(0);
        inside = chosen.has_value();
      }
    }
    inside &= src_.has_value();
    ends.has_src &= inside;
    if (inside) ends.src = moved(ends.src, from, copy_.src_stride[dim]);
    ends.dst = moved(ends.dst, to, copy_.dst_stride[dim]);
  }

  // Entry of the index list; nothing if it lies outside.
  std::optional<int64_t> index(uint32_t number) {
    int64_t value = 0;
    if (copy_.index_dtype == KAWARA_DTYPE_i64) {
      index_->read(int64_t{number} * 8, std::as_writable_bytes(std::span(&value, 1)));
    } else {
      int32_t narrow = 0;
      index_->read(int64_t{number} * 4, std::as_writable_bytes(std::span(&narrow, 1)));
      value = narrow;
    }
    return value >= 0 && value < int64_t{copy_.index_extent} ? std::optional(value) : std::nullopt;
  }

  bool next(std::array<uint32_t, kDims>& row) const {
    for (unsigned dim = row_dim_; dim-- > 0;) {
      if (++row[dim] < extent_[dim]) return true;
      row[dim] = 0;
    }
    return false;
  }

  void drop(uint64_t elements) {
    if (health_ != nullptr) health_->dropped += elements;
  }

  void copy_elements(const Ends& row, Pace& pace) {
    for (uint32_t i = 0; i < extent_[row_dim_]; ++i) {
      Ends ends = row;
      place(row_dim_, i, ends);
      if (ends.has_dst)
        write(ends.dst, ends.has_src ? read(ends.src) : copy_.pad);
      else
        drop(1);
      if (!pace.spend(20)) return;
    }
  }

  // Neighbours on both sides: pads, bytes, pads.
  void copy_bytes(const Ends& row) {
    const int64_t extent = extent_[row_dim_], shift = copy_.pad_lo[row_dim_], size = bits_ / 8;
    const int64_t begin = row.has_src ? std::clamp<int64_t>(shift, 0, extent) : extent;
    const int64_t end = std::clamp<int64_t>(shift + copy_.src_extent[row_dim_], begin, extent);
    for (int64_t i = 0; i < begin; ++i) write(row.dst + i, copy_.pad);
    for (int64_t at = begin * size; at < end * size;) {
      const std::span<std::byte> from = src_->run((row.src - shift) * size + at, static_cast<uint64_t>(end * size - at));
      dst_.write(row.dst * size + at, from);
      at += static_cast<int64_t>(from.size());
    }
    for (int64_t i = end; i < extent; ++i) write(row.dst + i, copy_.pad);
  }

  uint64_t read(int64_t element) {
    uint64_t value = 0;
    const std::span bytes = std::as_writable_bytes(std::span(&value, 1));
    if (bits_ == 4) {
      src_->read(element >> 1, bytes.first(1));
      return value >> (4 * (element & 1)) & 15;
    }
    src_->read(element * (bits_ / 8), bytes.first(bits_ / 8));
    return value;
  }

  void write(int64_t element, uint64_t value) {
    if (bits_ != 4) return dst_.write(element * (bits_ / 8), std::as_bytes(std::span(&value, 1)).first(bits_ / 8));
    uint8_t both = 0;
    const std::span byte = std::as_writable_bytes(std::span(&both, 1));
    dst_.read(element >> 1, byte);
    const unsigned shift = 4 * (element & 1);
    both = static_cast<uint8_t>((both & (0xf0u >> shift)) | (value & 15) << shift);
    dst_.write(element >> 1, byte);
  }

  const kawara_copy& copy_;
  unsigned bits_;
  Health* health_;
  Memory dst_;
  std::optional<Memory> src_, index_;
  std::array<uint32_t, kDims> extent_;
  unsigned row_dim_ = kDims - 1;
  bool contiguous_;
};

}  // namespace

void run_copy(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health) {
  Copy(job, command.body<kawara_copy>(), limit, health).run(pace);
}

}  // namespace kawara::emulator::reference
