// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_product.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "emulator/vulkan/lane_product_shader.h"
#include "emulator/vulkan/magic_divisor.h"
#include "emulator/vulkan/recorder.h"

namespace kawara::emulator::vulkan {

namespace {

// A multiplication on two cores of a software device, generously: it bounds the time to an abort.
constexpr uint64_t kTermPicoseconds = 100;

// Tiles below each other that take turns: with 64 rows of weights and the inputs of a tile, chunks stay within 48 KiB.
constexpr uint64_t kBlockRowsMax = 8;

struct Chunk {
  uint32_t first, depth;
};

// Long chunks take sums through memory less often; each length is a shader to compile, the longer the slower.
uint32_t chunk_of(const LaneProduct& product, uint32_t depth) {
  const uint32_t taps = product.kernel[0] * product.kernel[1];
  if (taps == 1) {
    for (const uint32_t terms : {128u, 96u, 64u, 32u})
      if (depth >= terms) return terms;
    return depth;
  }
  // All chunks alike, where that goes.
  const uint32_t most = LaneProduct::kTapsMax / taps;
  for (uint32_t each = most; each > most / 2; --each)
    if (product.depth % each == 0) return each;
  return std::min(depth, most);
}

class Builder {
 public:
  Builder(Recorder& recorder, const LaneProduct& product)
      : recorder_(recorder), product_(product), tile_rows_(LaneProduct::rows_of_tile(recorder.software_lanes(), product.rows)) {}

  // All batches of one chunk run beside each other; the next chunk adds to what they wrote.
  void add_chunk(const Chunk& chunk, bool has_old) {
    recorder_.start_pass();
    for (uint32_t outer = 0; outer < product_.batches[0]; ++outer)
      for (uint32_t inner = 0; inner < product_.batches[1]; ++inner) add_batch(chunk, has_old, {outer, inner});
  }

 private:
  uint32_t taps() const { return product_.kernel[0] * product_.kernel[1]; }
  uint32_t terms_of(const Chunk& chunk) const { return chunk.depth * taps(); }
  static Place moved(Place place, int64_t elements) {
    place.offset += static_cast<uint64_t>(elements * 4);
    return place;
  }
  static int64_t at(const std::array<int64_t, 2>& stride, const std::array<uint32_t, 2>& batch) {
    return stride[0] * batch[0] + stride[1] * batch[1];
  }

  struct Tiles {
    uint64_t row = 0, rows = 0, blocks = 0, block_rows = 0, column = 0, columns = 0;
  };

  // Blocks of rows, and as many columns as a dispatch may have and a slice's time allows.
  void add_batch(const Chunk& chunk, bool has_old, const std::array<uint32_t, 2>& batch) {
    const uint64_t row_tiles = (product_.rows + tile_rows_ - 1) / tile_rows_;
    const uint64_t column_tiles = (product_.columns + LaneProduct::kColumns - 1) / LaneProduct::kColumns;
    const uint64_t tile_ps = uint64_t{tile_rows_} * LaneProduct::kColumns * terms_of(chunk) * kTermPicoseconds;
    const uint64_t most = std::min<uint64_t>(kGroupsOfProduct * kTilesOfGroup, Recording::kSliceNs * 1000 / tile_ps);
    for (uint64_t row = 0; row < row_tiles; row += kGroupsOfProduct) {
      Tiles tiles;
      tiles.row = row;
      tiles.rows = std::min<uint64_t>(kGroupsOfProduct, row_tiles - row);
      tiles.blocks = (tiles.rows + kBlockRowsMax - 1) / kBlockRowsMax;
      tiles.block_rows = (tiles.rows + tiles.blocks - 1) / tiles.blocks;
      const uint64_t each = std::max<uint64_t>(1, most / (tiles.blocks * tiles.block_rows));
      for (tiles.column = 0; tiles.column < column_tiles; tiles.column += each) {
        tiles.columns = std::min(each, column_tiles - tiles.column);
        add_tiles(chunk, has_old, batch, tiles);
      }
    }
  }

  void add_tiles(const Chunk& chunk, bool has_old, const std::array<uint32_t, 2>& batch, const Tiles& tiles) {
    const auto first_column = static_cast<int64_t>(tiles.column) * LaneProduct::kColumns;
    const auto first_row = static_cast<int64_t>(tiles.row) * tile_rows_;
    const Place weights = moved(product_.weights, at(product_.weights_batch, batch) + first_row * product_.weights_row),
                inputs = moved(product_.inputs, at(product_.inputs_batch, batch) + first_column),
                sums = moved(product_.sums, at(product_.sums_batch, batch) + first_row * product_.sums_row + first_column);
    LanePush push{};
    push.weights_row = static_cast<uint32_t>(product_.weights_row * 4);
    push.inputs_depth = static_cast<uint32_t>(product_.inputs_depth * 4);
    push.tap_line = static_cast<uint32_t>(product_.tap_line * 4);
    push.sums_row = static_cast<uint32_t>(product_.sums_row * 4);
    push.old_row = has_old ? push.sums_row : 0;
    push.old_column = has_old ? LaneProduct::kColumns * 4 : 0;
    push.row_tiles = static_cast<uint32_t>(tiles.rows);
    push.block_rows = static_cast<uint32_t>(tiles.block_rows);
    push.block_rows_magic = MagicDivisor(push.block_rows).magic;
    push.block_rows_shift = MagicDivisor(push.block_rows).shift;
    push.columns = static_cast<uint32_t>(tiles.columns);
    push.columns_magic = MagicDivisor(push.columns).magic;
    push.columns_shift = MagicDivisor(push.columns).shift;
    push.spare_column =
        static_cast<uint32_t>(product_.columns / LaneProduct::kColumns + (product_.columns % LaneProduct::kColumns != 0) - tiles.column);
    for (uint32_t i = 0; i < std::size(push.number); ++i) push.number[i] = i;

    Dispatch dispatch;
    dispatch.is_pushed = true;
    dispatch.parameters.resize(sizeof(push));
    std::memcpy(dispatch.parameters.data(), &push, sizeof(push));
    LanePush idle{};  // one address for all that it reads and writes
    idle.row_tiles = idle.block_rows = idle.columns = 1;
    std::ranges::copy(push.number, idle.number);
    dispatch.idle_parameters.resize(sizeof(idle));
    std::memcpy(dispatch.idle_parameters.data(), &idle, sizeof(idle));
    dispatch.slots = {{offsetof(LanePush, weights), moved(weights, int64_t{chunk.first} * taps())},
                      {offsetof(LanePush, inputs), moved(inputs, chunk.first * product_.inputs_depth)},
                      {offsetof(LanePush, sums), sums},
                      {offsetof(LanePush, old), has_old ? sums : Place{Place::kZeros, 0}}};
    const uint64_t count = tiles.blocks * tiles.block_rows * tiles.columns;
    dispatch.groups_x = static_cast<uint32_t>((count + kTilesOfGroup - 1) / kTilesOfGroup);
    dispatch.estimate_ns = count * tile_rows_ * LaneProduct::kColumns * terms_of(chunk) * kTermPicoseconds / 1000;
    const LaneTerms terms{chunk.depth, product_.kernel, tile_rows_, recorder_.software_lanes()};
    recorder_.add_dispatch(std::move(dispatch),
                           fmt::format("lane product {} of {}x{} by {}", terms.depth, terms.kernel[0], terms.kernel[1], terms.rows),
                           [&] { return lane_product_shader(terms); });
  }

  Recorder& recorder_;
  const LaneProduct& product_;
  uint32_t tile_rows_;
};

}  // namespace

bool LaneProduct::pays(uint64_t rows, uint64_t depth, uint64_t columns) {
  constexpr uint64_t kTermsMin = 1 << 17;  // below it, dispatches cost more than terms
  return rows >= kRowsMin && depth >= 8 && columns >= kColumns / 2 && rows * depth * columns >= kTermsMin &&
         rows * columns < uint64_t{1} << 31;
}

void add_lane_product(Recorder& recorder, const LaneProduct& product) {
  Builder builder(recorder, product);
  bool has_old = false;
  for (uint32_t first = 0; first < product.depth; has_old = true) {
    const uint32_t depth = std::min(chunk_of(product, product.depth - first), product.depth - first);
    builder.add_chunk({first, depth}, has_old);
    first += depth;
  }
}

}  // namespace kawara::emulator::vulkan
