// SPDX-License-Identifier: Apache-2.0
// What this machine's processor reaches in f32 multiply-adds: independent ones, in registers, on every core, the best of many bursts.
#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

#include <fmt/core.h>

namespace {

constexpr size_t kBursts = 400;
constexpr uint64_t kSteps = 500'000;  // of a burst: a millisecond or two, shorter than the turn of another process
constexpr int kAccumulators = 12;     // more than what two units with a latency of five need, fewer than there are registers

// The lanes of an intrinsic's vector, its multiply-add compiled for the processor that has it. Each sum has a name: those of
// an array would go to memory and back. The empty assembly keeps the compiler from foreseeing them.
#define KAWARA_BURST(name, features, vector, set1, fmadd)                                                                   \
  [[gnu::target(features), gnu::noinline]] float name() {                                                                   \
    const vector factor = set1(0.5f), term = set1(0.5f);                                                                    \
    vector a = set1(1.0f), b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;                     \
    for (uint64_t step = 0; step < kSteps; ++step) {                                                                        \
      a = fmadd(a, factor, term), b = fmadd(b, factor, term), c = fmadd(c, factor, term), d = fmadd(d, factor, term);       \
      e = fmadd(e, factor, term), f = fmadd(f, factor, term), g = fmadd(g, factor, term), h = fmadd(h, factor, term);       \
      i = fmadd(i, factor, term), j = fmadd(j, factor, term), k = fmadd(k, factor, term), l = fmadd(l, factor, term);       \
      asm("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h), "+x"(i), "+x"(j), "+x"(k), "+x"(l)); \
    }                                                                                                                       \
    return (a + b + c + d + e + f + g + h + i + j + k + l)[0];                                                              \
  }
KAWARA_BURST(burst_of_8, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps)
KAWARA_BURST(burst_of_16, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps)
#undef KAWARA_BURST

double best_gflops(float (*burst)(), int lanes, size_t cores) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  Clock::time_point begin;
  // Runs between the bursts of all cores, alone: the time of the slowest counts.
  std::barrier together(static_cast<std::ptrdiff_t>(cores), [&]() noexcept {
    const auto now = Clock::now();
    const double operations = 2.0 * lanes * kAccumulators * kSteps * static_cast<double>(cores);
    if (begin != Clock::time_point{}) best = std::max(best, operations / std::chrono::duration<double, std::nano>(now - begin).count());
    begin = Clock::now();
  });
  std::vector<std::jthread> threads;
  for (size_t core = 0; core < cores; ++core) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      for (size_t i = 0; i < kBursts; ++i) {
        [[maybe_unused]] volatile float kept = burst();
        together.arrive_and_wait();
      }
    });
  }
  threads.clear();  // joins
  return best;
}

}  // namespace

int main() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  const auto cores = static_cast<size_t>(CPU_COUNT(&set));
  double best = 0;
  int lanes = 0;
  // The wider one is not always the faster one.
  const auto measure = [&](float (*burst)(), int width) {
    if (const double rate = best_gflops(burst, width, cores); rate > best) best = rate, lanes = width;
  };
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) measure(burst_of_8, 8);
  if (__builtin_cpu_supports("avx512f")) measure(burst_of_16, 16);
  if (lanes == 0) {
    fmt::print(stderr, "this processor has no multiply-add over 8 or 16 lanes\n");
    return 1;
  }
  fmt::print(R"({{"gflops": {:.1f}, "what": "f32 multiply-adds in registers, {} lanes, {} cores, best of {} bursts"}})"
             "\n",
             best, lanes, cores, kBursts);
  return 0;
}
