// SPDX-License-Identifier: Apache-2.0
// A line of points that submissions move along: a point is reached when its submission and all before it have ended.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "emulator/driver/file_descriptor.h"

namespace kawara::emulator {

// The driver's lock guards it.
class Timeline {
 public:
  uint64_t submitted() const { return submitted_; }
  uint64_t reached() const { return reached_; }

  void submit(uint64_t value);                          // more than submitted()
  void end(uint64_t value);                             // as submitted
  void notify(uint64_t value, FileDescriptor eventfd);  // written when reached, at once if it is

 private:
  struct Pending {
    uint64_t value;
    bool ended;
  };
  struct Notification {
    uint64_t value;
    FileDescriptor eventfd;
  };
  uint64_t submitted_ = 0, reached_ = 0;
  std::vector<Pending> pending_;  // ascending
  std::vector<Notification> notifications_;
};

struct TimelinePoint {
  std::shared_ptr<Timeline> timeline;
  uint64_t value = 0;

  bool reached() const { return timeline->reached() >= value; }
};

}  // namespace kawara::emulator
