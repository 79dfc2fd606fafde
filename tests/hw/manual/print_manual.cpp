// SPDX-License-Identifier: Apache-2.0
// print_manual FILE: writes the manual there.
#include <cstdio>
#include <exception>
#include <fstream>

#include "manual.h"

int main(int count, char** arguments) {
  if (count != 2) return std::fputs("print_manual FILE\n", stderr), 2;
  try {
    std::ofstream file(arguments[1], std::ios::binary);
    file << kawara::manual::text();
    if (!file.flush()) return std::fprintf(stderr, "print_manual: cannot write %s\n", arguments[1]), 1;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "print_manual: %s\n", error.what()), 1;
  }
}
