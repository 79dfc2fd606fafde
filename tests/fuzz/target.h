// SPDX-License-Identifier: Apache-2.0
// What every fuzz target gives: a run over any bytes, inputs that are right to start from, and a way to spoil them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace kawara::fuzz {

using Bytes = std::vector<std::byte>;

struct Seed {
  std::string name;
  Bytes bytes;
};

// True: the input was right, and went all the way through what the target tests. False: it was refused with an error of
// ours. What breaks a promise ends the process.
bool accepts(std::span<const std::byte> input);

// Inputs that are accepted.
std::vector<Seed> seeds();

// Changes the input by its structure, so that what is not changed stays right. `most`: how long it may become.
void mutate(Bytes& input, size_t most, std::mt19937& random);

// Ends the process where a promise is broken, as a sanitizer does.
inline void promise(bool kept, const char* sentence) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", sentence);
  std::abort();
}

// A value at one of the edges where mistakes are made, or any.
inline uint64_t awkward(std::mt19937& random) {
  static constexpr uint64_t edges[] = {0, 1, 2, 3, 7, 8, 15, 16, 63, 64, 255, 256, 4095, 4096, 0x7fff, 0x8000, 0xffff};
  const uint64_t edge = edges[random() % std::size(edges)];
  switch (random() % 6) {
    case 0: return edge;
    case 1: return ~edge + 1;
    case 2: return uint64_t{1} << random() % 64;
    case 3: return (uint64_t{1} << random() % 64) - 1;
    case 4: return random() % 32;
    default: return uint64_t{random()} << 32 | random();
  }
}

inline Bytes bytes_of_text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}
inline std::string_view text_of_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace kawara::fuzz
