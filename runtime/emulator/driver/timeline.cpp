// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/timeline.h"

#include <algorithm>
#include <iterator>

namespace kawara::emulator {
namespace {

void signal(const FileDescriptor& eventfd) {
  const uint64_t one = 1;
  // Nobody is there to hear of a failure: the owner closed or filled it.
  [[maybe_unused]] const ssize_t written = write(eventfd.number(), &one, sizeof one);
}

}  // namespace

void Timeline::submit(uint64_t value) {
  submitted_ = value;
  pending_.push_back({value, false});
}

void Timeline::end(uint64_t value) {
  std::ranges::lower_bound(pending_, value, {}, &Pending::value)->ended = true;
  const auto first = std::ranges::find(pending_, false, &Pending::ended);
  if (first == pending_.begin()) return;
  reached_ = std::prev(first)->value;
  pending_.erase(pending_.begin(), first);
  std::erase_if(notifications_, [&](const Notification& notification) {
    if (notification.value > reached_) return false;
    signal(notification.eventfd);
    return true;
  });
}

void Timeline::notify(uint64_t value, FileDescriptor eventfd) {
  if (value <= reached_) {
    signal(eventfd);
  } else {
    notifications_.push_back({value, std::move(eventfd)});
  }
}

}  // namespace kawara::emulator
