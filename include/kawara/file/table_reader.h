// SPDX-License-Identifier: Apache-2.0
// Copies text and vectors out of a verified table of a .kwr file: program.fbs, read by the runtime, or graph.fbs, read by the compiler.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "kawara/error.h"

namespace kawara::file {

// Offsets of a hostile table may meet in one long string or vector many times over, so the sum of what is copied is bounded by
// the table's length; in an honest one nothing is shared.
class TableReader {
 public:
  // `prefix` stands before what an error says.
  explicit TableReader(uint64_t table_bytes, std::string_view prefix = "") : left_(table_bytes), prefix_(prefix) {}

  // Counts bytes that a caller copies by itself. Throws invalid_program beyond the table's length, as all below do.
  void take(uint64_t bytes) {
    if (bytes > left_) throw fail(Code::invalid_program, "{}its parts overlap", prefix_);
    left_ -= bytes;
  }

  std::string text(const flatbuffers::String* string) {
    take(string->size());
    return string->str();
  }

  // Elements may be given another type of the same size.
  template <typename Element, typename Stored>
  std::vector<Element> list(const flatbuffers::Vector<Stored>& vector) {
    static_assert(std::is_arithmetic_v<Stored> && std::is_trivially_copyable_v<Element> && sizeof(Element) == sizeof(Stored));
    take(uint64_t{vector.size()} * sizeof(Element));
    // The verifier sees to the alignment of a vector's length, not of its elements.
    std::vector<Element> elements(vector.size());
    if (!elements.empty()) std::memcpy(elements.data(), vector.Data(), elements.size() * sizeof(Element));
    return elements;
  }

 private:
  uint64_t left_;
  std::string prefix_;
};

}  // namespace kawara::file
