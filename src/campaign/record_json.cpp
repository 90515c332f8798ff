// SPDX-License-Identifier: GPL-2.0-only
// Records as JSON and back. What is empty or as usual is left out: a sweep writes very many lines.
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/record.h"
#include "fault/fault.h"

namespace pkvmemu::campaign {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t record_schema = 1;  // docs/sweep.md; new keys do not change it
constexpr std::string_view all_times = "all";

template <typename Value>
void put(Json& object, const char* key, const Value& value) {
  if (value != Value{}) object[key] = value;
}

Json to_json(const FaultRecord& fault) {
  Json object = {{"site", fault.site}};
  put(object, "meaning", fault.meaning);
  object["nth"] = fault.nth;
  if (fault.times == fault::every_time)
    object["times"] = all_times;
  else if (fault.times != 1)
    object["times"] = fault.times;
  put(object, "answer", fault.answer);
  put(object, "path", fault.path);
  put(object, "disassembly", fault.disassembly);
  return object;
}

Json to_json(const Finding& finding) {
  return {{"kind", finding.kind}, {"text", finding.text}};
}

template <typename Item>
void put_list(Json& object, const char* key, const std::vector<Item>& items) {
  if (items.empty()) return;
  Json& list = object[key] = Json::array();
  for (const Item& item : items)
    list.push_back(to_json(item));
}

Json to_json(const CaseRecord& record) {
  Json object = {{"case", record.id}, {"outcome", name_of(record.outcome)}};
  put(object, "why", record.why);
  put_list(object, "faults", record.faults);
  put_list(object, "findings", record.findings);
  put(object, "verdict", record.verdict);
  put(object, "log", record.log);
  put(object, "instructions", record.instructions);
  put(object, "exit_code", record.exit_code);
  return object;
}

Json to_json(const SweepRecord& sweep) {
  return {{"sweep", sweep.fingerprint}, {"schema", record_schema},
          {"modules", sweep.modules},   {"generation", sweep.generation},
          {"mode", sweep.mode},         {"replay", sweep.replay},
          {"cases", sweep.cases},       {"occurrences", sweep.occurrences},
          {"meanings", sweep.meanings}};
}

/// Fields of one object. The first that is not what it should be is the problem; after it, values
/// mean nothing any more.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {
    if (!object.is_object()) problem_ = "expected an object {...}";
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

  std::string text(const char* key) {
    const Json* const value = find(key);
    if (value == nullptr) return {};
    if (!value->is_string()) return complain<std::string>(key, "a string");
    return value->get<std::string>();
  }

  std::string needed_text(const char* key) {
    std::string value = text(key);
    if (value.empty() && problem_.empty()) return complain<std::string>(key, "some text");
    return value;
  }

  template <std::integral Number>
  Number number(const char* key, Number usual = 0) {
    const Json* const value = find(key);
    if (value == nullptr) return usual;
    const auto read = number_in<Number>(*value);
    if (!read) return complain<Number>(key, "a whole number in its range");
    return *read;
  }

  std::uint64_t times(const char* key) {
    const Json* const value = find(key);
    if (value != nullptr && *value == all_times) return fault::every_time;
    return number<std::uint64_t>(key, 1);
  }

  std::vector<std::string> texts(const char* key) {
    return list<std::string>(key, [this, key](const Json& item) {
      return item.is_string() ? item.get<std::string>()
                              : complain<std::string>(key, "a list of strings");
    });
  }

  /// Each item by `convert(const Json&)`.
  template <typename Item, typename Convert>
  std::vector<Item> list(const char* key, Convert convert) {
    std::vector<Item> items;
    const Json* const value = find(key);
    if (value == nullptr) return items;
    if (!value->is_array()) return complain<std::vector<Item>>(key, "a list");
    items.reserve(value->size());
    for (const Json& item : *value)
      items.push_back(convert(item));
    return items;
  }

  /// Objects, each read by `read(Reader&)`.
  template <typename Item, typename Read>
  std::vector<Item> records(const char* key, Read read) {
    return list<Item>(key, [this, key, read](const Json& item) {
      Reader reader(item);
      Item record = read(reader);
      if (problem_.empty() && !reader.problem().empty())
        problem_ = fmt::format("{}: {}", key, reader.problem());
      return record;
    });
  }

  template <typename Value, typename Read>
  std::map<std::string, Value> table(const char* key, Read read) {
    std::map<std::string, Value> rows;
    const Json* const value = find(key);
    if (value == nullptr) return rows;
    if (!value->is_object()) return complain<std::map<std::string, Value>>(key, "an object {...}");
    Reader reader(*value);
    for (const auto& [name, item] : value->items())
      rows.emplace(name, read(reader, name.c_str()));
    if (problem_.empty() && !reader.problem().empty())
      problem_ = fmt::format("{}: {}", key, reader.problem());
    return rows;
  }

  template <typename Value>
  Value complain(const char* key, std::string_view expected) {
    if (problem_.empty()) problem_ = fmt::format("'{}': expected {}", key, expected);
    return {};
  }

 private:
  [[nodiscard]] const Json* find(const char* key) const {
    if (!problem_.empty()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  template <std::integral Number>
  static std::optional<Number> number_in(const Json& value) {
    if (value.is_number_unsigned()) {
      const auto read = value.get<std::uint64_t>();
      if (std::in_range<Number>(read)) return static_cast<Number>(read);
    } else if (value.is_number_integer()) {
      const auto read = value.get<std::int64_t>();
      if (std::in_range<Number>(read)) return static_cast<Number>(read);
    }
    return std::nullopt;
  }

  const Json& object_;
  std::string problem_;
};

FaultRecord read_fault(Reader& reader) {
  return {.site = reader.needed_text("site"),
          .meaning = reader.text("meaning"),
          .nth = reader.number<std::uint64_t>("nth", 1),
          .times = reader.times("times"),
          .answer = reader.number<std::int64_t>("answer"),
          .path = reader.texts("path"),
          .disassembly = reader.texts("disassembly")};
}

Finding read_finding(Reader& reader) {
  return {.kind = reader.needed_text("kind"), .text = reader.text("text")};
}

Outcome read_outcome(Reader& reader) {
  const auto outcome = outcome_of(reader.needed_text("outcome"));
  return outcome ? *outcome
                 : reader.complain<Outcome>("outcome",
                                            "clean, expected-error, bug, panic, hang "
                                            "or lost");
}

CaseRecord read_case(Reader& reader) {
  return {.id = reader.needed_text("case"),
          .faults = reader.records<FaultRecord>("faults", read_fault),
          .outcome = read_outcome(reader),
          .why = reader.text("why"),
          .findings = reader.records<Finding>("findings", read_finding),
          .verdict = reader.texts("verdict"),
          .log = reader.texts("log"),
          .instructions = reader.number<std::uint64_t>("instructions"),
          .exit_code = reader.number<int>("exit_code")};
}

SweepRecord read_sweep(Reader& reader) {
  if (reader.number<std::uint64_t>("schema") != record_schema)
    return reader.complain<SweepRecord>(
        "schema", fmt::format("{}: written by another version of pkvm-emu", record_schema));
  return {.fingerprint = reader.needed_text("sweep"),
          .modules = reader.texts("modules"),
          .generation = reader.text("generation"),
          .mode = reader.text("mode"),
          .replay = reader.texts("replay"),
          .occurrences = reader.table<std::uint64_t>(
              "occurrences",
              [](Reader& own, const char* key) { return own.number<std::uint64_t>(key); }),
          .meanings = reader.table<std::string>(
              "meanings", [](Reader& own, const char* key) { return own.text(key); }),
          .cases = reader.number<std::uint64_t>("cases")};
}

template <typename Record>
Result<Line> checked(Record record, const Reader& reader) {
  if (!reader.problem().empty()) return fail("{}", reader.problem());
  return record;
}

Result<Json> parse_json(std::string_view line) {
  try {
    return Json::parse(line);
  } catch (const Json::parse_error& problem) {
    if (problem.byte > line.size()) return fail("damaged: cut off in the middle");
    return fail("damaged: not JSON at column {}", problem.byte);
  } catch (const Json::exception& /*a number beyond all bounds*/) {
    return fail("damaged: not JSON");
  }
}

}  // namespace

std::string to_line(const Line& line) {
  const Json object = std::visit([](const auto& record) { return to_json(record); }, line);
  constexpr int in_one_line = -1;
  return object.dump(in_one_line, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Line> parse_line(std::string_view line) {
  const auto object = parse_json(line);
  if (!object) return std::unexpected(object.error());
  Reader reader(*object);
  if (object->is_object() && object->contains("sweep")) return checked(read_sweep(reader), reader);
  if (object->is_object() && object->contains("case")) return checked(read_case(reader), reader);
  return fail("neither a case nor what was swept: not from `pkvm-emu sweep`");
}

}  // namespace pkvmemu::campaign
