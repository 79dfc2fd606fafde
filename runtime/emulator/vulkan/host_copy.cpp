// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/host_copy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "emulator/stride.h"
#include "kawara/dtype.h"

namespace kawara::emulator::vulkan {

namespace {

constexpr unsigned kDims = 6;
constexpr uint64_t kBytesPerLook = 8 << 20;  // between two looks at aborts

// Bytes of an operand's region, wherever they lie. A position counts from the start of the region.
class Window {
 public:
  Window(const Job& job, uint64_t operand) : region_(job.regions[kawara_operand_region(operand)]), base_(kawara_operand_offset(operand)) {}

  // The byte at `position` from the operand, and how many follow it in one piece.
  std::span<std::byte> from(int64_t position) {
    const uint64_t at = base_ + static_cast<uint64_t>(position);
    if (region_.place != Region::Place::host) return {region_.data + at, region_.size - at};
    if (!piece_ || at < piece_->offset || at >= piece_->offset + piece_->size) {
      const auto after = std::ranges::upper_bound(region_.pieces, at, {}, &Extent::offset);
      piece_ = &*std::prev(after);
    }
    const uint64_t inside = at - piece_->offset;
    return {piece_->data + inside, piece_->size - inside};
  }

  void read(int64_t position, std::span<std::byte> to) {
    while (!to.empty()) {
      const auto bytes = from(position);
      const size_t count = std::min(bytes.size(), to.size());
      std::memcpy(to.data(), bytes.data(), count);
      to = to.subspan(count);
      position += static_cast<int64_t>(count);
    }
  }
  void write(int64_t position, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto to = from(position);
      const size_t count = std::min(bytes.size(), to.size());
      std::memmove(to.data(), bytes.data(), count);
      bytes = bytes.subspan(count);
      position += static_cast<int64_t>(count);
    }
  }

 private:
  const Region& region_;
  uint64_t base_;
  const Extent* piece_ = nullptr;
};

class HostCopy {
 public:
  HostCopy(const Job& job, const kawara_copy& copy, const Progress& progress)
      : copy_(copy), progress_(progress), width_(bits(static_cast<DType>(copy.dtype))), to_(job, copy.dst) {
    std::ranges::copy(copy.extent, extent_.begin());
    if (const uint32_t dim = copy.header.flags & KAWARA_HEADER_LIMIT_DIM; dim != KAWARA_HEADER_LIMIT_NONE) {
      int32_t limit = 0;
      Window(job, copy.header.limit).read(0, std::as_writable_bytes(std::span(&limit, 1)));
      extent_.at(dim) = std::min(extent_.at(dim), static_cast<uint32_t>(std::max(limit, 0)));
    }
    if (!(copy.flags & KAWARA_COPY_FILL)) from_.emplace(job, copy.src);
    if (copy.flags & (KAWARA_COPY_GATHER | KAWARA_COPY_SCATTER)) indices_.emplace(job, copy.index);
    while (row_ > 0 && extent_[row_] == 1) --row_;
    whole_rows_ = width_ >= 8 && from_ && copy.src_stride[row_] == 1 && copy.dst_stride[row_] == 1 && copy.pad_lo[row_] == 0 &&
                  copy.src_extent[row_] >= extent_[row_] && !(indices_ && copy.index_dim == row_);
  }

  bool run() {
    if (std::ranges::find(extent_, 0u) != extent_.end()) return true;
    std::array<uint32_t, kDims> at{};
    for (;;) {
      if (whole_rows_) {
        if (!copy_row(at)) return false;
      } else {
        for (at[row_] = 0; at[row_] < extent_[row_]; ++at[row_]) {
          copy_element(at);
          if (!spend(width_ / 8 + 8)) return false;
        }
        at[row_] = 0;
      }
      unsigned dim = row_;
      while (dim-- > 0) {
        if (++at[dim] < extent_[dim]) break;
        at[dim] = 0;
      }
      if (dim == UINT32_MAX) return true;
    }
  }

  uint64_t dropped() const { return dropped_; }

 private:
  struct Ends {
    int64_t from = 0, to = 0;  // elements
    bool has_source = true, has_target = true;
  };

  Ends ends_of(const std::array<uint32_t, kDims>& at) {
    Ends ends;
    ends.has_source = from_.has_value();
    for (unsigned dim = 0; dim < kDims; ++dim) {
      int64_t source = int64_t{at[dim]} - copy_.pad_lo[dim], target = at[dim];
      bool inside = source >= 0 && source < copy_.src_extent[dim];
      if (indices_ && dim == copy_.index_dim) {
        const int64_t chosen = index(at[dim]);
        const bool valid = chosen >= 0 && chosen < copy_.index_extent;
        if (copy_.flags & KAWARA_COPY_SCATTER) {
          target = chosen;
          ends.has_target &= valid;
        } else {
          source = chosen;
          inside = valid;
        }
      }
      ends.has_source &= inside;
      if (ends.has_source) ends.from = moved(ends.from, source, copy_.src_stride[dim]);
      if (ends.has_target) ends.to = moved(ends.to, target, copy_.dst_stride[dim]);
    }
    return ends;
  }

  int64_t index(uint32_t number) {
    if (copy_.index_dtype == KAWARA_DTYPE_i64) {
      int64_t value = 0;
      indices_->read(int64_t{number} * 8, std::as_writable_bytes(std::span(&value, 1)));
      return value;
    }
    int32_t value = 0;
    indices_->read(int64_t{number} * 4, std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }

  bool copy_row(const std::array<uint32_t, kDims>& at) {
    const Ends ends = ends_of(at);
    if (!ends.has_target) return dropped_ += extent_[row_], true;
    const int64_t size = width_ / 8;
    if (!ends.has_source) {
      for (uint32_t i = 0; i < extent_[row_]; ++i) write(ends.to + i, copy_.pad);
      return spend(extent_[row_] * uint64_t{8});
    }
    const int64_t end = int64_t{extent_[row_]} * size;
    for (int64_t done = 0; done < end;) {
      auto bytes = from_->from(ends.from * size + done);
      bytes = bytes.first(std::min({bytes.size(), static_cast<size_t>(end - done), size_t{kBytesPerLook}}));
      to_.write(ends.to * size + done, bytes);
      done += static_cast<int64_t>(bytes.size());
      if (!spend(bytes.size())) return false;
    }
    return true;
  }

  void copy_element(const std::array<uint32_t, kDims>& at) {
    const Ends ends = ends_of(at);
    if (ends.has_target)
      write(ends.to, ends.has_source ? read(ends.from) : copy_.pad);
    else
      ++dropped_;
  }

  uint64_t read(int64_t element) {
    uint64_t value = 0;
    if (width_ == 4) {
      std::byte pair{};
      from_->read(element >> 1, {&pair, 1});
      return static_cast<uint64_t>(pair) >> (4 * (element & 1)) & 15;
    }
    from_->read(element * int64_t{width_ / 8}, std::as_writable_bytes(std::span(&value, 1)).first(width_ / 8));
    return value;
  }
  void write(int64_t element, uint64_t value) {
    if (width_ != 4) return to_.write(element * int64_t{width_ / 8}, std::as_bytes(std::span(&value, 1)).first(width_ / 8));
    const unsigned shift = 4 * (element & 1);
    std::byte& pair = to_.from(element >> 1)[0];
    pair = (pair & static_cast<std::byte>(0xf0u >> shift)) | static_cast<std::byte>((value & 15) << shift);
  }

  bool spend(uint64_t bytes) {
    spent_ += bytes;
    if (spent_ < kBytesPerLook) return true;
    spent_ = 0;
    progress_.work();
    return !progress_.aborted();
  }

  const kawara_copy& copy_;
  const Progress& progress_;
  unsigned width_;
  Window to_;
  std::optional<Window> from_, indices_;
  std::array<uint32_t, kDims> extent_{};
  unsigned row_ = kDims - 1;  // rows go along the last dimension that has more than one element
  bool whole_rows_ = false;
  uint64_t spent_ = 0, dropped_ = 0;
};

}  // namespace

bool host_copy(const Job& job, const kawara_copy& copy, const Progress& progress, uint64_t& dropped) {
  HostCopy whole(job, copy, progress);
  const bool done = whole.run();
  if (copy.header.flags & KAWARA_HEADER_HEALTH) dropped += whole.dropped();
  return done;
}

}  // namespace kawara::emulator::vulkan
