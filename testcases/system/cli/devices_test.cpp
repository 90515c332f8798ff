// SPDX-License-Identifier: GPL-2.0-only
// --device: nodes for platform drivers; and how the platform bus treats them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::string> generations = {"android14-6.1", "android15-6.6", "android16-6.12"};

std::string driver(const std::string& generation) {
  return module(generation + "/driver");
}

// The driver of each generation gets the device that was declared, with its registers, properties
// and interrupt; QEMU says the same.
TEST(Devices, ADriverIsProbed) {
  for (const std::string& generation : generations) {
    const Arguments arguments = {driver(generation), "--device",
                                 "vendor,sample@0x10000000+0x2000:irq=5,prop=0x11,label=left"};
    const auto run = run_emulator(arguments);
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_THAT(run.console, Contains("sample 10000000.sample: a sample, prop 17 (0), label left, "
                                      "irq 37"));
    EXPECT_THAT(run.console,
                Contains("sample 10000000.sample: registers 0x10000000, 0x2000 bytes"));
    EXPECT_THAT(run.console,
                Contains("platform 10000000.sample: probe of driver sample answers 0"));
    EXPECT_THAT(run.console, Contains("driver: registered: 0, again: -16"));
    EXPECT_EQ(run_qemu(arguments), run.console) << generation;
  }
}

// The bad twin: nothing that the driver's table has.
TEST(Devices, WithoutAMatchNoProbeRuns) {
  for (const Arguments& declared : {Arguments{}, Arguments{"--device", "vendor,unknown"},
                                    Arguments{"--device", "vendor,sample:status=disabled"}}) {
    Arguments arguments = {module("driver")};
    arguments.insert(arguments.end(), declared.begin(), declared.end());
    const auto run = run_emulator(arguments);
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_THAT(run.console, Contains("platform: driver sample: no device matches"));
    EXPECT_THAT(lines_with(run.console, "probe of driver"), IsEmpty());
  }
}

// Without the property, the registers or the interrupt the driver is told so: -EINVAL, nothing,
// -ENXIO.
TEST(Devices, WhatIsNotDeclaredIsNotThere) {
  const auto run = run_emulator({module("driver"), "--device", "vendor,sample"});
  EXPECT_THAT(run.console, Contains("sample sample: a sample, prop 0 (-22), label none, irq -6"));
  EXPECT_THAT(lines_with(run.console, "registers"), IsEmpty());
}

// Each matching device is offered, in the order given, and gets the data of its own row.
TEST(Devices, SeveralDevices) {
  const auto run =
      run_emulator({module("driver"), "--device", "vendor,other@0x20000000:prop=1", "--device",
                    "vendor,sample:prop=2", "--device", "vendor,sample:prop=3"});
  EXPECT_THAT(lines_with(run.console, ", label "),
              ElementsAre("sample 20000000.other: another one, prop 1 (0), label none, irq -6",
                          "sample sample: a sample, prop 2 (0), label none, irq -6",
                          "sample sample-1: a sample, prop 3 (0), label none, irq -6"));
}

// An error of probe is told and gives back what was allocated; the driver stays registered, and
// other devices are probed.
TEST(Devices, AFailingProbeIsTold) {
  const auto run =
      run_emulator({module("driver"), "--device", "vendor,sample@0x10000000:prop=7,fails=22",
                    "--device", "vendor,sample@0x20000000:prop=8"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("sample 10000000.sample: error -22: as it was told to"));
  EXPECT_THAT(run.console, Contains("driver: managed data 7 goes"));
  EXPECT_THAT(run.console,
              Contains("platform 10000000.sample: probe of driver sample answers -22"));
  EXPECT_THAT(run.console, Contains("platform 20000000.sample: probe of driver sample answers 0"));
  EXPECT_THAT(run.console, Not(Contains("driver: managed data 8 goes")));
}

// -EPROBE_DEFER: asked again once another device was taken.
TEST(Devices, ADeferredProbeComesAgain) {
  const auto run = run_emulator({module("driver"), "--device", "vendor,sample@0x10000000:later",
                                 "--device", "vendor,sample@0x20000000:supplier"});
  EXPECT_THAT(
      lines_with(run.console, "probe of driver"),
      ElementsAre("platform 10000000.sample: probe of driver sample answers -517, to be asked "
                  "again",
                  "platform 20000000.sample: probe of driver sample answers 0",
                  "platform 10000000.sample: probe of driver sample answers 0"));
  EXPECT_THAT(lines_with(run.console, "deferred probe pending"), IsEmpty());
}

// The bad twin: the supplier never comes, which the end of the run tells.
TEST(Devices, AProbeThatIsDeferredForEverIsTold) {
  const auto run = run_emulator({module("driver"), "--device", "vendor,sample@0x10000000:later"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console,
              Contains("platform 10000000.sample: deferred probe pending: driver sample"));
}

// A driver that is taken back leaves its devices: remove is called in each generation's way, and
// managed memory goes.
TEST(Devices, RemoveIsCalled) {
  for (const std::string& generation : generations) {
    const auto run = run_emulator({driver(generation), "--cmdline", "driver.leaves=1", "--device",
                                   "vendor,sample@0x10000000:prop=9"});
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_THAT(run.console, Contains("sample 10000000.sample: remove, prop 9")) << generation;
    EXPECT_THAT(run.console, Contains("driver: managed data 9 goes"));
    EXPECT_THAT(run.console, Contains("platform 10000000.sample: removed from driver sample"));
  }
}

// At power-off each driver hears so, the last device first: one that was asked again comes before
// the one that it waited for. As in a kernel `remove` is not called.
TEST(Devices, ShutdownIsCalledBeforePowerOff) {
  for (const std::string& generation : generations) {
    const Arguments arguments = {driver(generation),
                                 "--device",
                                 "vendor,sample@0x10000000:later,prop=1",
                                 "--device",
                                 "vendor,sample@0x20000000:supplier,prop=2",
                                 "--device",
                                 "vendor,sample@0x30000000:fails=22,prop=3"};
    const auto run = run_emulator(arguments);
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_THAT(lines_with(run.console, "shutdown, prop"),
                ElementsAre("sample 10000000.sample: shutdown, prop 1",
                            "sample 20000000.sample: shutdown, prop 2"))
        << generation;
    EXPECT_THAT(lines_with(run.console, "remove"), IsEmpty());
    EXPECT_EQ(run_qemu(arguments), run.console) << generation;
  }
}

// A module whose init fails behind the registration of its driver: the driver goes with it, the
// report names both, and nothing of theirs runs any more, neither for a device that waits nor at
// power-off.
TEST(Devices, AModuleThatFailedLeavesNoDriver) {
  for (const std::string& generation : generations) {
    const Arguments arguments = {driver(generation),
                                 "--cmdline",
                                 "driver.forgets=1",
                                 "--device",
                                 "vendor,sample@0x10000000:later",
                                 "--device",
                                 "vendor,sample@0x20000000:prop=2"};
    const auto run = run_emulator(arguments);
    EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
    EXPECT_THAT(run.console,
                Contains("platform: driver sample was still registered when module driver failed: "
                         "taken off the bus (a kernel would go on calling freed memory)"))
        << generation;
    EXPECT_THAT(run.console, Contains("platform 20000000.sample: left by driver sample, whose "
                                      "remove does not run"));
    EXPECT_THAT(lines_with(run.console, "shutdown"), IsEmpty());
    EXPECT_THAT(lines_with(run.console, "managed data 2"), IsEmpty());
    EXPECT_THAT(lines_with(run.console, "deferred probe pending"), IsEmpty());
    EXPECT_EQ(run_qemu(arguments), run.console) << generation;
  }
}

// The bad twin: an init that takes its driver back before it fails leaves nothing to tell.
TEST(Devices, AModuleThatCleansUpIsNotTold) {
  const auto run = run_emulator({module("driver"), "--cmdline", "driver.forgets=1 driver.leaves=1",
                                 "--device", "vendor,sample@0x20000000:prop=2"});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("driver: managed data 2 goes"));
  EXPECT_THAT(lines_with(run.console, "still registered"), IsEmpty());
}

// A sweep of a driver with devices finds nothing: the bus's own records are no steps of the module,
// and what a probe function then refuses its device fails no load.
TEST(Devices, ASweepFindsNothing) {
  const auto sweep = run_process({PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "sweep", module("driver"),
                                  "--device", "vendor,sample@0x10000000:prop=1"});
  EXPECT_EQ(sweep.exit_code, 0) << sweep.out << sweep.err;
  EXPECT_THAT(sweep.out, HasSubstr("host.kmalloc"));
}

// What cannot be a device is a usage error that says why.
TEST(Devices, NonsenseIsRefused) {
  struct Row {
    std::string text;
    std::string why;
  };
  for (const Row& row :
       {Row{"", "is no compatible string"}, Row{"a b", "is no compatible string"},
        Row{"v,d@", "expected an address"}, Row{"v,d@1+0", "expected an address"},
        Row{"v,d@0x50000000", "there is memory at this address"},
        Row{"v,d:irq=x", "expected the number of a shared interrupt"},
        Row{"v,d:reg=1", "the property reg is made from"},
        Row{"v,d:a=1,a=2", "the property a is given twice"}, Row{"v,d:a=", "there is no value"},
        Row{"v,d:=1", "cannot be a property's name"}}) {
    const auto run = run_emulator({module("driver"), "--device", row.text});
    EXPECT_EQ(run.process.exit_code, 2) << row.text;
    EXPECT_THAT(run.process.err, HasSubstr(row.why)) << row.text;
  }
  const auto twice = run_emulator({module("driver"), "--device", "v,d@1", "--device", "v,d@1"});
  EXPECT_EQ(twice.process.exit_code, 2);
  EXPECT_THAT(twice.process.err, HasSubstr("there is such a device at this address already"));
}

}  // namespace
}  // namespace pkvmemu::test
