// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lavapipe_vectors.h"

#include "environment.h"
#include "kawara/environment.h"

namespace kawara::emulator::vulkan {

namespace {

bool has_vectors_of_512_bits() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

}  // namespace

// The environment is the only way to tell Mesa; shader_cache.cpp says what that costs. Mesa's cache of shaders does not mind the
// width: it is safe because what depends on it, the kernels for lanes, differs in its SPIR-V too.
void widen_lavapipe_vectors() {
  if (environment(Variable::lavapipe_vector_width).empty() && has_vectors_of_512_bits()) set_where_unset("LP_NATIVE_VECTOR_WIDTH", "512");
}

}  // namespace kawara::emulator::vulkan
