// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/ops_flow.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "image/relocate.h"
#include "inspect/ops_flow_state.h"

namespace pkvmemu::inspect {
namespace {

using code::Instruction;
using code::Operation;

constexpr std::uint64_t instruction_size = 4;
/// Instructions looked at in all rounds together: a hundred times the largest module known.
constexpr std::uint64_t budget = 4'000'000;
constexpr unsigned most_rounds = 20;
/// Arguments, scratch and link registers: what a call may overwrite (AAPCS64).
constexpr std::uint32_t call_overwrites = 0x4007'ffff;
constexpr std::uint8_t argument_registers = 8;

class Follower {
 public:
  Follower(const ModuleIndex& module, const code::Disassembler& disassembler,
           const FlowRequest& request)
      : module_(module), disassembler_(disassembler), request_(request) {}

  Flow run() {
    for (const Function& function : module_.functions())
      if (is_followed(function.place.section)) routine(function.place).size = function.size;
    const Value ops{.kind = Value::Kind::ops, .offset = 0, .place = {}};
    for (const Place init : request_.inits)
      if (is_followed(init.section)) routine(init).at_entry.registers[0] = ops;
    for (unsigned round = 0; round < most_rounds; ++round) {
      shared_.flow = {};
      shared_.changed = false;
      // Grows while it is walked: calls find functions that have no symbol.
      for (std::size_t i = 0; i < routines_.size() && !spent(); ++i)
        follow_routine(routines_[i]);
      if (!shared_.changed || spent()) break;
    }
    if (spent() || shared_.changed) doubt(Doubt::gave_up, {});
    return std::move(shared_.flow);
  }

 private:
  [[nodiscard]] bool is_followed(std::uint32_t section) const {
    return module_.is_code(section) &&
           std::ranges::find(request_.sections, section) != request_.sections.end();
  }
  [[nodiscard]] bool spent() const { return looked_at_ > budget; }
  void doubt(Doubt what, Place site) { shared_.flow.doubts.emplace(what, site); }

  Routine& routine(Place entry) {
    const auto [known, fresh] = by_entry_.try_emplace(entry, routines_.size());
    if (fresh) {
      routines_.push_back(
          {.entry = entry, .size = 0, .at_entry = State::at_entry(), .result = {}, .leaders = {}});
      shared_.changed = true;
    }
    return routines_[known->second];
  }

  [[nodiscard]] bool is_entry(Place place) const { return by_entry_.contains(place); }

  const Instruction* instruction(Place place) {
    if (place.offset % instruction_size != 0 || !is_followed(place.section)) return nullptr;
    const auto known = decoded_.find(place);
    if (known != decoded_.end()) return &known->second;
    const auto word = module_.word_at(place);
    if (!word) return nullptr;
    return &decoded_.emplace(place, disassembler_.decode(*word, place.offset)).first->second;
  }

  /// Where a branch or BL goes: by its relocation when it has one.
  [[nodiscard]] std::optional<Place> target(const Instruction& own, Place site) const {
    if (const Relocation* relocation = module_.relocation_at(site))
      return module_.target_of(*relocation);
    return Place{.section = site.section, .offset = own.target};
  }

  /// A target inside the routine, not another function.
  [[nodiscard]] std::optional<Place> inner_target(const Routine& own, const Instruction& branch,
                                                  Place site) const {
    const auto to = target(branch, site);
    if (!to || to->section != site.section) return std::nullopt;
    return *to == own.entry || !is_entry(*to) ? to : std::nullopt;
  }

  static bool ends_block(Operation operation) {
    constexpr std::array ends = {Operation::branch, Operation::jump_register, Operation::ret,
                                 Operation::trap, Operation::invalid};
    return std::ranges::find(ends, operation) != ends.end();
  }

  /// Finds the routine's blocks: all that is reached from its entry, and behind a computed jump all
  /// that its symbol covers.
  void find_leaders(Routine& own) {
    std::set<std::uint64_t> leaders;
    std::set<std::uint64_t> seen;
    bool computed = false;
    explore(own, own.entry.offset, leaders, seen, computed);
    if (computed) explore_rest(own, leaders, seen);
    own.leaders.assign(leaders.begin(), leaders.end());
  }

  void explore(const Routine& own, std::uint64_t from, std::set<std::uint64_t>& leaders,
               std::set<std::uint64_t>& seen, bool& computed) {
    std::vector<std::uint64_t> open{from};
    while (!open.empty()) {
      std::uint64_t at = open.back();
      open.pop_back();
      leaders.insert(at);
      for (; seen.insert(at).second; at += instruction_size) {
        const Place site{.section = own.entry.section, .offset = at};
        const Instruction* here = instruction(site);
        if (here == nullptr) break;
        if (here->operation == Operation::jump_register) computed = true;
        if (here->operation == Operation::branch || here->operation == Operation::conditional)
          if (const auto to = inner_target(own, *here, site)) {
            if (leaders.insert(to->offset).second) open.push_back(to->offset);
          }
        if (ends_block(here->operation)) break;
        if (here->operation == Operation::conditional) leaders.insert(at + instruction_size);
      }
    }
  }

  void explore_rest(const Routine& own, std::set<std::uint64_t>& leaders,
                    std::set<std::uint64_t>& seen) {
    bool computed = false;
    bool any = false;
    const std::uint64_t room = module_.sections()[own.entry.section].content.size();
    const std::uint64_t begin = std::min(own.entry.offset, room);
    const std::uint64_t end = begin + std::min(own.size, room - begin);
    for (std::uint64_t at = begin; at < end; at += instruction_size) {
      const Place site{.section = own.entry.section, .offset = at};
      const Instruction* here = seen.contains(at) ? nullptr : instruction(site);
      if (here == nullptr || here->operation == Operation::trap) continue;
      any = true;
      explore(own, at, leaders, seen, computed);
    }
    if (any) computed_.insert(own.entry);
  }

  void follow_routine(Routine& own) {
    if (own.leaders.empty()) find_leaders(own);
    if (computed_.contains(own.entry)) doubt(Doubt::computed_branch, own.entry);
    std::map<std::uint64_t, State> blocks;
    std::set<std::uint64_t> open{own.entry.offset};
    blocks[own.entry.offset] = own.at_entry;
    if (computed_.contains(own.entry))
      for (const std::uint64_t leader : own.leaders) {
        blocks.try_emplace(leader, State::at_entry());
        open.insert(leader);
      }
    while (!open.empty() && !spent()) {
      const std::uint64_t at = *open.begin();
      open.erase(open.begin());
      follow_block(own, {.section = own.entry.section, .offset = at}, blocks, open);
    }
  }

  static void reach(std::map<std::uint64_t, State>& blocks, std::set<std::uint64_t>& open,
                    std::uint64_t at, const State& state) {
    const auto [block, fresh] = blocks.try_emplace(at, state);
    if (fresh || merge(block->second, state)) open.insert(at);
  }

  void follow_block(Routine& own, Place site, std::map<std::uint64_t, State>& blocks,
                    std::set<std::uint64_t>& open) {
    State state = blocks[site.offset];
    Stepper stepper(module_, shared_);
    for (bool first = true;; first = false, site.offset += instruction_size) {
      if (!first && std::ranges::binary_search(own.leaders, site.offset)) {
        reach(blocks, open, site.offset, state);
        return;
      }
      const Instruction* here = instruction(site);
      if (here == nullptr || ++looked_at_ > budget) return;
      switch (here->operation) {
        case Operation::branch:
          if (const auto to = inner_target(own, *here, site))
            reach(blocks, open, to->offset, state);
          else
            leave(own, call(state, target(*here, site), site));
          return;
        case Operation::conditional:
          if (const auto to = inner_target(own, *here, site))
            reach(blocks, open, to->offset, state);
          break;
        case Operation::call: {
          const Value result = call(state, target(*here, site), site);
          after_call(state, result);
          break;
        }
        case Operation::call_register: {
          call_value(state, state.get(here->source), site);
          after_call(state, unknown_value);
          break;
        }
        case Operation::jump_register:
          call_value(state, state.get(here->source), site);
          return;
        case Operation::ret:
          leave(own, state.registers[0]);
          return;
        case Operation::trap:
        case Operation::invalid:
          return;
        default:
          stepper.step(state, *here, site);
      }
    }
  }

  void leave(Routine& own, const Value& result) {
    const Value joined =
        join(own.result, result.kind == Value::Kind::stack ? unknown_value : result);
    if (joined == own.result) return;
    own.result = joined;
    shared_.changed = true;
  }

  static void after_call(State& state, const Value& result) {
    for (std::size_t n = 0; n < state.registers.size(); ++n)
      if ((call_overwrites >> n & 1U) != 0) state.registers[n] = unknown_value;
    state.registers[0] = result;
  }

  /// Hands the arguments over; the function's result, as far as it is known yet.
  Value call(const State& state, const std::optional<Place>& to, Place site) {
    if (!to || !is_followed(to->section)) {
      note_escape(state, site);
      return unknown_value;
    }
    Routine& called = routine(*to);
    for (std::uint8_t n = 0; n < argument_registers; ++n) {
      Value& argument = called.at_entry.registers[n];
      if (!state.registers[n].is_ops()) continue;
      const Value joined = join(argument, state.registers[n]);
      if (joined == argument) continue;
      argument = joined;
      shared_.changed = true;
    }
    return called.result.kind == Value::Kind::none ? unknown_value : called.result;
  }

  void call_value(const State& state, const Value& callee, Place site) {
    if (callee.kind == Value::Kind::op)
      shared_.flow.calls[static_cast<std::uint64_t>(callee.offset)].insert(site);
    else if (callee.kind == Value::Kind::address && is_followed(callee.place.section))
      (void)call(state, callee.place, site);
    else
      note_escape(state, site);
  }

  /// x0 to x7 may hold left-overs: only x0 and x1, the usual places, count.
  void note_escape(const State& state, Place site) {
    if (state.registers[0].is_ops() || state.registers[1].is_ops())
      doubt(Doubt::pointer_escapes, site);
  }

  const ModuleIndex& module_;
  const code::Disassembler& disassembler_;
  const FlowRequest& request_;
  Shared shared_;
  std::deque<Routine> routines_;  ///< references stay valid while it grows
  std::map<Place, std::size_t> by_entry_;
  std::map<Place, Instruction> decoded_;
  std::set<Place> computed_;  ///< routines with jumps whose targets are not known
  std::uint64_t looked_at_ = 0;
};

struct DoubtRow {
  Doubt doubt;
  std::string_view words;
};

constexpr std::array doubt_rows = {
    DoubtRow{Doubt::pointer_escapes, "the ops pointer goes where it cannot be followed"},
    DoubtRow{Doubt::indexed, "a slot is chosen at run time"},
    DoubtRow{Doubt::odd_access, "the ops table is read other than slot by slot"},
    DoubtRow{Doubt::computed_branch, "a jump's targets are not known"},
    DoubtRow{Doubt::gave_up, "there is too much code to follow"},
};

}  // namespace

std::string_view words_of(Doubt doubt) {
  for (const DoubtRow& row : doubt_rows)
    if (row.doubt == doubt) return row.words;
  return {};
}

Flow follow(const ModuleIndex& module, const code::Disassembler& disassembler,
            const FlowRequest& request) {
  return Follower(module, disassembler, request).run();
}

}  // namespace pkvmemu::inspect
