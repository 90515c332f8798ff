// SPDX-License-Identifier: GPL-2.0-only
#include "harness/in_process.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "observe/pvmfw.h"
#include "run_plan.h"

namespace pkvmemu::test {
namespace {

template <typename T, typename E>
T value_of(std::expected<T, E>&& result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

}  // namespace

std::unique_ptr<machine::Machine> boot_in_process(const tool::RunOptions& options,
                                                  std::uint64_t ram_size) {
  const tool::RunPlan plan = value_of(tool::make_plan(options));
  const Bytes kernel =
      value_of(read_file(std::string(PKVMEMU_BUILD_DIR) + "/firmware/pkvm-firmware.Image"));
  const auto pvmfw = observe::builtin_pvmfw();
  machine::Config config;
  config.kernel = kernel;
  config.initrd = plan.initramfs;
  config.pvmfw = pvmfw;
  config.bootargs = plan.bootargs;
  config.memory = plan.memory;
  config.world = plan.world;
  config.devices = plan.devices;
  if (plan.runs_guests) config.ram_mapping = machine::RamMapping::several_times;
  config.ram_size = ram_size;
  return value_of(machine::Machine::create(config));
}

}  // namespace pkvmemu::test
