// SPDX-License-Identifier: GPL-2.0-only
#include "straight_code.h"

#include <unicorn/unicorn.h>

#include <chrono>
#include <cstring>
#include <memory>

#include "machine/machine.h"
#include "pkvm/platform.h"
#include "support/file.h"

namespace pkvmemu::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::uint64_t image_base = pkvm::platform::ram_base + pkvm::platform::image_offset;
constexpr std::uint64_t bare_ram_size = 0x800'0000;

// Offsets of loop.S's parameters.
constexpr std::size_t rounds_offset = 64;
constexpr std::size_t body_offset = 72;

Result<Bytes> loop_image(LoopBody body, std::uint64_t rounds) {
  auto image = read_file(PKVMEMU_BENCH_LOOP);
  if (!image) return image;
  const auto which = static_cast<std::uint64_t>(body);
  std::memcpy(image->data() + rounds_offset, &rounds, sizeof(rounds));
  std::memcpy(image->data() + body_offset, &which, sizeof(which));
  return image;
}

struct Close {
  void operator()(uc_engine* engine) const { uc_close(engine); }
};

}  // namespace

Result<double> loop_on_our_machine(LoopBody body, std::uint64_t rounds) {
  const auto image = loop_image(body, rounds);
  if (!image) return std::unexpected(image.error());
  machine::Config config;
  config.kernel = *image;
  config.budget = (rounds + 1000) * instructions_per_round;
  const auto machine = machine::Machine::create(config);
  if (!machine) return std::unexpected(machine.error());
  const auto start = Clock::now();
  const machine::Exit exit = (*machine)->run();
  const Seconds elapsed = Clock::now() - start;
  if (exit.reason != machine::ExitReason::powered_off)
    return fail("loop.S ended with {}: {}", machine::name_of(exit.reason), exit.detail);
  return elapsed.count();
}

Result<double> loop_on_bare_engine(LoopBody body, std::uint64_t rounds) {
  const auto image = loop_image(body, rounds);
  if (!image) return std::unexpected(image.error());
  uc_engine* raw = nullptr;
  if (uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &raw) != UC_ERR_OK) return fail("uc_open failed");
  const std::unique_ptr<uc_engine, Close> engine(raw);
  if (uc_ctl_set_cpu_model(raw, UC_CPU_ARM64_MAX) != UC_ERR_OK ||
      uc_mem_map(raw, pkvm::platform::ram_base, bare_ram_size, UC_PROT_ALL) != UC_ERR_OK ||
      uc_mem_write(raw, image_base, image->data(), image->size()) != UC_ERR_OK)
    return fail("the bare engine cannot be set up");
  const std::uint64_t last_instruction = image_base + image->size() - 4;
  const auto start = Clock::now();
  const uc_err status = uc_emu_start(raw, image_base, last_instruction, 0, 0);
  const Seconds elapsed = Clock::now() - start;
  if (status != UC_ERR_OK) return fail("bare engine: {}", uc_strerror(status));
  return elapsed.count();
}

}  // namespace pkvmemu::bench
