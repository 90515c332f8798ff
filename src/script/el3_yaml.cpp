// SPDX-License-Identifier: GPL-2.0-only
// EL3's answers from their YAML.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "script/ffa_yaml.h"
#include "script/world.h"
#include "support/number.h"
#include "yaml/file_reader.h"

namespace pkvmemu::script {
namespace {

using device::AfterLast;
using device::SecureAnswer;
using device::SecureCallScript;
using device::SecureWrite;

constexpr std::array<std::string_view, 3> file_keys = {"log", "ffa", "calls"};
constexpr std::array<std::string_view, 10> call_keys = {
    "name", "id", "ids", "mask", "args", "answer", "answers", "then", "writes", "log"};
constexpr std::array<std::string_view, 4> write_keys = {"to", "offset", "width", "values"};
constexpr std::array<std::string_view, 7> argument_keys = {"x1", "x2", "x3", "x4",
                                                           "x5", "x6", "x7"};
constexpr std::array<std::string_view, 18> result_keys = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",
                                                          "x6",  "x7",  "x8",  "x9",  "x10", "x11",
                                                          "x12", "x13", "x14", "x15", "x16", "x17"};

constexpr std::uint64_t largest_id = 0xffff'ffff;
constexpr std::size_t most_calls = 1024;
constexpr std::size_t most_writes = 64;
constexpr std::size_t most_bytes = 4096;
constexpr unsigned bits_per_byte = 8;
constexpr std::array<std::uint64_t, 4> widths = {8, 16, 32, 64};

class Reader : yaml::FileReader {
 public:
  using FileReader::FileReader;

  Result<SecureScript> read(const YAML::Node& root) {
    if (const auto map = map_of(root, file_keys)) {
      script_.logs = flag(*map, "log");
      if (const auto* ffa = map->find("ffa"))
        script_.ffa = taken(parse_ffa(file(), *ffa), device::FfaScript{});
      if (const auto* list = map->find("calls")) read_calls(*list);
    }
    if (error()) return std::unexpected(*error());
    return std::move(script_);
  }

 private:
  std::uint64_t value(const YAML::Node& node) {
    return taken(yaml::value(file(), node), std::uint64_t{0});
  }

  void read_calls(const YAML::Node& list) {
    if (!list.IsSequence()) return wrong(list, "expected a list of calls, each with a '-'");
    if (list.size() > most_calls)
      return wrong(list, fmt::format("expected at most {} calls", most_calls));
    for (const YAML::Node& node : list)
      read_call(node);
  }

  void read_call(const YAML::Node& node) {
    const auto map = map_of(node, call_keys);
    if (!map) return;
    SecureCallScript call;
    call.name = text(*map, "name");
    call.logged = flag(*map, "log");
    read_function(*map, node, call);
    if (const auto* args = map->find("args")) read_arguments(*args, call);
    read_answers(*map, node, call);
    if (const auto* writes = map->find("writes")) read_writes(*writes, call);
    script_.calls.push_back(std::move(call));
  }

  std::uint32_t function(const YAML::Node& node) {
    return static_cast<std::uint32_t>(
        taken(yaml::number(file(), node, {.most = largest_id}), std::uint64_t{0}));
  }

  void read_function(const yaml::Map& map, const YAML::Node& node, SecureCallScript& call) {
    const auto* const id = map.find("id");
    const auto* const ids = map.find("ids");
    if ((id == nullptr) == (ids == nullptr))
      return wrong(node, "expected either 'id', or 'ids' with FIRST-LAST");
    if (const auto* mask = map.find("mask")) {
      if (id == nullptr) return wrong(*mask, "'mask' goes with 'id'");
      call.mask = function(*mask);
    }
    if (ids != nullptr) return read_range(*ids, call);
    call.first = call.last = function(*id);
    if ((call.first & ~call.mask) != 0) wrong(*id, "no function has these bits under this mask");
  }

  void read_range(const YAML::Node& node, SecureCallScript& call) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const std::size_t dash = std::min(text.find('-'), text.size());
    const auto first = number_in(std::string_view(text).substr(0, dash));
    const auto last = number_in(std::string_view(text).substr(std::min(dash + 1, text.size())));
    if (!first || !last || *last > largest_id || *first > *last)
      return wrong(node, "expected FIRST-LAST, as in 0xc2000000-0xc200ffff");
    call.first = static_cast<std::uint32_t>(*first);
    call.last = static_cast<std::uint32_t>(*last);
  }

  void read_arguments(const YAML::Node& node, SecureCallScript& call) {
    const auto map = map_of(node, argument_keys);
    if (!map) return;
    for (std::size_t i = 0; i < argument_keys.size(); ++i) {
      const auto* const wanted = map->find(argument_keys[i]);
      const bool any = wanted != nullptr && wanted->IsScalar() && wanted->Scalar() == "any";
      if (wanted != nullptr && !any) call.arguments[i] = value(*wanted);
    }
  }

  void read_answers(const yaml::Map& map, const YAML::Node& node, SecureCallScript& call) {
    const auto* const one = map.find("answer");
    const auto* const several = map.find("answers");
    const auto* const then = map.find("then");
    if ((one == nullptr) == (several == nullptr))
      return wrong(node, "expected either 'answer' or 'answers'");
    if (then != nullptr) {
      if (several == nullptr) return wrong(*then, "'then' says what comes after 'answers'");
      const std::string word = then->IsScalar() ? then->Scalar() : "";
      if (word != "last" && word != "repeat") return wrong(*then, "expected last or repeat");
      if (word == "repeat") call.then = AfterLast::repeat;
    }
    if (one != nullptr) {
      call.answers.push_back(read_answer(*one));
      return;
    }
    if (!several->IsSequence() || several->size() == 0)
      return wrong(*several, "expected a list of answers: to the first call, the second, ...");
    for (const YAML::Node& item : *several)
      call.answers.push_back(read_answer(item));
  }

  /// x0 alone, x0 on, or registers by name.
  SecureAnswer read_answer(const YAML::Node& node) {
    SecureAnswer answer;
    if (node.IsMap()) {
      const auto map = map_of(node, result_keys);
      if (!map) return answer;
      answer.resize(result_keys.size());
      for (std::size_t i = 0; i < result_keys.size(); ++i)
        if (const auto* given = map->find(result_keys[i])) answer[i] = value(*given);
      return answer;
    }
    if (!node.IsSequence()) return {value(node)};
    if (node.size() == 0 || node.size() > result_keys.size())
      wrong(node, fmt::format("expected 1 to {} values, x0 on", result_keys.size()));
    else
      for (const YAML::Node& item : node)
        answer.emplace_back(value(item));
    return answer;
  }

  void read_writes(const YAML::Node& list, SecureCallScript& call) {
    if (!list.IsSequence() || list.size() > most_writes)
      return wrong(list, "expected a list of what is written, each with 'to' and 'values'");
    for (const YAML::Node& node : list)
      if (const auto map = map_of(node, write_keys)) call.writes.push_back(read_write(*map, node));
  }

  SecureWrite read_write(const yaml::Map& map, const YAML::Node& node) {
    const auto* const to = map.find("to");
    const auto* const values = map.find("values");
    if (to == nullptr || values == nullptr || !values->IsSequence()) {
      wrong(node, "expected 'to' and a list of 'values'");
      return {};
    }
    const std::uint64_t bits = number(map, "width", widths.back());
    if (std::ranges::find(widths, bits) == widths.end()) wrong(node, "a width is 8, 16, 32 or 64");
    SecureWrite write{.to = place(*to), .bytes = {}};
    write.to.offset = number(map, "offset", 0);
    for (const YAML::Node& item : *values)
      append(write.bytes, value(item), bits / bits_per_byte);
    if (write.bytes.size() > most_bytes)
      wrong(*values, fmt::format("expected at most {} bytes", most_bytes));
    return write;
  }

  /// Little-endian.
  static void append(std::vector<std::byte>& bytes, std::uint64_t value, std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i)
      bytes.push_back(static_cast<std::byte>(value >> (i * bits_per_byte)));
  }

  device::SecurePlace place(const YAML::Node& node) {
    using From = device::SecurePlace::From;
    const std::string word = node.IsScalar() ? node.Scalar() : "";
    if (word == "rx") return {.from = From::rx};
    const auto* const found = std::ranges::find(argument_keys, word);
    if (found != argument_keys.end())
      return {.from = From::caller,
              .number = static_cast<std::uint64_t>(found - argument_keys.begin()) + 1};
    return {.from = From::address, .number = value(node)};
  }

  SecureScript script_;
};

}  // namespace

Result<SecureScript> parse_el3(const std::string& file, std::string_view text) {
  const auto root = yaml::parse(file, text);
  if (!root) return std::unexpected(root.error());
  if (root->IsNull()) return fail("{}: there is nothing in it", file);
  return Reader(file).read(*root);
}

}  // namespace pkvmemu::script
