// SPDX-License-Identifier: GPL-2.0-only
// A device's registers from its YAML.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "script/world.h"
#include "support/bits.h"
#include "yaml/file_reader.h"

namespace pkvmemu::script {
namespace {

using device::AfterLast;
using device::ReadStep;
using device::RegisterScript;
using device::WriteEffect;
using yaml::Word;

constexpr std::array<std::string_view, 4> region_keys = {"name", "log", "rest", "registers"};
constexpr std::array<std::string_view, 12> register_keys = {"name",     "offset", "width", "reset",
                                                            "reads",    "then",   "until", "access",
                                                            "writable", "clears", "sets",  "log"};
constexpr std::array<std::string_view, 2> step_keys = {"value", "times"};
constexpr std::array<std::string_view, 2> until_keys = {"reads", "value"};
constexpr std::array<std::string_view, 4> effect_keys = {"register", "value", "when", "restart"};

constexpr unsigned bits_per_byte = 8;
constexpr std::size_t most_registers = 4096;
constexpr std::size_t most_steps = 65'536;

constexpr std::array then_words = {Word{"last", AfterLast::last}, Word{"repeat", AfterLast::repeat},
                                   Word{"stored", AfterLast::stored}};
constexpr std::array rest_words = {Word{"zero", device::Rest::zero},
                                   Word{"ram", device::Rest::ram}};
enum class Direction : std::uint8_t { both, read_only, write_only };
constexpr std::array access_words = {Word{"read-write", Direction::both},
                                     Word{"read-only", Direction::read_only},
                                     Word{"write-only", Direction::write_only}};

class Reader : yaml::FileReader {
 public:
  Reader(const Region& region, const std::string& file) : FileReader(file) {
    region_.name = std::filesystem::path(region.what).stem().string();
    region_.base = region.base;
    region_.size = region.size;
  }

  Result<device::RegionScript> read(const YAML::Node& root) {
    if (const auto map = map_of(root, region_keys)) {
      if (map->has("name")) region_.name = text(*map, "name");
      region_.logged = flag(*map, "log");
      region_.rest = word(*map, "rest", rest_words, device::Rest::zero);
      if (const auto* list = map->find("registers")) read_registers(*list);
    }
    if (error()) return std::unexpected(*error());
    return std::move(region_);
  }

 private:
  /// A value that fits the register.
  std::uint64_t value(const YAML::Node& node, const RegisterScript& reg) {
    return taken(yaml::number(file(), node, {.most = low_mask(reg.size * bits_per_byte)}),
                 std::uint64_t{0});
  }
  std::uint64_t value(const yaml::Map& map, std::string_view key, const RegisterScript& reg,
                      std::uint64_t otherwise) {
    const auto* const node = map.find(key);
    return node == nullptr ? otherwise : value(*node, reg);
  }

  void read_registers(const YAML::Node& list) {
    if (!list.IsSequence()) return wrong(list, "expected a list of registers, each with a '-'");
    if (list.size() > most_registers)
      return wrong(list, fmt::format("expected at most {} registers", most_registers));
    // To assign a node changes what it stands for: their numbers are sorted.
    struct Own {
      RegisterScript script;
      std::size_t number = 0;  ///< in the list
    };
    std::vector<Own> all;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (auto reg = read_register(list[i]))
        all.push_back({.script = std::move(*reg), .number = i});
    if (error()) return;
    std::ranges::sort(all, {}, [](const Own& own) { return own.script.offset; });
    for (std::size_t i = 0; i < all.size(); ++i) {
      check_place(list[all[i].number], all[i].script, i == 0 ? nullptr : &all[i - 1].script);
      region_.registers.push_back(all[i].script);
    }
    // Now that each has its place.
    for (std::size_t i = 0; i < all.size(); ++i)
      if (const YAML::Node sets = list[all[i].number]["sets"]) read_effects(sets, i);
  }

  void check_place(const YAML::Node& node, const RegisterScript& reg,
                   const RegisterScript* before) {
    if (reg.size > region_.size || reg.offset > region_.size - reg.size)
      wrong(node,
            fmt::format("offset {:#x}: the region has {:#x} bytes", reg.offset, region_.size));
    if (before != nullptr && before->contains(reg.offset))
      wrong(node,
            fmt::format("the registers at {:#x} and {:#x} overlap", before->offset, reg.offset));
    const auto same = [&](const RegisterScript& other) { return other.name == reg.name; };
    if (!reg.name.empty() && std::ranges::any_of(region_.registers, same))
      wrong(node, fmt::format("two registers are called {}", reg.name));
  }

  std::optional<RegisterScript> read_register(const YAML::Node& node) {
    const auto map = map_of(node, register_keys);
    if (!map) return std::nullopt;
    if (!map->has("offset")) wrong(node, "a register needs an 'offset'");
    RegisterScript reg;
    reg.name = text(*map, "name");
    reg.offset = number(*map, "offset", 0);
    reg.size = width_of(*map);
    reg.reset = value(*map, "reset", reg, 0);
    reg.writable = value(*map, "writable", reg, low_mask(reg.size * bits_per_byte));
    reg.clears = value(*map, "clears", reg, 0);
    reg.logged = flag(*map, "log");
    read_direction(*map, reg);
    read_sequence(*map, reg);
    return reg;
  }

  unsigned width_of(const yaml::Map& map) {
    constexpr std::uint64_t usual = 32;
    constexpr std::uint64_t widest = 64;
    const std::uint64_t width = number(map, "width", usual);
    const bool good = width >= bits_per_byte && width <= widest && (width & (width - 1)) == 0;
    if (!good) wrong(*map.find("width"), "expected a width of 8, 16, 32 or 64 bits");
    return good ? static_cast<unsigned>(width / bits_per_byte) : 4;
  }

  void read_direction(const yaml::Map& map, RegisterScript& reg) {
    const Direction direction = word(map, "access", access_words, Direction::both);
    reg.reads_zero = direction == Direction::write_only;
    if (direction != Direction::read_only) return;
    for (const std::string_view key : {"writable", "clears", "sets"})
      if (const auto* node = map.find(key))
        wrong(*node, fmt::format("a read-only register takes no write: '{}' means nothing", key));
    reg.writable = 0;
  }

  void read_sequence(const yaml::Map& map, RegisterScript& reg) {
    const auto* const reads = map.find("reads");
    const auto* const until = map.find("until");
    if (reg.reads_zero && (reads != nullptr || until != nullptr))
      return wrong(*(reads != nullptr ? reads : until), "a write-only register reads as 0");
    if (reads != nullptr && until != nullptr)
      return wrong(*until, "'until' is a short form of 'reads' and 'then': expected one of them");
    if (reads == nullptr && map.has("then"))
      return wrong(*map.find("then"), "'then' says what comes after 'reads', and there are none");
    if (until != nullptr) return read_until(*until, reg);
    if (reads == nullptr) return;
    reg.then = word(map, "then", then_words, AfterLast::last);
    if (!reads->IsSequence() || reads->size() == 0)
      return wrong(*reads, "expected a list of values, or of {value: V, times: N}");
    if (reads->size() > most_steps)
      return wrong(*reads, fmt::format("expected at most {} of them", most_steps));
    for (const YAML::Node& step : *reads)
      reg.reads.push_back(read_step(step, reg));
  }

  ReadStep read_step(const YAML::Node& node, const RegisterScript& reg) {
    if (node.IsScalar()) return {.value = value(node, reg)};
    const auto map = map_of(node, step_keys);
    if (!map) return {};
    if (!map->has("value")) wrong(node, "expected a 'value'");
    return {.value = value(*map, "value", reg, 0), .times = number(*map, "times", 1, {.least = 1})};
  }

  void read_until(const YAML::Node& node, RegisterScript& reg) {
    const auto map = map_of(node, until_keys);
    if (!map) return;
    if (!map->has("reads")) wrong(node, "expected 'reads', how many of them get the other value");
    reg.reads.push_back(
        {.value = value(*map, "value", reg, 0), .times = number(*map, "reads", 1, {.least = 1})});
    reg.then = AfterLast::stored;
  }

  void read_effects(const YAML::Node& node, std::size_t owner) {
    if (!node.IsSequence()) return read_effect(node, owner);
    for (const YAML::Node& item : node)
      read_effect(item, owner);
  }

  void read_effect(const YAML::Node& node, std::size_t owner) {
    const auto map = map_of(node, effect_keys);
    if (!map) return;
    const std::string name = text(*map, "register");
    const auto& all = region_.registers;
    const auto target = std::ranges::find(all, name, &RegisterScript::name);
    if (name.empty() || target == all.end())
      return wrong(node, fmt::format("'{}' is no register's name here", name));
    WriteEffect effect{.target = static_cast<std::size_t>(target - all.begin())};
    effect.when = value(*map, "when", all[owner], 0);
    if (map->has("when") && effect.when == 0)
      return wrong(*map->find("when"), "expected the bits of which one has to be written as 1");
    effect.restarts = flag(*map, "restart");
    if (const auto* given = map->find("value")) {
      effect.stores = true;
      if (!given->IsScalar() || given->Scalar() != "written") effect.value = value(*given, *target);
    }
    if (!effect.stores && !effect.restarts)
      return wrong(node, "expected a 'value' (a number, or 'written'), or 'restart: true'");
    region_.registers[owner].effects.push_back(effect);
  }

  device::RegionScript region_;
};

}  // namespace

Result<device::RegionScript> parse_device(const Region& region, const std::string& file,
                                          std::string_view text) {
  const auto root = yaml::parse(file, text);
  if (!root) return std::unexpected(root.error());
  if (root->IsNull()) return fail("{}: there is nothing in it", file);
  return Reader(region, file).read(*root);
}

}  // namespace pkvmemu::script
