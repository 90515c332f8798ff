// SPDX-License-Identifier: GPL-2.0-only
#include "script/ffa_yaml.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "pkvm/ffa.h"
#include "yaml/file_reader.h"

namespace pkvmemu::script {
namespace {

using device::FfaPartition;
using device::FfaScript;

constexpr std::array<std::string_view, 4> keys = {"version", "partitions", "fragment", "handle"};
constexpr std::array<std::string_view, 3> partition_keys = {"id", "uuid", "properties"};

constexpr std::uint16_t usual_partition = 0x8001;
constexpr std::uint64_t usual_first_handle = 1;
constexpr std::uint64_t least_fragment = 64;
constexpr std::size_t most_partitions = 64;

using Uuid = std::array<std::uint32_t, 4>;

/// 8-4-4-4-12 hexadecimal digits, as four words whose bytes are in the order of the text.
std::optional<Uuid> uuid_in(std::string_view text) {
  constexpr std::string_view shape = "00000000-0000-0000-0000-000000000000";
  constexpr std::size_t digits_per_word = 8;
  if (text.size() != shape.size()) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] == '-') != (shape[i] == '-')) return std::nullopt;
    if (text[i] != '-') digits += text[i];
  }
  Uuid uuid{};
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const std::string_view word =
        std::string_view(digits).substr(i * digits_per_word, digits_per_word);
    constexpr int hexadecimal = 16;
    std::uint32_t value = 0;
    const auto end = std::from_chars(word.data(), word.data() + word.size(), value, hexadecimal);
    if (end.ec != std::errc{} || end.ptr != word.data() + word.size()) return std::nullopt;
    uuid.at(i) = std::byteswap(value);
  }
  return uuid;
}

class Reader : yaml::FileReader {
 public:
  using FileReader::FileReader;

  Result<FfaScript> read(const YAML::Node& node) {
    FfaScript script{.version = 0,
                     .largest_fragment = pkvm::ffa::page_size,
                     .first_handle = usual_first_handle,
                     .partitions = {}};
    if (node.IsMap())
      read_map(node, script);
    else
      script.version = version(node);
    if (script.partitions.empty()) script.partitions = {{.id = usual_partition}};
    if (error()) return std::unexpected(*error());
    return script;
  }

 private:
  void read_map(const YAML::Node& node, FfaScript& script) {
    const auto map = map_of(node, keys);
    if (!map) return;
    const auto* const wanted = map->find("version");
    if (wanted == nullptr) return wrong(node, "expected 'version': 1.0 or 1.1");
    script.version = version(*wanted);
    script.largest_fragment = number(*map, "fragment", script.largest_fragment,
                                     {.least = least_fragment, .most = pkvm::ffa::page_size});
    script.first_handle = number(*map, "handle", script.first_handle);
    if (const auto* list = map->find("partitions")) read_partitions(*list, script);
  }

  std::uint32_t version(const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text == "1.0") return pkvm::ffa::version_1_0;
    if (text == "1.1") return pkvm::ffa::version_1_1;
    wrong(node, "expected a version: 1.0 or 1.1");
    return 0;
  }

  void read_partitions(const YAML::Node& list, FfaScript& script) {
    if (!list.IsSequence() || list.size() == 0 || list.size() > most_partitions)
      return wrong(list, fmt::format("expected a list of 1 to {} partitions", most_partitions));
    for (const YAML::Node& node : list)
      script.partitions.push_back(partition(node));
  }

  FfaPartition partition(const YAML::Node& node) {
    constexpr std::uint64_t least_id = 0x8000;  // of the secure world
    constexpr std::uint64_t largest_id = 0xffff;
    constexpr std::uint64_t largest_word = 0xffff'ffff;
    FfaPartition partition;
    const auto map = map_of(node, partition_keys);
    if (!map) return partition;
    if (!map->has("id")) wrong(node, "expected 'id', from 0x8000 on");
    partition.id = static_cast<std::uint16_t>(
        number(*map, "id", least_id, {.least = least_id, .most = largest_id}));
    partition.properties =
        static_cast<std::uint32_t>(number(*map, "properties", 0, {.most = largest_word}));
    if (const auto* text = map->find("uuid")) {
      const auto uuid = uuid_in(text->IsScalar() ? text->Scalar() : "");
      if (!uuid) wrong(*text, "expected a UUID, as in 486178e0-e7f8-11e3-bc5e-0002a5d5c51b");
      partition.uuid = uuid.value_or(Uuid{});
    }
    return partition;
  }
};

}  // namespace

Result<FfaScript> parse_ffa(const std::string& file, const YAML::Node& node) {
  return Reader(file).read(node);
}

}  // namespace pkvmemu::script
