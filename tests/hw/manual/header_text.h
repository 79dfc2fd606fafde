// SPDX-License-Identifier: Apache-2.0
// What a file of include/kawara/hw says in words and in constants that no table holds: the manual quotes it.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "page.h"

namespace kawara::manual {

// A constant that a #define or an enum names.
struct Constant {
  std::string name, value, comment;
};

class HeaderText {
 public:
  // file: its name in include/kawara/hw. Throws where there is none, or where it does not open with a comment.
  explicit HeaderText(std::string_view file);

  // The comment's paragraphs; indented ones as blocks.
  void quote(Page& page) const;
  // The paragraph in which a line begins so, from this line to its end. Throws where no line does: the manual would lack it.
  void quote(Page& page, std::string_view begin) const;

  // Those whose names begin so, in the file's order. Throws where a prefix has none.
  std::vector<Constant> defines(std::initializer_list<std::string_view> prefixes) const;
  std::vector<Constant> enumerators(std::string_view enumeration) const;

 private:
  using Paragraph = std::vector<std::string>;  // lines
  static void add(Page& page, const Paragraph& paragraph);

  std::string file_, text_;
  std::vector<Paragraph> paragraphs_;
};

// Name, value, comment.
void add_constants(Page& page, const std::vector<Constant>& constants);

}  // namespace kawara::manual
