/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The words of a text, one at a time, with the line that each stands on. */
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "kawara/error.h"

namespace kawara::hw {

__extension__ typedef __int128 Wide;  // holds every field of either sign

class Words {
 public:
  explicit Words(std::string_view text) : text_(text) { advance(); }

  // The word at hand; "" at the end.
  std::string_view peek() const { return word_; }
  bool at_end() const { return word_.empty(); }

  std::string_view take() {
    const std::string_view word = word_;
    advance();
    return word;
  }
  bool take_if(std::string_view word) {
    if (word_ != word) return false;
    advance();
    return true;
  }
  void expect(std::string_view word) {
    if (!take_if(word)) refuse("'" + std::string(word) + "'");
  }
  // Blames the word at hand.
  [[noreturn]] void refuse(std::string_view expected) const {
    throw fail(Code::invalid_argument, "line {}: expected {}, got {}", line_, expected, word_.empty() ? "the end" : "'" + std::string(word_) + "'");
  }

  // A number within [low, high]: decimal, or hexadecimal with 0x. 128 bits hold every range of the tables.
  Wide number(Wide low, Wide high, std::string_view expected) {
    std::string_view digits = word_;
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    const int base = digits.starts_with("0x") ? 16 : 10;
    if (base == 16) digits.remove_prefix(2);
    uint64_t magnitude = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
    const Wide value = negative ? -static_cast<Wide>(magnitude) : static_cast<Wide>(magnitude);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || value < low || value > high) refuse(expected);
    advance();
    return value;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ','; }
  static bool is_mark(char c) { return c == '{' || c == '}' || c == '[' || c == ']' || c == '=' || c == ':' || c == '+'; }

  void advance() {
    for (; at_ < text_.size() && (is_blank(text_[at_]) || text_[at_] == '#'); ++at_) {
      if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      if (at_ == text_.size()) break;
      line_ += text_[at_] == '\n';
    }
    const size_t begin = at_;
    if (at_ < text_.size() && is_mark(text_[at_]))
      ++at_;
    else
      while (at_ < text_.size() && !is_blank(text_[at_]) && !is_mark(text_[at_]) && text_[at_] != '#') ++at_;
    word_ = text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  size_t at_ = 0;
  unsigned line_ = 1;
  std::string_view word_;
};

}  // namespace kawara::hw
