// SPDX-License-Identifier: Apache-2.0
// Prints a hash of each small model's compiled program: the same lines from every build and in every environment.
// --comma: as a program would find it whose locale writes 1.234,5.
#include <clocale>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <locale>
#include <sstream>

#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "build.h"
#include "compiler/small_models.h"
#include "emit.h"

namespace kawara::compiler {
namespace {

class Comma : public std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

std::string file_of(const Program& program) {
  const auto path = std::filesystem::temp_directory_path() / ("program_digests." + std::to_string(getpid()) + ".kwr");
  program.save(path);
  std::stringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  std::filesystem::remove(path);
  return bytes.str();
}

void print_digests() {
  for (const auto& [name, bytes] : small_models()) {
    Graph graph = read(bytes);
    specialise(graph, shapes_of(graph));
    const std::string file = file_of(build(std::move(graph), find_target("k1")));
    const XXH128_hash_t hash = XXH3_128bits(file.data(), file.size());
    std::printf("%s %016llx%016llx\n", name.c_str(), static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  }
}

}  // namespace
}  // namespace kawara::compiler

int main(int count, char** arguments) {
  std::setlocale(LC_ALL, "");
  if (count > 1 && std::strcmp(arguments[1], "--comma") == 0)
    std::locale::global(std::locale(std::locale::classic(), new kawara::compiler::Comma));
  kawara::compiler::print_digests();
}
