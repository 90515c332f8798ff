// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "campaign/summary.h"
#include "fault/fault.h"
#include "pkvm/errno.h"

namespace pkvmemu::campaign {
namespace {

struct Decoded {
  char32_t code = 0;
  std::size_t size = 0;  ///< 0: no character
};

struct LeadByte {
  unsigned char mask;
  unsigned char value;
  std::size_t size;
  char32_t least;  ///< what a shorter form could not say
};
constexpr std::array lead_bytes = {LeadByte{0x80, 0x00, 1, 0}, LeadByte{0xe0, 0xc0, 2, 0x80},
                                   LeadByte{0xf0, 0xe0, 3, 0x800},
                                   LeadByte{0xf8, 0xf0, 4, 0x10000}};
constexpr char32_t last_code = 0x10ffff;
constexpr char32_t first_surrogate = 0xd800;
constexpr char32_t last_surrogate = 0xdfff;

/// The character that `text` begins with, by RFC 3629.
Decoded decode(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto* const lead = std::ranges::find_if(
      lead_bytes, [&](const LeadByte& row) { return (byte(0) & row.mask) == row.value; });
  if (lead == lead_bytes.end() || lead->size > text.size()) return {};
  constexpr unsigned bits_each = 6;
  constexpr unsigned char tail_mask = 0xc0;
  constexpr unsigned char tail_value = 0x80;
  char32_t code = byte(0) & static_cast<unsigned char>(~lead->mask);
  for (std::size_t at = 1; at < lead->size; ++at) {
    if ((byte(at) & tail_mask) != tail_value) return {};
    code = code << bits_each | (byte(at) & static_cast<unsigned char>(~tail_mask));
  }
  const bool valid =
      code >= lead->least && code <= last_code && (code < first_surrogate || code > last_surrogate);
  return valid ? Decoded{.code = code, .size = lead->size} : Decoded{};
}

struct CodeRange {
  char32_t first;
  char32_t last;
};
// What moves cursors, turns text round, or may not stand in XML 1.0.
constexpr std::array hidden = {CodeRange{0x00, 0x08},     CodeRange{0x0a, 0x1f},
                               CodeRange{0x7f, 0x9f},     CodeRange{0x200e, 0x200f},
                               CodeRange{0x2028, 0x202e}, CodeRange{0x2066, 0x2069},
                               CodeRange{0xfffe, 0xffff}};

bool is_hidden(char32_t code) {
  return std::ranges::any_of(
      hidden, [code](CodeRange range) { return code >= range.first && code <= range.last; });
}

std::string visible(char32_t code) {
  constexpr char32_t largest_byte = 0xff;
  const auto number = static_cast<std::uint32_t>(code);
  return code <= largest_byte ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
}

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

struct Entity {
  char character;
  std::string_view text;
};
constexpr std::array entities = {Entity{'<', "&lt;"}, Entity{'>', "&gt;"}, Entity{'&', "&amp;"},
                                 Entity{'"', "&quot;"}, Entity{'\'', "&#39;"}};

std::string shell_word(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos)
    return std::string(word);
  std::string quoted = "'";
  for (const char c : word)
    quoted += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return quoted + "'";
}

struct Noun {
  std::string_view one;
  std::string_view many;
};
constexpr std::array<Noun, outcome_count> nouns = {{
    {.one = "clean", .many = "clean"},
    {.one = "expected error", .many = "expected errors"},
    {.one = "bug", .many = "bugs"},
    {.one = "panic", .many = "panics"},
    {.one = "hang", .many = "hangs"},
    {.one = "lost", .many = "lost"},
}};

}  // namespace

std::string printable(std::string_view text) {
  while (text.ends_with('\r') || text.ends_with('\n'))
    text.remove_suffix(1);
  while (text.starts_with('\r'))
    text.remove_prefix(1);
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.size == 0)
      result += replacement;
    else if (is_hidden(next.code))
      result += visible(next.code);
    else
      result += text.substr(0, next.size);
    text.remove_prefix(std::max<std::size_t>(next.size, 1));
  }
  return result;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    const auto* const entity = std::ranges::find(entities, c, &Entity::character);
    if (entity == entities.end())
      result += c;
    else
      result += entity->text;
  }
  return result;
}

std::string shortened(std::string text, std::size_t size) {
  if (text.size() <= size) return text;
  constexpr unsigned char tail_mask = 0xc0;
  constexpr unsigned char tail_value = 0x80;
  // Not in the middle of a character.
  while (size > 0 && (static_cast<unsigned char>(text[size]) & tail_mask) == tail_value)
    --size;
  text.resize(size);
  return text + "...";
}

std::string answer_text(const FaultRecord& fault) {
  if (fault.answer == 0) return {};
  if (fault.answer == 1) return "nothing";
  const std::string_view name = fault.answer < 0 ? pkvm::errno_name(fault.answer) : "";
  return name.empty() ? std::to_string(fault.answer) : fmt::format("{} ({})", fault.answer, name);
}

std::string occurrence_text(const FaultRecord& fault, const SweepRecord& sweep) {
  return occurrence_text(std::to_string(fault.nth), fault, sweep);
}

std::string occurrence_text(std::string_view nths, const FaultRecord& fault,
                            const SweepRecord& sweep) {
  std::string text(nths);
  const auto known = sweep.occurrences.find(fault.site);
  if (known != sweep.occurrences.end()) text += fmt::format(" of {}", known->second);
  if (fault.times == fault::every_time) return "from " + text + " on";
  if (fault.times != 1) return fmt::format("{}, {} times", text, fault.times);
  return text;
}

std::string replay_command(const SweepRecord& sweep, const CaseRecord& record) {
  std::vector<std::string> words;
  for (const std::string& word : sweep.replay)
    words.push_back(shell_word(word));
  words.emplace_back("--replay");
  words.push_back(shell_word(record.id));
  return fmt::format("{}", fmt::join(words, " "));
}

std::string subject_text(const SweepRecord& sweep) {
  std::vector<std::string_view> names;
  for (const std::string_view module : sweep.modules)
    names.push_back(module.substr(module.rfind('/') + 1));
  if (names.empty()) names.emplace_back("no module");
  return fmt::format("{} on {}, {}", fmt::join(names, ", "), sweep.generation, sweep.mode);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string outcomes_text(const SweepResult& result) {
  const Counts counts = count_outcomes(result.cases);
  std::vector<std::string> parts;
  for (const Outcome outcome : telling_order) {
    const auto index = static_cast<std::size_t>(outcome);
    const std::size_t count = counts.at(index);
    const Noun& noun = nouns.at(index);
    if (count != 0) parts.push_back(fmt::format("{} {}", count, count == 1 ? noun.one : noun.many));
  }
  return parts.empty() ? "no cases" : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace pkvmemu::campaign
