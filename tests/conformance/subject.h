// SPDX-License-Identifier: Apache-2.0
// The nodes that the suite runs on: one row a node.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "node.h"

namespace kawara::conformance {

struct Subject {
  std::string name;
  std::function<std::unique_ptr<Node>()> open;
  // Why this machine has no such node; "" where it has one.
  std::function<std::string()> missing;
  // The next job of the queue hangs at its command `command`.
  std::function<void(Node&, QueueId, uint32_t command)> inject_hang;
};

std::vector<Subject> subjects();

inline void PrintTo(const Subject& subject, std::ostream* stream) { *stream << subject.name; }

inline std::string name_of(const testing::TestParamInfo<Subject>& info) { return info.param.name; }

}  // namespace kawara::conformance
