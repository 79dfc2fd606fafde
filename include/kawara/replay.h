// SPDX-License-Identifier: Apache-2.0
// Runs a captured job again, on any executor, and says how what came of it differs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kawara/capture.h"
#include "kawara/dtype.h"
#include "kawara/export.h"

namespace kawara {

struct OutputDifference {
  std::string name;
  DType dtype = DType::none;
  uint64_t elements = 0, different = 0;  // different: other bits, but for two NaN
  double max_abs = 0;                    // largest difference; infinite where one is NaN, or one infinity
  uint64_t max_ulp = 0;                  // of floats: most values of the type that lie between the two, and one
  double tolerance = 0;                  // what max_abs may be: see Replay::relative_tolerance
  bool within = true;                    // equal, or as near as the job promises
};

struct Replay {
  std::string device, executor, computes_on;  // of the replay
  std::string captured_fault, fault;          // in words; empty: the job ended well
  JobReport captured_report, report;          // zero after a fault
  std::vector<OutputDifference> outputs;      // none after a fault of either
  // Whether the job promises these bits: it has no float sums, or ran on the same again.
  bool bits_promised = false;
  // Else its float sums may differ. An output of floats, the largest finite of which has magnitude m, is taken to be near enough within
  // this times m: 2 (depth + 2) 2^-24 for each command that is device-dependent; and, because sums that differ a little may be rounded
  // the other way where a product reads 16 bits, twice the type's unit roundoff for each such command, added as squares. Not a bound for
  // every model: a network may enlarge errors. Other outputs must have the same bits.
  double relative_tolerance = 0;
  bool equal = false;        // the same outputs bit for bit, or the same fault
  bool as_promised = false;  // equal, or every output within what the job promises
};

// device: as Device::open takes it, an emulator without a configuration in the one of the capture; empty: an emulator as the
// capture's. Throws version_mismatch for commands of another version than the device's, and what Device::open and Session throw.
// `waiting` is called every 20 ms or so; when it throws, the replay ends.
KAWARA_API Replay replay(const Capture& capture, const std::string& device = {}, const std::function<void()>& waiting = {});

}  // namespace kawara
