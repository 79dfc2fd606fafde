// SPDX-License-Identifier: Apache-2.0
// A loop nest as the vector engine runs it, alone or at the end of a matrix command: loops, the streams that walk through
// memory with them, and the microcode of one point.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kawara/hw/encode.h"
#include "operator.h"
#include "points.h"

namespace kawara::compiler {

// value = floor((base + sum of coefficients * loop indices) / divisor); the address moves by value * stride elements. Outside
// [0, extent) a load gives the stream's pad.
struct Coordinate {
  int64_t stride = 1;
  int64_t extent = 1;
  int64_t base = 0;
  std::vector<int64_t> coefficients;  // per loop
  int64_t divisor = 1;
  uint8_t flags = 0;  // KAWARA_COORD_*
};

struct Stream {
  DType dtype = DType::none;
  uint32_t buffer = ~0u;
  int64_t offset = 0;  // elements
  std::vector<Coordinate> coordinates{};
  uint64_t pad = 0;  // bits of the dtype
};

// Bytes of a buffer that a command may touch.
struct Access {
  uint32_t buffer = ~0u;
  int64_t begin = 0, end = 0;
  bool write = false;
};

class Section {
 public:
  explicit Section(std::vector<int64_t> parallel, std::vector<int64_t> reduced = {});

  Points points;

  size_t loops() const { return extents_.size(); }
  int64_t extent(size_t loop) const { return extents_[loop]; }

  // Where a view lies, walked by loops: loop i moves by strides[i] elements, so one coordinate does.
  Stream walk(const View& view, DType dtype, std::span<const int64_t> strides) const;
  // Numbers for Points::load and store. An equal input is shared.
  unsigned input(Stream stream);
  unsigned output(Stream stream);

  // Joins neighbouring loops of [begin, end) wherever every stream, and each row of strides in `others`, steps through them
  // as through one, and drops loops of one trip: fewer divisions for each point. Returns the new end.
  size_t merge_loops(size_t begin, size_t end, std::span<std::vector<int64_t>* const> others = {});

  // A loop of one trip before loop `at`.
  void insert_loop(size_t at, std::span<std::vector<int64_t>* const> others = {});

  // As a command of its own. An operand's region is an index into the command's list of buffers.
  hw::Section encode_vector(std::vector<uint32_t>& buffers, std::vector<Access>& accesses);
  // As the end of a matrix command, whose loops these are.
  hw::Section encode_epilogue(std::vector<uint32_t>& buffers, std::vector<Access>& accesses) const;

 private:
  hw::Section encode(std::vector<uint32_t>& buffers, std::vector<Access>& accesses) const;
  kawara_coord encode(const Coordinate& coordinate) const;
  std::vector<std::vector<int64_t>*> rows(std::span<std::vector<int64_t>* const> others);
  void split_wide(Stream& stream) const;
  // Least and greatest value that a coordinate takes, clipped to its extent; nullopt when it is always outside.
  std::optional<std::pair<int64_t, int64_t>> range(const Coordinate& coordinate) const;
  Access access(const Stream& stream, bool write) const;

  std::vector<int64_t> extents_;
  size_t parallel_ = 0;
  std::vector<Stream> inputs_, outputs_;
};

// A number of trips or elements as a command's field; throws unsupported from 2^32 on.
uint32_t extent_field(int64_t extent);
// Index of a buffer in a command's list, added if it is not there.
uint32_t reference(std::vector<uint32_t>& buffers, uint32_t buffer);
// An operand that names an entry of that list; `elements` is where it starts in the buffer.
uint64_t reference_operand(std::vector<uint32_t>& buffers, uint32_t buffer, DType dtype, int64_t elements);
// The bytes that dense or strided access to a view of `shape` may touch.
Access access_of(uint32_t buffer, DType dtype, int64_t offset, std::span<const int64_t> extents, std::span<const int64_t> strides,
                 bool write);

}  // namespace kawara::compiler
