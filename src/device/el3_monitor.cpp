// SPDX-License-Identifier: GPL-2.0-only
#include "device/el3_monitor.h"

#include "pkvm/platform.h"
#include "pkvm/smccc.h"

namespace pkvmemu::device {
namespace {

namespace psci = pkvm::psci;
using Action = El3Monitor::Action;
using Answer = El3Monitor::Answer;
using Arguments = El3Monitor::Arguments;

constexpr std::int64_t version_1_1 = 0x1'0001;
constexpr std::int64_t already_on = -4;
constexpr std::int64_t affinity_on = 0;
constexpr std::int64_t trusted_os_not_required = 2;
constexpr std::uint64_t only_cpu = 0;
/// power_state bits that PSCI reserves in the original format.
constexpr std::uint64_t power_state_reserved = 0xfffe'0000;
/// StateType: the CPU loses its registers.
constexpr std::uint64_t power_state_powerdown = 0x1'0000;
constexpr std::int64_t invalid_address = -9;

/// The SMC32 twin of an SMC64 function.
constexpr std::uint32_t in_32_bits(std::uint32_t id) {
  return id & ~0x4000'0000U;
}

Answer features(const Arguments& x);

Answer suspend(const Arguments& x) {
  if ((x[1] & power_state_reserved) != 0) return {.x0 = psci::invalid_parameters};
  if ((x[1] & power_state_powerdown) == 0) return {.x0 = psci::success};
  const bool good_entry = x[2] >= pkvm::platform::ram_base && x[2] % sizeof(std::uint32_t) == 0;
  if (!good_entry) return {.x0 = invalid_address};
  return {.x0 = static_cast<std::int64_t>(x[3]), .action = Action::power_up, .entry = Pa{x[2]}};
}
Answer cpu_on(const Arguments& x) {
  return {.x0 = x[1] == only_cpu ? already_on : psci::invalid_parameters};
}
Answer affinity_info(const Arguments& x) {
  const bool above_cpu = x[2] != 0;
  return {.x0 = above_cpu || x[1] == only_cpu ? affinity_on : psci::invalid_parameters};
}

struct Row {
  std::uint32_t id;
  Answer (*answer)(const Arguments&);
};

constexpr std::array rows{
    Row{psci::version, [](const Arguments&) { return Answer{.x0 = version_1_1}; }},
    Row{psci::features, features},
    Row{psci::cpu_suspend64, suspend},
    Row{in_32_bits(psci::cpu_suspend64), suspend},
    Row{psci::cpu_off, [](const Arguments&) { return Answer{.action = Action::halt}; }},
    Row{psci::cpu_on64, cpu_on},
    Row{in_32_bits(psci::cpu_on64), cpu_on},
    Row{psci::affinity_info64, affinity_info},
    Row{in_32_bits(psci::affinity_info64), affinity_info},
    Row{psci::migrate_info_type,
        [](const Arguments&) { return Answer{.x0 = trusted_os_not_required}; }},
    Row{psci::system_off, [](const Arguments&) { return Answer{.action = Action::power_off}; }},
    Row{psci::system_reset, [](const Arguments&) { return Answer{.action = Action::reset}; }},
};

const Row* find(std::uint64_t id) {
  for (const Row& row : rows)
    if (row.id == id) return &row;
  return nullptr;
}

Answer features(const Arguments& x) {
  return {.x0 = find(x[1]) != nullptr ? pkvm::smccc::success : psci::not_supported};
}

}  // namespace

Answer El3Monitor::call(const Arguments& x) {
  const Row* row = find(x[0]);
  return row != nullptr ? row->answer(x) : Answer{.x0 = pkvm::smccc::not_supported};
}

bool El3Monitor::knows(std::uint64_t id) {
  return find(id) != nullptr;
}

}  // namespace pkvmemu::device
