// SPDX-License-Identifier: Apache-2.0
// kawara_ulp: measures every published sequence over all f32 of its domain and prints the figures for sequences.def.
//   kawara_ulp [sequence…]
#include <bit>
#include <cstdio>
#include <cstring>

#include "emulator/reference/sequence_error.h"

int main(int count, char** arguments) {
  using namespace kawara;
  bool within = true;
  for (const SequenceBound& bound : kSequenceBounds) {
    bool wanted = count == 1;
    for (int i = 1; i < count; ++i) wanted |= std::strcmp(arguments[i], bound.name) == 0;
    if (!wanted) continue;
    test::SequenceError worst;
    for (uint64_t bits = 0; bits < 1ull << 32; bits += emulator::reference::kLanes) worst.measure(bound, static_cast<uint32_t>(bits), 1);
    std::printf("%-8s %.4f ulp at %.9g, subnormal results %.2f steps at %.9g, published %.3f\n", bound.name, worst.ulp, worst.at,
                worst.subnormal_steps, worst.subnormal_at, bound.ulp_times_1000 / 1000.0);
    within &= worst.ulp * 1000 <= bound.ulp_times_1000;
  }
  return within ? 0 : 1;
}
