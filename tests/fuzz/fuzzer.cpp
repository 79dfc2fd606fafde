// SPDX-License-Identifier: Apache-2.0
// Joins a target to libFuzzer. `fuzz_NAME --seeds=FOLDER` writes its seeds there, tries each, and runs nothing else.
#include <cstring>
#include <filesystem>
#include <fstream>

#include "fuzz/target.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace kawara::fuzz {
namespace {

int write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::vector<Seed> all = seeds();
  for (const Seed& seed : all) {
    if (!accepts(seed.bytes)) {
      std::fprintf(stderr, "seed %s is refused: the fuzzer would stay at the surface\n", seed.name.c_str());
      return 1;
    }
    std::ofstream file(folder / seed.name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.bytes.data()), static_cast<std::streamsize>(seed.bytes.size()));
    if (!file.flush()) return 1;
  }
  std::printf("%zu seeds, all accepted\n", all.size());
  return 0;
}

}  // namespace
}  // namespace kawara::fuzz

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  static constexpr char option[] = "--seeds=";
  for (int i = 1; i < *count; ++i)
    if (std::strncmp((*arguments)[i], option, sizeof(option) - 1) == 0)
      std::exit(kawara::fuzz::write_seeds((*arguments)[i] + sizeof(option) - 1));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kawara::fuzz::accepts(std::as_bytes(std::span(data, size)));
  return 0;
}

// One time in four libFuzzer's own: it knows the constants that the code compares with.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  std::mt19937 random(seed);
  if (random() % 4 == 0) return LLVMFuzzerMutate(data, size, most);
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  kawara::fuzz::Bytes input(begin, begin + size);
  kawara::fuzz::mutate(input, most, random);
  input.resize(std::min(input.size(), most));
  if (!input.empty()) std::memcpy(data, input.data(), input.size());
  return input.size();
}
