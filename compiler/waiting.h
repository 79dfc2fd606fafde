// SPDX-License-Identifier: Apache-2.0
// Whoever waits for the compiler, and may end its work: by a call that throws.
#pragma once

#include <functional>
#include <utility>

namespace kawara::compiler {

class Waiting {
 public:
  Waiting() = default;
  explicit Waiting(std::function<void()> call) : call_(std::move(call)) {}

  // Made between steps that are short beside what people notice. Whatever it throws leaves nothing behind that is used again.
  void look() const {
    if (call_) call_();
  }

 private:
  std::function<void()> call_;
};

}  // namespace kawara::compiler
