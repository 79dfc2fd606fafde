// SPDX-License-Identifier: Apache-2.0
// A first-in, first-out line of objects that somebody else owns; a member `next` of each links them, so that queueing takes no memory.
#pragma once

namespace kawara {

// An object stands in one line at a time.
template <typename Object>
class IntrusiveQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  Object* front() const { return first_; }  // null when empty

  void push(Object& object) {
    object.next = nullptr;
    (last_ ? last_->next : first_) = &object;
    last_ = &object;
  }
  // Null when empty.
  Object* pop() {
    Object* const object = first_;
    if (!object) return nullptr;
    first_ = object->next;
    if (!first_) last_ = nullptr;
    return object;
  }

 private:
  Object* first_ = nullptr;
  Object* last_ = nullptr;
};

}  // namespace kawara
