// SPDX-License-Identifier: GPL-2.0-only
#include <utility>

#include "inspect/ops_flow_state.h"

namespace pkvmemu::inspect {
namespace {

using code::Instruction;
using code::MemoryOperand;
using code::Operation;
using Kind = Value::Kind;

constexpr unsigned slot_size = 8;

}  // namespace

Value Value::moved(std::int64_t distance) const {
  Value result = *this;
  // Wrapping: offsets come from files.
  const auto sum = [distance](auto value) {
    return static_cast<decltype(value)>(static_cast<std::uint64_t>(value) +
                                        static_cast<std::uint64_t>(distance));
  };
  switch (kind) {
    case Kind::address:
      result.place.offset = sum(place.offset);
      return result;
    case Kind::stack:
    case Kind::ops:
      result.offset = sum(offset);
      return result;
    case Kind::ops_lost:
      return result;
    default:
      return distance == 0 ? result : unknown_value;
  }
}

Value join(const Value& a, const Value& b) {
  if (a == b) return a;
  if (a.kind == b.kind)
    return a.is_ops() ? Value{.kind = Kind::ops_lost, .offset = 0, .place = {}} : unknown_value;
  const Value& stronger = a.kind < b.kind ? b : a;
  const Value& weaker = a.kind < b.kind ? a : b;
  if (weaker.kind == Kind::none || stronger.kind >= Kind::unknown) return stronger;
  return unknown_value;
}

Value State::get(code::Register which) const {
  return which.is_zero() ? unknown_value : registers[which.number];
}

void State::set(code::Register which, const Value& value) {
  if (!which.is_zero()) registers[which.number] = value;
}

State State::at_entry() {
  State state;
  state.registers.fill(unknown_value);
  state.registers[code::Register::sp_number] = {.kind = Kind::stack, .offset = 0, .place = {}};
  return state;
}

bool merge(State& into, const State& from) {
  State merged = into;
  for (std::size_t n = 0; n < merged.registers.size(); ++n)
    merged.registers[n] = join(merged.registers[n], from.registers[n]);
  for (const auto& [offset, value] : from.stack) {
    const auto [entry, fresh] = merged.stack.try_emplace(offset, value);
    if (!fresh) entry->second = join(entry->second, value);
  }
  if (merged == into) return false;
  into = std::move(merged);
  return true;
}

void Shared::store(Place to, const Value& value) {
  // A variable that only ever holds other things is not remembered.
  const auto known = cells.find(to);
  const bool interesting = value.is_ops() || value.kind == Kind::op;
  if (known == cells.end() && !interesting) return;
  Value& cell = cells[to];
  const Value joined = join(cell, value.kind == Kind::stack ? unknown_value : value);
  // Clearing the variable does not make us forget what it holds at other times.
  if (joined == cell || joined.kind == Kind::unknown) return;
  cell = joined;
  changed = true;
}

std::optional<Value> Stepper::relocated(Place site) const {
  const Relocation* relocation = module_.relocation_at(site);
  if (relocation == nullptr) return std::nullopt;
  const auto target = module_.target_of(*relocation);
  if (!target) return unknown_value;
  return Value{.kind = Kind::address, .offset = 0, .place = *target};
}

Value Stepper::accessed(const State& state, const Instruction& instruction, Place site) {
  if (const auto fixed = relocated(site)) return *fixed;
  const MemoryOperand& memory = instruction.memory;
  const Value base = state.get(memory.base);
  if (memory.index) {
    if (base.is_ops() || state.get(*memory.index).is_ops()) doubt(Doubt::indexed, site);
    return unknown_value;
  }
  return base.moved(memory.writeback == MemoryOperand::Writeback::after ? 0 : memory.offset);
}

Value Stepper::load(const State& state, const Value& where, unsigned size, Place site) {
  switch (where.kind) {
    case Kind::ops: {
      if (size != slot_size || where.offset < 0 || where.offset % slot_size != 0) {
        doubt(Doubt::odd_access, site);
        return unknown_value;
      }
      const std::int64_t slot = where.offset / slot_size;
      shared_.flow.loads[static_cast<std::uint64_t>(slot)].insert(site);
      return {.kind = Kind::op, .offset = slot, .place = {}};
    }
    case Kind::ops_lost:
      doubt(Doubt::odd_access, site);
      return unknown_value;
    case Kind::address: {
      const auto cell = shared_.cells.find(where.place);
      return cell == shared_.cells.end() || size != slot_size ? unknown_value : cell->second;
    }
    case Kind::stack: {
      const auto slot = state.stack.find(where.offset);
      return slot == state.stack.end() || size != slot_size ? unknown_value : slot->second;
    }
    default:
      return unknown_value;
  }
}

void Stepper::store(State& state, const Value& where, unsigned size, const Value& value,
                    Place site) {
  if (where.kind == Kind::stack) {
    state.stack[where.offset] = size == slot_size ? value : unknown_value;
    return;
  }
  if (size != slot_size) return;
  if (where.kind == Kind::address) {
    shared_.store(where.place, value);
    if (value.kind == Kind::address)
      shared_.flow.stored.insert({.to = where.place, .value = value.place, .site = site});
    return;
  }
  if (value.is_ops()) doubt(Doubt::pointer_escapes, site);
}

void Stepper::step(State& state, const Instruction& instruction, Place site) {
  std::array<Value, 2> loaded{unknown_value, unknown_value};
  const bool memory =
      instruction.operation == Operation::load || instruction.operation == Operation::store;
  const Value where = memory ? accessed(state, instruction, site) : unknown_value;
  for (std::size_t i = 0; memory && i < instruction.transfer_count; ++i) {
    const Value at = where.moved(static_cast<std::int64_t>(i) * instruction.access_size);
    if (instruction.operation == Operation::load)
      loaded[i] = load(state, at, instruction.access_size, site);
    else
      store(state, at, instruction.access_size, state.get(instruction.transfer[i]), site);
  }
  const Value source = state.get(instruction.source);
  const Value other = state.get(instruction.other);
  const Value base = state.get(instruction.memory.base);
  for (std::size_t n = 0; n < state.registers.size(); ++n)
    if (instruction.writes({static_cast<std::uint8_t>(n)})) state.registers[n] = unknown_value;

  switch (instruction.operation) {
    case Operation::move:
      state.set(instruction.transfer[0], source);
      return;
    case Operation::select:
      state.set(instruction.transfer[0], join(source, other));
      return;
    case Operation::add:
      state.set(instruction.transfer[0],
                relocated(site).value_or(source.moved(instruction.immediate)));
      return;
    case Operation::address:
      state.set(instruction.transfer[0], relocated(site).value_or(unknown_value));
      return;
    case Operation::load:
    case Operation::store:
      if (instruction.memory.writeback != MemoryOperand::Writeback::none)
        state.set(instruction.memory.base, base.moved(instruction.memory.offset));
      for (std::size_t i = 0;
           instruction.operation == Operation::load && i < instruction.transfer_count; ++i)
        state.set(instruction.transfer[i], loaded[i]);
      return;
    default:
      return;
  }
}

}  // namespace pkvmemu::inspect
