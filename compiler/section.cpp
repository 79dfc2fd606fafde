// SPDX-License-Identifier: Apache-2.0
#include "section.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

constexpr size_t kParallelMax = 6, kReducedMax = 3;
constexpr size_t kInputsMax = 8, kOutputsMax = 4;
constexpr size_t kCoordinatesMax = 48, kStreamCoordinatesMax = 4;
constexpr size_t kFirstReduced = 6;  // number of the first reduced loop in coef[] and extent[]
constexpr int64_t kSmallFootprint = int64_t{1} << 31;

bool fits_i32(int64_t value) { return value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max(); }

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

void limit(bool kept, std::string sentence) {
  if (!kept) throw Error(Code::unsupported, std::move(sentence));
}

}  // namespace

uint32_t extent_field(int64_t extent) {
  limit(extent >= 0 && extent <= std::numeric_limits<uint32_t>::max(), "a dimension of a command is below 2^32");
  return static_cast<uint32_t>(extent);
}

uint32_t reference(std::vector<uint32_t>& buffers, uint32_t buffer) {
  const auto at = std::ranges::find(buffers, buffer);
  if (at != buffers.end()) return static_cast<uint32_t>(at - buffers.begin());
  buffers.push_back(buffer);
  return static_cast<uint32_t>(buffers.size() - 1);
}

uint64_t reference_operand(std::vector<uint32_t>& buffers, uint32_t buffer, DType dtype, int64_t elements) {
  const int64_t offset_bits = elements * static_cast<int64_t>(bits(dtype));
  if (offset_bits < 0 || offset_bits % 8 != 0) throw fail(Code::internal, "an operand starts at bit {} of its buffer", offset_bits);
  return kawara_operand(reference(buffers, buffer), static_cast<uint64_t>(offset_bits / 8));
}

Access access_of(uint32_t buffer, DType dtype, int64_t offset, std::span<const int64_t> extents, std::span<const int64_t> strides,
                 bool write) {
  int64_t low = offset, high = offset;
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 0) return {.buffer = buffer, .begin = 0, .end = 0, .write = write};
    const int64_t reach = (extents[i] - 1) * strides[i];
    (reach < 0 ? low : high) += reach;
  }
  const auto width = static_cast<int64_t>(bits(dtype));
  return {.buffer = buffer, .begin = low * width / 8, .end = ((high + 1) * width + 7) / 8, .write = write};
}

Section::Section(std::vector<int64_t> parallel, std::vector<int64_t> reduced) : extents_(std::move(parallel)), parallel_(extents_.size()) {
  extents_.insert(extents_.end(), reduced.begin(), reduced.end());
}

Stream Section::walk(const View& view, DType dtype, std::span<const int64_t> strides) const {
  Coordinate flat{.coefficients = {strides.begin(), strides.end()}};
  int64_t low = 0, high = 0;
  for (size_t i = 0; i < extents_.size(); ++i) {
    const int64_t reach = (extents_[i] - 1) * strides[i];
    (reach < 0 ? low : high) += reach;
  }
  // Values start at 0, so the operand names the lowest element.
  flat.base = -low;
  flat.extent = high - low + 1;
  return {.dtype = dtype, .buffer = view.buffer, .offset = view.offset + low, .coordinates = {std::move(flat)}};
}

namespace {

bool same(const Coordinate& a, const Coordinate& b) {
  return a.stride == b.stride && a.extent == b.extent && a.base == b.base && a.coefficients == b.coefficients && a.divisor == b.divisor &&
         a.flags == b.flags;
}

bool same(const Stream& a, const Stream& b) {
  return a.dtype == b.dtype && a.buffer == b.buffer && a.offset == b.offset && a.pad == b.pad &&
         std::ranges::equal(a.coordinates, b.coordinates, [](const Coordinate& x, const Coordinate& y) { return same(x, y); });
}

}  // namespace

unsigned Section::input(Stream stream) {
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (same(inputs_[i], stream)) return static_cast<unsigned>(i);
  inputs_.push_back(std::move(stream));
  return static_cast<unsigned>(inputs_.size() - 1);
}

unsigned Section::output(Stream stream) {
  outputs_.push_back(std::move(stream));
  return static_cast<unsigned>(outputs_.size() - 1);
}

std::vector<std::vector<int64_t>*> Section::rows(std::span<std::vector<int64_t>* const> others) {
  std::vector<std::vector<int64_t>*> rows(others.begin(), others.end());
  for (auto* streams : {&inputs_, &outputs_})
    for (Stream& stream : *streams)
      for (Coordinate& coordinate : stream.coordinates) rows.push_back(&coordinate.coefficients);
  return rows;
}

void Section::insert_loop(size_t at, std::span<std::vector<int64_t>* const> others) {
  extents_.insert(extents_.begin() + static_cast<ptrdiff_t>(at), 1);
  for (auto* row : rows(others)) row->insert(row->begin() + static_cast<ptrdiff_t>(at), 0);
  if (at <= parallel_) ++parallel_;
}

size_t Section::merge_loops(size_t begin, size_t end, std::span<std::vector<int64_t>* const> others) {
  const auto rows = this->rows(others);
  const auto drop = [&](size_t loop) {
    extents_.erase(extents_.begin() + static_cast<ptrdiff_t>(loop));
    for (auto* row : rows) row->erase(row->begin() + static_cast<ptrdiff_t>(loop));
    if (loop < parallel_) --parallel_;
    --end;
  };
  for (size_t i = end; i-- > begin;)
    if (extents_[i] == 1) drop(i);
  for (size_t i = end; i-- > begin + 1;) {
    const bool joined = std::ranges::all_of(rows, [&](const auto* row) { return (*row)[i - 1] == (*row)[i] * extents_[i]; });
    if (!joined) continue;
    extents_[i] *= extents_[i - 1];
    drop(i - 1);
  }
  return end;
}

// A footprint of 2^31 elements or more takes a coordinate per loop.
void Section::split_wide(Stream& stream) const {
  if (stream.coordinates.size() != 1 || stream.coordinates[0].extent < kSmallFootprint) return;
  const Coordinate whole = stream.coordinates[0];
  if (whole.stride != 1 || whole.divisor != 1) return;
  stream.coordinates.clear();
  stream.offset += whole.base;
  for (size_t i = 0; i < extents_.size(); ++i) {
    if (whole.coefficients[i] == 0 || extents_[i] == 1) continue;
    Coordinate part{.stride = whole.coefficients[i], .extent = extents_[i], .coefficients = std::vector<int64_t>(extents_.size())};
    part.coefficients[i] = 1;
    stream.coordinates.push_back(std::move(part));
  }
}

kawara_coord Section::encode(const Coordinate& coordinate) const {
  limit(fits_i32(coordinate.base) && coordinate.extent < kSmallFootprint && coordinate.divisor < kSmallFootprint,
        "a coordinate's base, extent and divisor must be below 2^31");
  kawara_coord coord{};
  coord.stride = coordinate.stride;
  coord.extent = static_cast<uint32_t>(coordinate.extent);
  coord.base = static_cast<int32_t>(coordinate.base);
  for (size_t i = 0; i < extents_.size(); ++i) {
    limit(fits_i32(coordinate.coefficients[i]), "a coordinate's coefficients must be below 2^31");
    coord.coef[i < parallel_ ? i : kFirstReduced + i - parallel_] = static_cast<int32_t>(coordinate.coefficients[i]);
  }
  coord.den = static_cast<uint32_t>(coordinate.divisor);
  coord.flags = coordinate.flags;
  return coord;
}

std::optional<std::pair<int64_t, int64_t>> Section::range(const Coordinate& coordinate) const {
  int64_t low = coordinate.base, high = coordinate.base;
  for (size_t i = 0; i < extents_.size(); ++i) {
    const int64_t reach = (extents_[i] - 1) * coordinate.coefficients[i];
    (reach < 0 ? low : high) += reach;
  }
  if (coordinate.flags & KAWARA_COORD_INDEXED) return std::pair{int64_t{0}, coordinate.extent - 1};
  low = floor_divide(low, coordinate.divisor);
  high = floor_divide(high, coordinate.divisor);
  if (coordinate.flags & KAWARA_COORD_CLAMP)
    return std::pair{std::clamp(low, int64_t{0}, coordinate.extent - 1), std::clamp(high, int64_t{0}, coordinate.extent - 1)};
  if (high < 0 || low >= coordinate.extent) return std::nullopt;
  return std::pair{std::max(low, int64_t{0}), std::min(high, coordinate.extent - 1)};
}

Access Section::access(const Stream& stream, bool write) const {
  int64_t low = stream.offset, high = stream.offset;
  for (const Coordinate& coordinate : stream.coordinates) {
    const auto values = range(coordinate);
    if (!values) return {.buffer = stream.buffer, .begin = 0, .end = 0, .write = write};
    const int64_t first = values->first * coordinate.stride, second = values->second * coordinate.stride;
    low += std::min(first, second);
    high += std::max(first, second);
  }
  const auto width = static_cast<int64_t>(bits(stream.dtype));
  return {.buffer = stream.buffer, .begin = low * width / 8, .end = ((high + 1) * width + 7) / 8, .write = write};
}

hw::Section Section::encode(std::vector<uint32_t>& buffers, std::vector<Access>& accesses) const {
  limit(inputs_.size() <= kInputsMax,
        fmt::format("a command reads at most {} tensors in its loop nest, this needs {}", kInputsMax, inputs_.size()));
  limit(outputs_.size() <= kOutputsMax, fmt::format("a command writes at most {} tensors, this needs {}", kOutputsMax, outputs_.size()));
  hw::Section encoded;
  auto code = points.finish(static_cast<unsigned>(inputs_.size()));
  limit(code.has_value(), code.has_value() ? "" : code.error());
  encoded.constants = std::move(code->constants);
  encoded.phases = std::move(code->phases);
  encoded.instrs = std::move(code->instructions);
  bool wide = false;
  for (const auto* streams : {&inputs_, &outputs_}) {
    for (Stream stream : *streams) {
      split_wide(stream);
      limit(stream.coordinates.size() <= kStreamCoordinatesMax, "a tensor of 2^31 elements or more is walked through at most 4 loops");
      const Access bytes = access(stream, streams == &outputs_);
      accesses.push_back(bytes);
      wide |= bytes.end >= kSmallFootprint;
      kawara_stream row{};
      row.data = reference_operand(buffers, stream.buffer, stream.dtype, stream.offset);
      row.dtype = static_cast<uint8_t>(stream.dtype);
      row.first_coord = static_cast<uint8_t>(encoded.coords.size());
      row.n_coord = static_cast<uint8_t>(stream.coordinates.size());
      row.pad = stream.pad;
      size_t indexed = 0;
      for (const Coordinate& coordinate : stream.coordinates) {
        encoded.coords.push_back(encode(coordinate));
        if ((coordinate.flags & KAWARA_COORD_INDEXED) == 0) continue;
        const auto number = static_cast<uint32_t>(encoded.streams.size());
        encoded.coords.back().reg = code->index_registers.at(number).at(indexed++);
      }
      if (row.n_coord == 0) row.first_coord = 0;
      encoded.streams.push_back(row);
    }
  }
  limit(encoded.coords.size() <= kCoordinatesMax, fmt::format("a loop nest has at most {} coordinates", kCoordinatesMax));
  encoded.n_in = static_cast<uint8_t>(inputs_.size());
  encoded.index64 = wide;
  return encoded;
}

hw::Section Section::encode_vector(std::vector<uint32_t>& buffers, std::vector<Access>& accesses) {
  merge_loops(parallel_, loops());
  merge_loops(0, parallel_);
  const size_t reduced = loops() - parallel_;
  limit(parallel_ <= kParallelMax,
        fmt::format("a loop nest has at most {} parallel loops that can't be joined, this needs {}", kParallelMax, parallel_));
  limit(reduced <= kReducedMax,
        fmt::format("a loop nest has at most {} reduced loops that can't be joined, this needs {}", kReducedMax, reduced));
  hw::Section encoded = encode(buffers, accesses);
  for (size_t i = 0; i < loops(); ++i) encoded.extent[i < parallel_ ? i : kFirstReduced + i - parallel_] = extent_field(extents_[i]);
  encoded.n_par = static_cast<uint8_t>(parallel_);
  encoded.n_red = static_cast<uint8_t>(reduced);
  for (kawara_phase& phase : encoded.phases) phase.red_dims = static_cast<uint8_t>((1u << reduced) - 1);
  return encoded;
}

hw::Section Section::encode_epilogue(std::vector<uint32_t>& buffers, std::vector<Access>& accesses) const {
  hw::Section encoded = encode(buffers, accesses);
  encoded.acc_group = 1;
  return encoded;
}

}  // namespace kawara::compiler
