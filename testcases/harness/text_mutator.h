// SPDX-License-Identifier: GPL-2.0-only
// Spoils texts at random, as people and editors do: lines lost, doubled and moved, words taken from
// elsewhere, brackets and quotes too many, bytes that belong into no text.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace pkvmemu::test {

class TextMutator {
 public:
  explicit TextMutator(unsigned seed) : random_(seed) {}

  /// One to four changes.
  std::string mutate(std::string text);

 private:
  struct Piece {
    std::size_t at;
    std::size_t size;
  };

  [[nodiscard]] std::size_t below(std::size_t limit);
  [[nodiscard]] Piece some_line(std::string_view text);
  [[nodiscard]] Piece some_word(std::string_view text);
  std::string change(std::string text);

  std::mt19937 random_;
};

}  // namespace pkvmemu::test
