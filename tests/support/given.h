// SPDX-License-Identifier: Apache-2.0
// An environment variable, as long as this lives.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace kawara::test {

class Given {
 public:
  Given(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Given() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace kawara::test
