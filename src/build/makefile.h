// SPDX-License-Identifier: GPL-2.0-only
// The part of make's language in which modules list their sources: assignments (=, :=, ?=, +=),
// variables, conditionals, comments, continued lines. Rules and recipes are skipped, since the
// builder has its own. What it does not understand it refuses, with file and line, once the value
// matters; it never guesses.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu::build {

/// A word of a variable's value and where it was written.
struct Word {
  std::string text;
  unsigned line = 0;
};

class Makefile {
 public:
  using Variables = std::map<std::string, std::string>;

  /// `given` are the variables that the build system sets. `path` is what errors call the file.
  static Result<Makefile> parse(std::string path, std::string_view text, const Variables& given);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The variable's value, expanded and split; none when it is not set.
  [[nodiscard]] Result<std::vector<Word>> words(const std::string& name) const;
  /// Every variable the file itself sets, and the line of its first assignment.
  [[nodiscard]] std::vector<Word> assigned() const;
  /// The files that it includes, not followed.
  [[nodiscard]] const std::vector<Word>& includes() const { return includes_; }

  /// An error at a line of this file.
  [[nodiscard]] std::unexpected<Error> error_at(unsigned line, std::string_view message) const;

 private:
  /// One assignment's share of a value.
  struct Piece {
    std::string text;
    unsigned line = 0;         ///< 0: given
    bool expanded = false;     ///< := took its value where it stands
    std::string problem = {};  ///< := of something not understood: an error when it is used
  };
  struct Branch {
    bool parent = true;  ///< the lines around the conditional count
    bool active = true;
    bool taken = true;  ///< some branch of it was active already
    bool in_else = false;
    unsigned line = 0;
  };
  struct Assignment {
    std::string_view name;
    std::string_view operation;
    std::string_view value;
  };

  explicit Makefile(std::string path) : path_(std::move(path)) {}

  Result<void> read(std::string_view text);
  Result<void> read_line(std::string_view line, unsigned number);
  Result<bool> read_conditional(std::string_view line, unsigned number);
  Result<void> open_conditional(std::string_view keyword, std::string_view rest, unsigned number);
  Result<void> read_else(std::string_view rest, unsigned number);
  Result<bool> holds(std::string_view keyword, std::string_view rest, unsigned number) const;
  Result<void> assign(const Assignment& assignment, unsigned number);
  [[nodiscard]] Result<std::string> value(const std::string& name, unsigned line,
                                          unsigned depth) const;
  [[nodiscard]] Result<std::string> expand(std::string_view text, unsigned line,
                                           unsigned depth = 0) const;
  [[nodiscard]] Result<std::string> expand_reference(std::string_view inside, unsigned line,
                                                     unsigned depth) const;
  [[nodiscard]] bool active() const { return branches_.empty() || branches_.back().active; }

  std::string path_;
  std::map<std::string, std::vector<Piece>> variables_;
  std::vector<Word> includes_;
  std::vector<Branch> branches_;
  bool in_rule_ = false;
  mutable unsigned expansions_ = 0;  ///< of all values so far; a hostile file doubles them per line
};

}  // namespace pkvmemu::build
