// SPDX-License-Identifier: Apache-2.0
// A Markdown text under construction, with a table of contents made of its headings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kawara::manual {

// `text` as code in a line.
std::string code(std::string_view text);

// A link to the heading of that title.
std::string link_to(std::string_view title);

// A row's words, with what Markdown would take for a bar, emphasis or HTML escaped, but for what stands between backticks.
std::string words(std::string_view text);

class Page {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  void chapter(std::string_view title) { heading(2, title); }
  void section(std::string_view title) { heading(3, title); }
  void paragraph(std::string_view text);
  void block(std::string_view text);  // as it stands, in letters of one width
  // Cells are Markdown. Nothing is printed of a table without rows.
  void table(const std::vector<std::string>& columns, const Rows& rows);

  const std::string& body() const { return body_; }
  std::string contents() const;  // chapters, and their sections in a line each

 private:
  struct Heading {
    int level;
    std::string title;
  };
  void heading(int level, std::string_view title);

  std::string body_;
  std::vector<Heading> headings_;
};

}  // namespace kawara::manual
