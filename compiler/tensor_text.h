// SPDX-License-Identifier: Apache-2.0
// Constants as graph_text.h writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph.h"

namespace kawara::compiler {

std::string print_float(float value);  // the shortest text that reads back as the same float, and as no integer
std::string print_data(const Tensor& tensor);
std::string quote(std::string_view text);  // "…" with \" \\ \n and \xHH

// The data forms. Throw invalid_argument.
Tensor dense_tensor(DType dtype, Shape shape, const std::vector<std::string>& numbers);
Tensor splat_tensor(DType dtype, Shape shape, const std::string& number);
Tensor hex_tensor(DType dtype, Shape shape, std::string_view digits);
Tensor random_tensor(DType dtype, Shape shape, uint64_t seed);

}  // namespace kawara::compiler
