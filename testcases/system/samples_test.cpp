// SPDX-License-Identifier: GPL-2.0-only
// Every sample module does what its README says: the console's lines and the exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

struct Sample {
  std::string name;
  Arguments arguments;
  int exit_code = 0;
  std::vector<std::string> console;  ///< lines that have to come, in this order

  friend void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }
};

std::vector<Sample> samples() {
  return {
      {"hello",
       {module("hello"), "--call", "hello_hvc:40,2"},
       0,
       {"hello: hello from EL2", "hello: hypercall 128",
        "call hello_hvc(0x28, 0x2): x0=0x0 x1=0x2a x2=0x2 x3=0x0"}},
      {"counter",
       {module("counter"), "--call", "counter_hvc:0,5", "--call", "counter_hvc:1"},
       0,
       {"counter: hypercall 128", "call counter_hvc(0x0, 0x5): x0=0x0 x1=0x5 x2=0x5 x3=0x0",
        "call counter_hvc(0x1): x0=0x0 x1=0x5 x2=0x0 x3=0x0"}},
      {"initfail",
       {module("initfail")},
       10,
       {"Failed to init EL2 module: -12", "initfail: the EL2 half refused: -12"}},
      {"serial",
       {module("serial"), "--call", "serial_hvc:0x42"},
       0,
       {"EL2| serial: ready", "serial: hypercall 128", "EL2| 0x0000000000000042"}},
      // EL1 wrote the limit and the table before the load; the second call is beyond both.
      {"params",
       {module("params"), "--call", "params_hvc:2", "--call", "params_hvc:200"},
       0,
       {"params: limit 100, hypercall 128", "call params_hvc(0x2): x0=0x0 x1=0x64 x2=0x1e x3=0x0",
        "call params_hvc(0xc8): x0=0x0 x1=0xffffffffffffffde x2=0x0 x3=0x0"}},
      {"params_set_by_the_command_line",
       {module("params"), "--cmdline", "params.limit=1", "--call", "params_hvc:2"},
       0,
       {"params: limit 1, hypercall 128",
        "call params_hvc(0x2): x0=0x0 x1=0xffffffffffffffde x2=0x0 x3=0x0"}},
      // Shared, pinned: cannot be unshared; unpinned: can. Donated: cannot be shared; returned:
      // can.
      {"pages",
       {module("pages"), "--call", "pages_hvc:0,0x50000", "--call", "pages_hvc:2,0x50000", "--call",
        "pages_hvc:1,0x50000", "--call", "pages_hvc:3,0x50000", "--call", "pages_hvc:1,0x50000",
        "--call", "pages_hvc:4,0x50000", "--call", "pages_hvc:0,0x50000", "--call",
        "pages_hvc:5,0x50000", "--call", "pages_hvc:0,0x50000"},
       0,
       {"pages: hypercall 128", "call pages_hvc(0x0, 0x50000): x0=0x0 x1=0x0 x2=0x50000 x3=0x0",
        "call pages_hvc(0x2, 0x50000): x0=0x0 x1=0x0 x2=0x50000 x3=0x0",
        "call pages_hvc(0x1, 0x50000): x0=0x0 x1=0xffffffffffffffea x2=0x50000 x3=0x0",
        "call pages_hvc(0x3, 0x50000): x0=0x0 x1=0x0 x2=0x50000 x3=0x0",
        "call pages_hvc(0x1, 0x50000): x0=0x0 x1=0x0 x2=0x50000 x3=0x0",
        "call pages_hvc(0x4, 0x50000): x0=0x0 x1=0x0 x2=0x50000 x3=0x0",
        "call pages_hvc(0x0, 0x50000): x0=0x0 x1=0xffffffffffffffff x2=0x50000 x3=0x0",
        "call pages_hvc(0x5, 0x50000): x0=0x0 x1=0x0 x2=0x50000 x3=0x0",
        "call pages_hvc(0x0, 0x50000): x0=0x0 x1=0x0 x2=0x50000 x3=0x0"}},
      {"pagepool",
       {module("pagepool"), "--touch", "w:0x50000000=0x50010", "--call",
        "pagepool_share_hvc:0x50000", "--call", "pagepool_fill_hvc:0x50000,1", "--touch",
        "r:0x50010000", "--call", "pagepool_drain_hvc", "--touch", "r:0x50010000"},
       0,
       {"pagepool: hypercalls 128 to 131",
        "call pagepool_fill_hvc(0x50000, 0x1): x0=0x0 x1=0x0 x2=0x1 x3=0x0",
        "touch r:0x50010000: data abort, refused by the hypervisor, ESR 0x97c28087 FAR "
        "0xffffffc0a0000000",
        "call pagepool_drain_hvc(): x0=0x0 x1=0x0 x2=0x1 x3=0x0", "touch r:0x50010000: 0x0"}},
      {"regionguard",
       {module("regionguard"), "--cmdline",
        "regionguard.regions=0x50000000,0x2000,1 regionguard.skip=1", "--touch", "w:0x50000000=7",
        "--touch", "r:0x50000000", "--call", "regionguard_count_hvc"},
       0,
       {"regionguard: 1 regions, last hypercall 130", "touch r:0x50000000: 0x0",
        "call regionguard_count_hvc(): x0=0x0 x1=0x1 x2=0x50000000 x3=0x93c2804f"}},
      {"stuckuart",
       {module("stuckuart"), "--call", "stuckuart_hvc:0x42"},
       0,
       {"stuckuart: hypercall 128", "0x0000000000000042"}},
      {"memmanager",
       {module("memmanager"), "--cmdline",
        "memmanager.rows=0x50000000,0x2000,1,0x50004000,0x1000,2", "--touch", "w:0x50000000=7",
        "--call", "memmanager_unassign_hvc:0", "--touch", "w:0x50000000=7", "--call",
        "memmanager_report_hvc"},
       0,
       {"memmanager: 2 rows, last hypercall 130",
        "call memmanager_unassign_hvc(0x0): x0=0x0 x1=0x0 x2=0x0 x3=0x0",
        "touch w:0x50000000=0x7: done",
        "call memmanager_report_hvc(): x0=0x0 x1=0x2 x2=0x1 x3=0x50000000"}},
      {"kernelguard",
       {module("kernelguard"), "--cmdline",
        "kernelguard.base=0x50000000 kernelguard.size=0x2000 kernelguard.patches=0x50001000 "
        "kernelguard.patches_size=0x100",
        "--touch", "w:0x50001000=7", "--touch", "r:0x50001000", "--touch", "w:0x50000000=7",
        "--call", "kernelguard_counts_hvc"},
       0,
       {"kernelguard: 0x2000 bytes at 0x50000000, hypercall 128", "touch r:0x50001000: 0x7",
        "call kernelguard_counts_hvc(): x0=0x0 x1=0x1 x2=0x1 x3=0x1 x4=0x*"}},
      {"smcfilter",
       {module("smcfilter"), "--trace-events", "--smc", "0x80000000", "--smc", "0xc2000001:7",
        "--call", "smcfilter_counts_hvc"},
       0,
       {"smcfilter: enforcing, hypercall 128",
        "smc 0x80000000(): x0=0xffffffffffffffff x1=0x0 x2=0x0 x3=0x0",
        "smc 0xc2000001(0x7): x0=0xffffffffffffffff x1=0x0 x2=0x0 x3=0x0",
        "hyp event filtered_smc: id=0xc2000001 forwarded=0",
        "call smcfilter_counts_hvc(): x0=0x0 x1=0x1 x2=0x1 x3=0xc2000001"}},
      {"smcshare",
       {module("smcshare"), "--touch", "w:0x50000010=0x77", "--smc",
        "0xc2000202:6,0,0,0,0x50000000", "--smc", "0xc2000202:6,0,0,0,1", "--smc", "0xc2000203:1",
        "--call", "smcshare_counts_hvc"},
       0,
       {"smcshare: hypercall 128",
        "smc 0xc2000202(0x6, 0x0, 0x0, 0x0, 0x50000000): x0=0xffffffffffffffff x1=0x6 x2=0x0 "
        "x3=0x0",
        "smc 0xc2000202(0x6, 0x0, 0x0, 0x0, 0x1): x0=0xfffffffffffffffd x1=0x0 x2=0x0 x3=0x0",
        "smc 0xc2000203(0x1): x0=0xffffffffffffffff x1=0x0 x2=0x0 x3=0x0",
        "call smcshare_counts_hvc(): x0=0x0 x1=0x1 x2=0x2 x3=0x0 x4=0x77"}},
      {"smcdirectory",
       {module("smcdirectory"), "--smc", "0xc400ff10:0xc2000a01,128", "--smc", "0xc2000a01"},
       0,
       {"smcdirectory: open", "smc 0xc400ff10(0xc2000a01, 0x80): x0=0x0 x1=0x0 x2=0x0 x3=0x0",
        "smc 0xc2000a01(): x0=0x0 x1=0x80 x2=0x0 x3=0x0"}},
      {"dirclient",
       {module("smcdirectory"), module("dirclient"), "--smc", "0xc2000a01", "--call",
        "dirclient_hvc:40,2"},
       0,
       {"smcdirectory: open", "dirclient: 0xc2000a01 is hypercall 128",
        "smc 0xc2000a01(): x0=0x0 x1=0x80 x2=0x0 x3=0x0",
        "call dirclient_hvc(0x28, 0x2): x0=0x0 x1=0x2a x2=0x2 x3=0x0"}},
      {"iommusketch",
       {module("iommusketch"), "--call", "iommusketch_hvc:0,0x50000000", "--call",
        "iommusketch_hvc:0,0x7e000000"},
       0,
       {"iommusketch: driver 0",
        "call iommusketch_hvc(0x0, 0x50000000): x0=0x0 x1=0x0 "
        "x2=0x50000000 x3=0x0",
        "call iommusketch_hvc(0x0, 0x7e000000): x0=0x0 x1=0x1 x2=0x7e000000 x3=0x0"}},
      {"el2lib", {module("android16-6.12/el2lib")}, 0, {"el2lib: ready"}},
      // Named first, loaded second.
      {"el2user",
       {module("android16-6.12/el2user"), module("android16-6.12/el2lib"), "--call",
        "el2user_hvc:0,5"},
       0,
       {"el2lib: ready", "call el2user_hvc(0x0, 0x5): x0=0x0 x1=0x6 x2=0x6 x3=0x0"}},
      {"el2fault",
       {module("el2fault"), "--call", "el2fault_hvc"},
       12,
       {"el2fault: hypercall 128", "Kernel panic: HYP panic:"}},
      {"el1fails",
       {module("el1fails")},
       10,
       {"el1fails: no such device", "Failed to load pkvm module el1fails: 256"}},
      {"dep_a", {module("dep_a"), "--call", "dep_a_hvc"}, 0, {"dep_a: hypercall 128"}},
      // Named first, loaded second: its line is printed by the other one.
      {"dep_b",
       {module("dep_b"), module("dep_a"), "--call", "dep_a_hvc"},
       0,
       {"dep_a: hypercall 128", "dep_b: printed by dep_a's driver",
        "call dep_a_hvc(): x0=0x0 x1=0x22 x2=0x0 x3=0x0"}},
  };
}

class EverySample : public testing::TestWithParam<Sample> {};

INSTANTIATE_TEST_SUITE_P(Samples, EverySample, testing::ValuesIn(samples()),
                         [](const auto& instance) { return instance.param.name; });

/// A '*' at the end of what is expected stands for the rest of a line.
bool is_as_expected(const std::string& line, std::string_view expected) {
  return expected.ends_with('*') ? line.starts_with(expected.substr(0, expected.size() - 1))
                                 : line == expected;
}

// The expected lines come in their order, and the exit code is the one that the README names.
TEST_P(EverySample, DoesWhatItsReadmeSays) {
  const auto run = run_emulator(GetParam().arguments);
  EXPECT_EQ(run.process.exit_code, GetParam().exit_code) << run.process.out << run.process.err;
  auto next = run.console.begin();
  for (const std::string& line : GetParam().console) {
    next = std::find_if(next, run.console.end(),
                        [&line](const std::string& told) { return is_as_expected(told, line); });
    ASSERT_NE(next, run.console.end()) << "not there, or too early: " << line << "\n"
                                       << run.process.out;
    ++next;
  }
}

// No sample without a README of a few lines that says how to try it, and none that is not tested.
TEST(Samples, AreDocumentedAndTested) {
  std::set<std::string> tested;
  for (const Sample& sample : samples())
    tested.insert(sample.name);
  for (const auto& entry : std::filesystem::directory_iterator(PKVMEMU_SAMPLES)) {
    if (!entry.is_directory()) continue;
    EXPECT_TRUE(tested.contains(entry.path().filename())) << entry.path();
    const auto readme = run_process({"cat", entry.path() / "README.md"});
    EXPECT_THAT(readme.out, testing::HasSubstr("Try it: `pkvm-emu run ")) << entry.path();
    EXPECT_LE(split_lines(readme.out).size(), 7U) << entry.path();
  }
}

}  // namespace
}  // namespace pkvmemu::test
