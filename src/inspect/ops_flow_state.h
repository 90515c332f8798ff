// SPDX-License-Identifier: GPL-2.0-only
// What ops_flow knows of a register or variable at one point of the code, and one step of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "code/instruction.h"
#include "inspect/ops_flow.h"

namespace pkvmemu::inspect {

struct Value {
  /// Later wins at a join.
  enum class Kind : std::uint8_t {
    none,      ///< nothing has come here yet
    address,   ///< of `place`
    stack,     ///< the function's entry SP plus `offset`
    op,        ///< what slot `offset` holds
    unknown,   ///< anything else
    ops,       ///< the ops pointer plus `offset` bytes
    ops_lost,  ///< the ops pointer at an unknown distance
  };
  Kind kind = Kind::none;
  std::int64_t offset = 0;
  Place place;

  bool operator==(const Value&) const = default;
  [[nodiscard]] bool is_ops() const { return kind == Kind::ops || kind == Kind::ops_lost; }
  [[nodiscard]] Value moved(std::int64_t distance) const;
};

inline constexpr Value unknown_value{.kind = Value::Kind::unknown, .offset = 0, .place = {}};

Value join(const Value& a, const Value& b);

/// Registers x0 to x30 and SP, and the function's stack slots.
struct State {
  std::array<Value, 32> registers{};
  std::map<std::int64_t, Value> stack;

  bool operator==(const State&) const = default;
  [[nodiscard]] Value get(code::Register which) const;
  void set(code::Register which, const Value& value);
  /// Every register unknown, SP at its entry value.
  static State at_entry();
};

/// `into` takes over what `from` adds; true when that changed it.
bool merge(State& into, const State& from);

/// What all functions share.
struct Shared {
  std::map<Place, Value> cells;  ///< static variables that hold something of interest
  Flow flow;
  bool changed = false;

  void store(Place to, const Value& value);
};

/// One function: what callers hand in, what it returns, and its blocks.
struct Routine {
  Place entry;
  std::uint64_t size = 0;
  State at_entry = State::at_entry();
  Value result;
  std::vector<std::uint64_t> leaders;  ///< offsets where blocks begin, sorted; empty: not looked at
};

/// The effect of an instruction that is no call, jump or return.
class Stepper {
 public:
  Stepper(const ModuleIndex& module, Shared& shared) : module_(module), shared_(shared) {}
  void step(State& state, const code::Instruction& instruction, Place site);

 private:
  /// An address; `Value` of kind unknown when it is not known.
  [[nodiscard]] Value accessed(const State& state, const code::Instruction& instruction,
                               Place site);
  [[nodiscard]] Value load(const State& state, const Value& where, unsigned size, Place site);
  void store(State& state, const Value& where, unsigned size, const Value& value, Place site);
  [[nodiscard]] std::optional<Value> relocated(Place site) const;
  void doubt(Doubt what, Place site) { shared_.flow.doubts.emplace(what, site); }

  const ModuleIndex& module_;
  Shared& shared_;
};

}  // namespace pkvmemu::inspect
