// SPDX-License-Identifier: GPL-2.0-only
#include "observe/report_json.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "observe/refused_op.h"

namespace pkvmemu::observe {
namespace {

using Json = nlohmann::ordered_json;

/// 64-bit values travel as strings: JSON numbers are doubles to many readers.
Json hex(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

template <typename T, typename Convert>
Json or_null(const std::optional<T>& value, Convert convert) {
  return value ? Json(convert(*value)) : Json(nullptr);
}
template <typename T>
Json or_null(const std::optional<T>& value) {
  return or_null(value, [](const T& own) { return own; });
}

Json kmi(const std::optional<pkvm::Generation>& generation) {
  return or_null(generation, [](pkvm::Generation id) { return pkvm::info(id).kmi; });
}

// Stable names, in the order of the enumerations.
std::string_view name_of(LoadState state) {
  switch (state) {
    case LoadState::loaded:
      return "loaded";
    case LoadState::failed:
      return "failed";
    case LoadState::refused:
      return "refused";
    case LoadState::not_tried:
      return "not-tried";
    case LoadState::unfinished:
      return "unfinished";
  }
  std::unreachable();
}

std::string_view name_of(CallState state) {
  switch (state) {
    case CallState::good:
      return "good";
    case CallState::failed:
      return "failed";
    case CallState::refused:
      return "refused";
    case CallState::not_made:
      return "not-made";
    case CallState::ended:
      return "ended";
    case CallState::unfinished:
      return "unfinished";
  }
  std::unreachable();
}

Json to_json(const HandlerReport& handler) {
  return {{"symbol", handler.symbol}, {"id", *handler.id}, {"hyp_va", hex(handler.hyp_va)}};
}

Json refused_to_json(const HandlerReport& handler) {
  return {{"symbol", handler.symbol}, {"error", handler.error}};
}

Json to_json(const ModuleReport& module) {
  Json handlers = Json::array();
  Json refused = Json::array();
  for (const HandlerReport& handler : module.handlers) {
    if (handler.id)
      handlers.push_back(to_json(handler));
    else
      refused.push_back(refused_to_json(handler));
  }
  return {{"name", module.name},
          {"file", module.file},
          {"generation", kmi(module.generation)},
          {"el2_only", module.el2_only},
          {"late", module.time == LoadTime::late},
          {"loaded", module.state == LoadState::loaded},
          {"state", name_of(module.state)},
          {"error", module.error},
          {"step", or_null(module.step, [](auto step) { return observe::name_of(step); })},
          {"reason", failure_text(module)},
          {"init", or_null(module.init_result)},
          {"hyp_va", or_null(module.hyp_va, hex)},
          {"handlers", std::move(handlers)},
          {"refused_handlers", std::move(refused)},
          {"unresolved", module.unresolved},
          {"stubbed", module.stubbed},
          {"fp_code", module.fp_code}};
}

Json result_of(const CallReport& call) {
  if (!call.result) return nullptr;
  Json result = Json::array();
  for (const std::uint64_t x : *call.result)
    result.push_back(hex(x));
  for (const std::uint64_t x : call.more)
    result.push_back(hex(x));
  return result;
}

Json to_json(const CallReport& call) {
  Json args = Json::array();
  for (const std::uint64_t arg : call.args)
    args.push_back(hex(arg));
  return {{"id", or_null(call.id)},
          {"name", call.name},
          {"conduit", call.conduit == CallConduit::smc ? "smc" : "hvc"},
          {"function", or_null(call.function, hex)},
          {"args", std::move(args)},
          {"state", name_of(call.state)},
          {"reason", call.reason},
          {"result", result_of(call)},
          {"x18_changed", call.x18_changed},
          {"el2_instructions", or_null(call.el2_instructions)}};
}

std::string_view name_of(TouchState state) {
  switch (state) {
    case TouchState::done:
      return "done";
    case TouchState::aborted:
      return "aborted";
    case TouchState::unfinished:
      return "unfinished";
  }
  std::unreachable();
}

Json to_json(const GuestStep& step) {
  Json json = {{"what", step.what}, {"answer", step.answer}};
  if (step.what == "firmware info") json["bytes"] = step.told;
  return json;
}

Json to_json(const GuestReport& guest) {
  Json steps = Json::array();
  for (const GuestStep& step : guest.steps)
    steps.push_back(to_json(step));
  return {{"name", guest.name},
          {"protected", guest.is_protected},
          {"ran", guest.ran},
          {"steps", std::move(steps)},
          {"console", guest.console}};
}

Json to_json(const TouchReport& touch) {
  const bool aborted = touch.state == TouchState::aborted;
  return {{"name", touch.name},
          {"state", name_of(touch.state)},
          {"value", touch.state == TouchState::done ? hex(touch.value) : Json(nullptr)},
          {"esr", aborted ? hex(touch.esr) : Json(nullptr)},
          {"far", aborted ? hex(touch.far) : Json(nullptr)}};
}

Json to_json(const AttackReport& attack) {
  return {{"name", attack.name},
          {"fatal", attack.is_fatal},
          {"ended", attack.ended},
          {"as_specified", attack.as_specified},
          {"wrong", attack.wrong}};
}

std::vector<std::string> hex_list(const std::vector<std::uint64_t>& values) {
  std::vector<std::string> list;
  for (const std::uint64_t value : values)
    list.push_back(fmt::format("{:#x}", value));
  return list;
}

Json to_json(const device::RegisterUse& reg) {
  return {{"name", reg.name},
          {"offset", hex(reg.offset)},
          {"scripted", reg.is_scripted},
          {"reads", reg.reads},
          {"writes", reg.writes},
          {"last_read", or_null(reg.last_read, hex)},
          {"last_written", or_null(reg.last_written, hex)}};
}

Json to_json(const device::RegionUse& region);

Json to_json(const device::SecureUse& use) {
  return {{"function", hex(use.function)},
          {"name", use.name},
          {"calls", use.calls},
          {"unanswered", use.unanswered},
          {"scripted", use.is_scripted},
          {"last_arguments", hex_list(use.last_arguments)},
          {"last_answer", hex_list(use.last_answer)}};
}

Json to_json(const FaultReport& fault) {
  return {{"site", fault.site},       {"nth", fault.nth},     {"answer", fault.answer},
          {"reached", fault.reached}, {"fired", fault.fired}, {"action", fault.action},
          {"where", fault.where},     {"note", fault.note}};
}

Json to_json(const Expectation& expectation) {
  return {{"subject", expectation.subject},
          {"wanted", expectation.wanted},
          {"found", expectation.found},
          {"holds", expectation.holds}};
}

Json to_json(const HypPanic& panic) {
  return {{"esr", hex(panic.esr)},       {"spsr", hex(panic.spsr)},
          {"elr", hex(panic.elr)},       {"far", hex(panic.far)},
          {"hpfar", hex(panic.hpfar)},   {"par", hex(panic.par)},
          {"link", hex(panic.link)},     {"sp", hex(panic.sp)},
          {"what", panic.told.what},     {"where", panic.told.where},
          {"caller", panic.told.caller}, {"registered_with", panic.registered_with},
          {"advice", panic.told.advice}};
}

Json to_json(const OpCall& op) {
  return {{"name", op.name},
          {"args", op.arguments},
          {"result", or_null(op.result)},
          {"caller", hex(op.caller)},
          {"where", op.where}};
}

Json to_json(const TraceEvent& event) {
  return {{"name", event.name}, {"text", event.text}};
}

Json to_json(const MissingOp& op) {
  return {{"name", op.name}, {"slot", op.slot}, {"caller", hex(op.caller)}};
}

Json to_json(const RefusedOp& op) {
  return {{"name", op.name},          {"answer", op.answer},
          {"subject", hex(op.value)}, {"subject_name", op.value_place},
          {"caller", hex(op.caller)}, {"where", op.where},
          {"count", op.count},        {"advice", advice_for(op)}};
}

Json to_json(const MetDefect& defect) {
  return {{"name", defect.name}, {"reproduced", defect.reproduced}};
}

Json to_json(const StubUse& use) {
  return {{"symbol", use.symbol}, {"count", use.count}, {"declared", use.declared}};
}

template <typename T>
Json list_of(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items)
    list.push_back(to_json(item));
  return list;
}

Json to_json(const device::RegionUse& region) {
  return {{"name", region.name},      {"base", hex(region.base.value)},
          {"size", hex(region.size)}, {"reads", region.reads},
          {"writes", region.writes},  {"registers", list_of(region.registers)}};
}

std::string_view name_of(Availability state) {
  switch (state) {
    case Availability::available:
      return "available";
    case Availability::not_available:
      return "not-available";
    case Availability::not_verified:
      return "not-verified";
  }
  std::unreachable();
}

Json to_json(const ProtectedVms& vms) {
  return {{"available", vms.state == Availability::available},
          {"state", name_of(vms.state)},
          {"reason", vms.reason},
          {"steps", list_of(vms.steps)}};
}

}  // namespace

std::string to_json(const RunReport& report) {
  const machine::Exit& exit = report.exit;
  const Json object = {
      {"schema", json_schema},
      {"generation", kmi(report.generation)},
      {"modules", list_of(report.modules)},
      {"calls", list_of(report.calls)},
      {"touches", list_of(report.touches)},
      {"guests", list_of(report.guests)},
      {"attacks", list_of(report.attacks)},
      {"mmio", list_of(report.world.regions)},
      {"el3", list_of(report.world.secure_calls)},
      {"device_log", report.world.log},
      {"faults", list_of(report.faults)},
      {"seed", or_null(report.seed)},
      {"corruptions", report.corruptions},
      {"expectations", list_of(report.expectations)},
      {"deprivileged", report.deprivileged},
      {"protected_vms", to_json(report.protected_vms)},
      {"ops", list_of(report.ops)},
      {"trace_events", list_of(report.trace_events)},
      {"missing_ops", list_of(report.missing_ops)},
      {"refused_ops", list_of(report.refused_ops)},
      {"defects", list_of(report.defects)},
      {"stub_uses", list_of(report.stub_uses)},
      {"hyp_panic", or_null(report.hyp_panic, [](const HypPanic& own) { return to_json(own); })},
      {"host_panic", or_null(report.host_panic)},
      {"internal_errors", report.internal_errors},
      {"exit",
       {{"code", static_cast<int>(report.exit_code)},
        {"reason", machine::name_of(exit.reason)},
        {"detail", exit.detail},
        {"el", exit.el},
        {"pc", hex(exit.pc)},
        {"where", report.exit_place}}},
      {"instructions", report.instructions},
      {"console", report.console}};
  constexpr int indent = 2;
  return object.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pkvmemu::observe
