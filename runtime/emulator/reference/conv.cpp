// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "emulator/reference/commands.h"
#include "emulator/reference/planes.h"
#include "emulator/reference/product.h"
#include "emulator/reference/section.h"
#include "emulator/stride.h"

namespace kawara::emulator::reference {
namespace {

// Blocks: output channels (of any groups), output positions, terms of a sum. Channels are a multiple of every acc_group.
constexpr unsigned kChannels = 240, kPositions = 64, kTerms = 256;

struct Extents {
  uint32_t N, groups, IC, OC;
  std::array<uint32_t, 3> out;
};

// Outputs that follow one another along x: lanes [first, first + count) of a block.
struct Run {
  std::array<uint32_t, 3> at;
  unsigned first, count;
};

// Number k of a sum: input channel, then kernel position z, y, x, the last fastest.
struct Term {
  uint32_t channel;
  std::array<uint32_t, 3> kernel;
};

Term term(const kawara_conv& conv, uint64_t k) {
  Term result{};
  for (unsigned dim = 3; dim-- > 0;) result.kernel[dim] = static_cast<uint32_t>(k % conv.kernel[dim]), k /= conv.kernel[dim];
  result.channel = static_cast<uint32_t>(k);
  return result;
}

template <typename T>
class Convolution {
 public:
  Convolution(const Job& job, const kawara_conv& conv, const Extents& extents)
      : conv_(conv),
        extents_(extents),
        input_(address(job, conv.a)),
        weights_(address(job, conv.b)),
        scale_(job, conv.b_scale, conv.b_scale_dtype),
        zero_(job, conv.b_zero, conv.b_zero_dtype),
        terms_of_weights_(size_t{kChannels} * kTerms),
        patches_(size_t{kPositions} * kTerms),
        sums_(size_t{kChannels + kTileRows} * kPositions) {
    const Plane input_zero(job, conv.a_zero, conv.a_zero_dtype);
    if (input_zero) input_zero_ = input_zero.at<int64_t>(0), real_input_zero_ = input_zero.at<float>(0);
    border_ = visit_dtype(conv.a_dtype, [&](auto codec) {
      constexpr unsigned kBits = decltype(codec)::kBits;
      if constexpr (std::is_floating_point_v<typename decltype(codec)::Widened>)
        return worth<T>(std::bit_cast<float>(conv.pad_value));
      else
        return worth<T>(codec.value(kBits < 32 ? conv.pad_value & ((1u << kBits % 32) - 1) : conv.pad_value));
    });
  }

  // Sums of channels [first, first + channels) of the whole output, for the positions of `runs` in image n. Row c of
  // sums() is channel first + c. False when the job is to stop.
  bool sum(uint32_t n, uint64_t first, unsigned channels, const std::vector<Run>& runs, unsigned positions, Pace& pace) {
    std::ranges::fill(sums_, T{0});
    const uint64_t terms = uint64_t{extents_.IC} * conv_.kernel[0] * conv_.kernel[1] * conv_.kernel[2];
    for (unsigned done = 0; done < channels;) {
      const auto group = static_cast<uint32_t>((first + done) / extents_.OC), channel = static_cast<uint32_t>((first + done) % extents_.OC);
      const unsigned rows = std::min<uint32_t>(channels - done, extents_.OC - channel);
      for (uint64_t k0 = 0; k0 < terms; k0 += kTerms) {
        const auto count = static_cast<unsigned>(std::min<uint64_t>(kTerms, terms - k0));
        unpack_weights(group, channel, rows, k0, count);
        unpack_patches(n, group, runs, k0, count);
        multiply(rows, positions, count, done);
        if (!pace.spend(uint64_t{count} * (rows * positions / 4 + rows + positions))) return false;
      }
      done += rows;
    }
    return true;
  }

  const T* sums() const { return sums_.data(); }

 private:
  template <typename To, typename Widened>
  To worth(Widened value) const {
    return less_zero<To>(value, input_zero_, real_input_zero_);
  }

  // Whole tiles but the last: its spare rows would write into the next group's, so it goes through a tile of its own.
  void multiply(unsigned rows, unsigned positions, unsigned count, unsigned done) {
    const unsigned whole = rows / kTileRows * kTileRows;
    accumulate_block(terms_of_weights_.data(), whole, patches_.data(), kPositions, positions, count, &sums_[size_t{done} * kPositions],
                     kPositions);
    if (whole == rows) return;
    std::array<T, kTileRows * kPositions> tile{};
    T* const rest = &sums_[size_t{done + whole} * kPositions];
    std::copy_n(rest, (rows - whole) * kPositions, tile.begin());
    accumulate_block(terms_of_weights_.data() + size_t{whole} * count, kTileRows, patches_.data(), kPositions, positions, count,
                     tile.data(), kPositions);
    std::copy_n(tile.begin(), (rows - whole) * kPositions, rest);
  }

  void unpack_weights(uint32_t group, uint32_t channel0, unsigned rows, uint64_t k0, unsigned count) {
    visit_dtype(conv_.b_dtype, [&](auto codec) {
      for (unsigned row = 0; row < rows; ++row) {
        const int64_t channel = channel0 + row;
        const auto plane_at = [&](const int32_t* stride) { return int64_t{stride[0]} * group + stride[1] * channel; };
        const int64_t zero = zero_ ? zero_.at<int64_t>(plane_at(conv_.b_zero_stride)) : 0;
        const float real_zero = zero_ ? zero_.at<float>(plane_at(conv_.b_zero_stride)) : 0.0f;
        const float scale = scale_ ? scale_.at<float>(plane_at(conv_.b_scale_stride)) : 1.0f;
        const int64_t start = conv_.b_stride[0] * group + conv_.b_stride[1] * channel;
        T* out = &terms_of_weights_[size_t{row / kTileRows} * count * kTileRows + row % kTileRows];
        Term at = term(conv_, k0);
        for (unsigned k = 0; k < count; ++k, out += kTileRows) {
          int64_t index = start + conv_.b_stride[2] * at.channel;
          for (unsigned dim = 0; dim < 3; ++dim) index += conv_.b_stride[3 + dim] * at.kernel[dim];
          const T element = less_zero<T>(codec.value(read_bits<decltype(codec)::kBits>(weights_, index)), zero, real_zero);
          *out = scale_ ? static_cast<T>(element * scale) : element;
          advance(at);
        }
      }
    });
  }

  void advance(Term& at) const {
    for (unsigned dim = 3; dim-- > 0;) {
      if (++at.kernel[dim] < conv_.kernel[dim]) return;
      at.kernel[dim] = 0;
    }
    ++at.channel;
  }

  void unpack_patches(uint32_t n, uint32_t group, const std::vector<Run>& runs, uint64_t k0, unsigned count) {
    visit_dtype(conv_.a_dtype, [&](auto codec) {
      Term at = term(conv_, k0);
      for (unsigned k = 0; k < count; ++k) {
        const int64_t start = moved(moved(moved(0, n, conv_.a_stride[0]), group, conv_.a_stride[1]), at.channel, conv_.a_stride[2]);
        for (const Run& run : runs) unpack_run(codec, start, at, run, &patches_[size_t{k} * kPositions + run.first]);
        advance(at);
      }
    });
  }

  template <typename Codec>
  void unpack_run(Codec codec, int64_t start, const Term& at, const Run& run, T* out) const {
    const auto element = [&](int64_t index) { return worth<T>(codec.value(read_bits<Codec::kBits>(input_, index))); };
    if ((conv_.flags & KAWARA_CONV_TRANSPOSED) != 0) {
      // Positions between the inputs take no part at all: 0, not the border.
      for (unsigned i = 0; i < run.count; ++i) {
        int64_t index = start;
        bool meets = true;
        for (unsigned dim = 0; dim < 3; ++dim) {
          const int64_t spread = int64_t{run.at[dim]} + (dim == 2 ? i : 0) + conv_.pad[dim] - int64_t{at.kernel[dim]} * conv_.dilation[dim];
          meets &= spread >= 0 && spread % conv_.stride[dim] == 0 && spread / conv_.stride[dim] < conv_.in[dim];
          index = moved(index, spread / conv_.stride[dim], conv_.a_stride[3 + dim]);
        }
        out[i] = meets ? element(index) : T{0};
      }
      return;
    }
    bool inside = true;
    for (unsigned dim = 0; dim < 2; ++dim) {
      const int64_t position = int64_t{run.at[dim]} * conv_.stride[dim] + int64_t{at.kernel[dim]} * conv_.dilation[dim] - conv_.pad[dim];
      inside &= position >= 0 && position < conv_.in[dim];
      start = moved(start, position, conv_.a_stride[3 + dim]);
    }
    // Lanes [low, high) lie inside along x.
    const int64_t step = conv_.stride[2], first = int64_t{run.at[2]} * step + int64_t{at.kernel[2]} * conv_.dilation[2] - conv_.pad[2];
    const auto reached = [&](int64_t position) {
      return position <= first ? 0 : std::min<int64_t>((position - first + step - 1) / step, run.count);
    };
    const int64_t low = inside ? reached(0) : run.count, high = inside ? std::max(low, reached(conv_.in[2])) : run.count;
    std::fill(out, out + low, border_);
    for (int64_t i = low; i < high; ++i) out[i] = element(moved(start, first + i * step, conv_.a_stride[5]));
    std::fill(out + high, out + run.count, border_);
  }

  const kawara_conv& conv_;
  const Extents& extents_;
  const std::byte *input_, *weights_;
  Plane scale_, zero_;
  int64_t input_zero_ = 0;
  float real_input_zero_ = 0;
  T border_{};
  std::vector<T> terms_of_weights_, patches_, sums_;
};

// Positions [first, first + count) of the output plane, z-y-x order, as runs along x.
std::vector<Run> cut(const std::array<uint32_t, 3>& out, uint64_t first, unsigned count) {
  std::vector<Run> runs;
  for (unsigned done = 0; done < count;) {
    const uint64_t position = first + done, row = position / out[2];
    const auto x = static_cast<uint32_t>(position % out[2]);
    const unsigned length = std::min<uint32_t>(count - done, out[2] - x);
    runs.push_back({{static_cast<uint32_t>(row / out[1]), static_cast<uint32_t>(row % out[1]), x}, done, length});
    done += length;
  }
  return runs;
}

template <typename T>
void convolve(const Job& job, const kawara_conv& conv, const Extents& extents, Section& epilogue, unsigned group, Pace& pace) {
  Convolution<T> convolution(job, conv, extents);
  const uint64_t channels = uint64_t{extents.groups} * extents.OC, positions = uint64_t{extents.out[0]} * extents.out[1] * extents.out[2];
  for (uint32_t n = 0; n < extents.N; ++n) {
    for (uint64_t p0 = 0; p0 < positions; p0 += kPositions) {
      const auto count = static_cast<unsigned>(std::min<uint64_t>(kPositions, positions - p0));
      const std::vector<Run> runs = cut(extents.out, p0, count);
      for (uint64_t c0 = 0; c0 < channels; c0 += kChannels) {
        const auto block = static_cast<unsigned>(std::min<uint64_t>(kChannels, channels - c0));
        if (!convolution.sum(n, c0, block, runs, count, pace)) return;
        for (unsigned c = 0; c < block / group; ++c) {
          for (const Run& run : runs) {
            const auto* first = reinterpret_cast<const uint32_t*>(convolution.sums() + size_t{c} * group * kPositions + run.first);
            epilogue.run({n, static_cast<uint32_t>(c0 / group) + c, run.at[0], run.at[1], run.at[2]}, run.count, {first, kPositions, 1});
          }
          if (!pace.spend(epilogue.cost() * (20 * runs.size() + count))) return;
        }
      }
    }
  }
}

}  // namespace

void run_conv(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health) {
  const auto& conv = command.body<kawara_conv>();
  const Extents extents{limit.clamp(0, conv.N),
                        limit.clamp(1, conv.groups),
                        limit.clamp(2, conv.IC),
                        limit.clamp(3, conv.OC),
                        {limit.clamp(4, conv.out[0]), limit.clamp(5, conv.out[1]), limit.clamp(6, conv.out[2])}};
  if (extents.N == 0 || extents.groups == 0 || extents.OC == 0 || std::ranges::find(extents.out, 0u) != extents.out.end()) return;
  const unsigned group = std::max<unsigned>(command.section().fields().acc_group, 1);
  constexpr unsigned kXLoop = 4;
  const auto columns = static_cast<uint32_t>(uint64_t{extents.groups} * extents.OC / group);
  Section epilogue(job, command.section(), {extents.N, columns, extents.out[0], extents.out[1], extents.out[2], 1, 1, 1, 1}, kXLoop,
                   health);
  if (conv.acc_dtype == KAWARA_DTYPE_i32)
    convolve<int32_t>(job, conv, extents, epilogue, group, pace);
  else
    convolve<float>(job, conv, extents, epilogue, group, pace);
}

}  // namespace kawara::emulator::reference
