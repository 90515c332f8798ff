// SPDX-License-Identifier: GPL-2.0-only
// Synthetic event records, as the firmware's two rings carry them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "machine/machine.h"
#include "observe/report.h"
#include "pkvm/event.h"
#include "pkvm/guest.h"
#include "pkvm/smccc.h"

namespace pkvmemu::observe::test {

using pkvm::event::Kind;
using pkvm::event::Step;

inline constexpr std::uint64_t hello_hyp_va = 0x4000'0840'0000;

struct Text {
  std::string_view name;
  std::string_view text;
};

/// Grows a run's event list; each call is one record. `hello()` and the like are whole stories.
class EventBuilder {
 public:
  EventBuilder& hyp(Kind kind, std::initializer_list<std::uint64_t> values, Text text = {}) {
    return add(true, kind, values, text);
  }
  EventBuilder& host(Kind kind, std::initializer_list<std::uint64_t> values, Text text = {}) {
    return add(false, kind, values, text);
  }
  EventBuilder& el2_runs(std::uint64_t instructions) {
    el2_ += instructions;
    now_ += instructions;
    return *this;
  }

  EventBuilder& boot() { return hyp(Kind::hyp_ready, {1, hello_hyp_va}); }
  EventBuilder& deprivilege() { return hyp(Kind::deprivileged, {0}).host(Kind::finalized, {1}); }
  EventBuilder& begin(std::string_view name, std::uint64_t on_protected_list = 1) {
    return host(Kind::module_begin, {on_protected_list}, {name, "lib/modules/6.6.77/x.ko"})
        .host(Kind::module_file, {4096}, {name, "6.6.77-android15-8 SMP preempt mod_unload"});
  }
  EventBuilder& loaded(std::string_view name) {
    return begin(name)
        .host(Kind::module_el2_loaded, {hello_hyp_va, 0xffff'8000'0000'0000, 0x4000}, {name, ""})
        .host(Kind::module_handler, {128, hello_hyp_va + 0x40}, {name, "hello_add"})
        .host(Kind::module_end, {0, 12, 0}, {name, ""});
  }
  EventBuilder& failed(std::string_view name, int error, Step step, std::string_view why = "") {
    const auto value = static_cast<std::uint64_t>(std::int64_t{error});
    return host(Kind::module_end, {value, static_cast<std::uint64_t>(step), value}, {name, why});
  }
  EventBuilder& call(std::uint64_t function, std::uint64_t x0, std::string_view name = "call") {
    return host(Kind::call_begin, {function, 1, 2, 3, 4, 5, 6, 7}, {name, ""})
        .el2_runs(100)
        .host(Kind::call_end, {x0, 0x66, 0x44, 0xabc});
  }

  EventBuilder& probe_begins() { return host(Kind::probe_begin, {}, {"probe", ""}); }
  EventBuilder& guest_step(std::string_view what, int answer = 0, std::uint64_t told = 0) {
    return host(Kind::guest_step, {static_cast<std::uint64_t>(std::int64_t{answer}), 1, told},
                {"probe", what});
  }
  EventBuilder& firmware_is_set() {
    return guest_step("create")
        .guest_step("firmware info", 0, 0x10'0000)
        .guest_step("set firmware");
  }
  EventBuilder& guest_says(std::string_view line) {
    return host(Kind::guest_console, {}, {"probe", line});
  }
  EventBuilder& guest_ends(bool ran) { return host(Kind::guest_end, {ran ? 1U : 0U}); }
  /// The kernel's own protected VM, as it goes when all is well.
  EventBuilder& probe() {
    return probe_begins()
        .firmware_is_set()
        .guest_step("memory")
        .guest_says(pkvm::guest::firmware_greeting)
        .guest_step("run")
        .guest_step("tear down")
        .guest_ends(true);
  }

  const std::vector<machine::Event>& events() const { return events_; }

 private:
  template <std::size_t N>
  static void put(char (&field)[N], std::string_view text) {
    std::ranges::copy(text.substr(0, N), field);  // full fields carry no NUL
  }

  EventBuilder& add(bool from_hyp, Kind kind, std::initializer_list<std::uint64_t> values,
                    Text text) {
    machine::Event event{
        .from_hyp = from_hyp, .instructions = now_ += 10, .el2_instructions = el2_};
    event.record.kind = kind;
    std::ranges::copy(values, event.record.value);
    put(event.record.name, text.name);
    put(event.record.text, text.text);
    events_.push_back(event);
    return *this;
  }

  std::vector<machine::Event> events_;
  std::uint64_t now_ = 0;
  std::uint64_t el2_ = 0;
};

inline std::uint64_t host_id(unsigned number) {
  return pkvm::smccc::kvm_host_id(number);
}
inline constexpr std::uint64_t refusal = ~std::uint64_t{0};

/// A run that powered off with its firmware intact. The facts refer to the builder's events.
inline Facts facts_of(const EventBuilder& builder) {
  Facts facts;
  facts.events = builder.events();
  facts.pvmfw = Pvmfw::intact;
  return facts;
}

}  // namespace pkvmemu::observe::test
