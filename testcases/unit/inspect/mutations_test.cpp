// SPDX-License-Identifier: GPL-2.0-only
// Damaged modules: whatever bytes are changed, inspect() ends soon and says something.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <string>

#include "ko_editor.h"

namespace pkvmemu::inspect {
namespace {

constexpr unsigned seed = 6'006;
constexpr unsigned rounds = 400;

/// One to eight random changes: bytes, words, a cut, or a section header's field.
Bytes mutated(Bytes bytes, std::mt19937& random) {
  const auto below = [&random](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  if (below(20) == 0) bytes.resize(below(bytes.size()) + 1);
  // The tables at the end of the file are where a change tells most.
  const std::size_t begin = below(2) == 0 ? 0 : bytes.size() * 3 / 4;
  for (std::size_t left = 1 + below(8); left != 0; --left) {
    const std::size_t at = begin + below(bytes.size() - begin);
    const std::size_t width = std::min<std::size_t>(std::size_t{1} << below(4), bytes.size() - at);
    const auto value = static_cast<std::byte>(below(4) == 0 ? 0xff : below(256));
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), width, value);
  }
  return bytes;
}

// No crash, no hang, no silence: an error with words, or facts with text and JSON.
TEST(Mutations, AlwaysAnAnswer) {
  std::mt19937 random(seed);
  const code::Disassembler disassembler = code::Disassembler::create().value();
  const Bytes originals[] = {KoEditor::of("counter").bytes(), KoEditor::of("memory").bytes(),
                             KoEditor::own("opsflow", "android16-6.12").bytes()};
  unsigned readable = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", round " << round);
    const Bytes bytes = mutated(originals[round % std::size(originals)], random);
    const auto start = std::chrono::steady_clock::now();
    const auto file = image::KoFile::open(bytes);
    if (!file) {
      std::array<char, 256> buffer{};
      EXPECT_FALSE(image::describe(file.error(), buffer).empty());
      continue;
    }
    ++readable;
    const Facts facts = inspect(*file, bytes, {}, disassembler);
    EXPECT_FALSE(to_text(facts, "m.ko", Detail::everything, Colour::off).empty());
    EXPECT_FALSE(to_json(facts, "m.ko").empty());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  }
  EXPECT_GT(readable, rounds / 10) << "too few mutations get past the reader to mean anything";
}

}  // namespace
}  // namespace pkvmemu::inspect
