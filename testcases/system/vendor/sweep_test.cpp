// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu sweep` over the samples after vendors' modules, with calls and SMCs that exercise them:
// whatever step fails, what has to hold holds.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {
namespace {

const std::string program = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";

struct Swept {
  std::string name;
  std::vector<std::string> modules;
  Arguments work;
  std::vector<pkvm::Generation> only{};  ///< empty: every one
};

/// With the device that stands beside the module, and what the host has and has not.
Arguments sketch_work(const std::string& cmdline) {
  return {"--mmio",
          "0x10000000:0x1000=" PKVMEMU_SOURCE_DIR "/firmware/modules/iommusketch/device.yaml",
          "--device",
          "pkvm-emu,iommusketch",  // what android16's power calls name it by
          "--cmdline",
          cmdline,
          "--call",
          "iommusketch_hvc:0,0x50000000",
          "--call",
          "iommusketch_hvc:0,0x7e000000",
          "--call",
          "iommusketch_hvc:1"};
}

std::vector<Swept> samples() {
  return {
      {"stuckuart", {"stuckuart"}, {"--call", "stuckuart_hvc:0x42"}},
      {"memmanager",
       {"memmanager"},
       {"--cmdline", "memmanager.rows=0x50000000,0x2000,1,0x50004000,0x3000,2", "--call",
        "memmanager_assign_hvc:0,2", "--touch", "w:0x50000000=7", "--call",
        "memmanager_unassign_hvc:0", "--call", "memmanager_report_hvc"}},
      {"kernelguard",
       {"kernelguard"},
       {"--cmdline",
        "kernelguard.base=0x50000000 kernelguard.size=0x2000 kernelguard.patches=0x50001000 "
        "kernelguard.patches_size=0x100",
        "--touch", "w:0x50001000=7", "--touch", "w:0x50000000=7", "--call",
        "kernelguard_counts_hvc"}},
      {"smcfilter",
       {"smcfilter"},
       {"--smc", "0x80000000", "--smc", "0xc2000001:7", "--call", "smcfilter_counts_hvc"}},
      {"smcshare",
       {"smcshare"},
       {"--touch", "w:0x50001010=0x77", "--smc", "0xc2000202:6,1,2,3,0x50000ff8", "--smc",
        "0x72000001:12,0,0,0,0x50000fe8", "--smc", "0xc2000202:6,0,0,0,1", "--smc", "0xc2000203:1",
        "--touch", "w:0x50000ff8=1", "--call", "smcshare_counts_hvc"}},
      {"smcdirectory",
       {"smcdirectory", "dirclient"},
       {"--smc", "0xc400ff10:0xc2000a02,129", "--smc", "0xc2000a01", "--smc", "0xc2000a02",
        "--call", "dirclient_hvc:1,2"}},
      {"iommusketch", {"iommusketch"}, sketch_work("iommusketch.registers=0x10000000")},
      {"iommusketch_power",
       {"iommusketch"},
       sketch_work("iommusketch.registers=0x10000000 iommusketch.power=1")},
      {"el2user",
       {"el2lib", "el2user"},
       {"--call", "el2user_hvc:0,5", "--call", "el2user_hvc:3,7", "--call", "el2user_hvc:8,7"},
       {pkvm::Generation::android16_6_12}},
  };
}

struct Case {
  pkvm::GenerationInfo generation;
  Swept swept;

  friend void PrintTo(const Case& one, std::ostream* out) {
    *out << one.swept.name << " on " << one.generation.kmi;
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const pkvm::GenerationInfo& generation : pkvm::generations)
    for (const Swept& swept : samples())
      if (swept.only.empty() || std::ranges::find(swept.only, generation.id) != swept.only.end())
        all.push_back({.generation = generation, .swept = swept});
  return all;
}

class VendorSweep : public testing::TestWithParam<Case> {
 protected:
  static ProcessResult sweep(const Arguments& modes) {
    const auto& [generation, swept] = GetParam();
    Arguments command = {program, "sweep"};
    for (const std::string& name : swept.modules)
      command.push_back(module(fmt::format("{}/{}", generation.kmi, name)));
    command.insert(command.end(), modes.begin(), modes.end());
    command.insert(command.end(), swept.work.begin(), swept.work.end());
#if __has_feature(address_sanitizer)
    command.insert(command.end(), {"--sites", "hyp.m*"});
#endif
    constexpr unsigned seconds = 200;
    return run_process(command, seconds);
  }
};

INSTANTIATE_TEST_SUITE_P(Samples, VendorSweep, testing::ValuesIn(cases()),
                         [](const auto& instance) {
                           return slug_of(instance.param.generation) + "_" +
                                  instance.param.swept.name;
                         });

// Every occurrence of every site, once and from then on: no bug of the firmware, none of the
// module.
TEST_P(VendorSweep, FindsNothing) {
  const auto run = sweep({"--once", "--persistent", "-q"});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

}  // namespace
}  // namespace pkvmemu::test
