// SPDX-License-Identifier: Apache-2.0
// 128 bits over content (XXH3): damage to a file shows, and content is known again.
#pragma once

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace kawara::file {

class ContentHash {
 public:
  using Bytes = std::array<std::byte, 16>;

  ContentHash() : state_(XXH3_createState(), XXH3_freeState) { XXH3_128bits_reset(state_.get()); }

  void add(std::span<const std::byte> bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
  void add(std::string_view bytes) { add(std::as_bytes(std::span(bytes))); }
  void add(uint64_t number) { add(std::as_bytes(std::span(&number, 1))); }
  // With its length, so that no two lists of texts are one row of bytes.
  void add_text(std::string_view text) {
    add(text.size());
    add(text);
  }

  // In the order that XXH3 states for files, most significant byte first.
  Bytes bytes() const {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
    Bytes bytes;
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte{canonical.digest[i]};
    return bytes;
  }
  std::string digits() const {
    std::string digits;
    for (const std::byte byte : bytes()) digits += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return digits;
  }

 private:
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

}  // namespace kawara::file
