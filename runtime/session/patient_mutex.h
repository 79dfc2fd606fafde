// SPDX-License-Identifier: Apache-2.0
// A mutex that can be waited for a while. std::timed_mutex is one too, but locks by a call that the thread sanitizer of GCC 12 does
// not see, so that it takes each unlock for a mistake.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace kawara {

class PatientMutex {
 public:
  void lock() {
    std::unique_lock guard(mutex_);
    freed_.wait(guard, [&] { return !is_taken_; });
    is_taken_ = true;
  }
  bool try_lock() { return try_lock_for(std::chrono::milliseconds(0)); }
  template <typename Rep, typename Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& time) {
    std::unique_lock guard(mutex_);
    if (!freed_.wait_for(guard, time, [&] { return !is_taken_; })) return false;
    return is_taken_ = true;
  }
  void unlock() {
    {
      const std::scoped_lock guard(mutex_);
      is_taken_ = false;
    }
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  bool is_taken_ = false;
};

}  // namespace kawara
