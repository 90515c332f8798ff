// SPDX-License-Identifier: GPL-2.0-only
// The runs that every machine must agree on: each is a sentence and the arguments of
// `pkvm-emu run`. One list, used for the comparison with QEMU and for determinism.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "harness/emulator.h"

namespace pkvmemu::test {

struct Scenario {
  std::string name;
  Arguments arguments;

  friend void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }
};

inline std::vector<Scenario> scenarios() {
  return {
      {"HelloIsCalled", {module("hello"), "--call", "hello_hvc:1,2"}},
      {"HelloWith48BitAddresses",
       {module("hello"), "--cmdline", "pkvmemu.va_bits=48", "--call", "hello_hvc:1,2"}},
      {"CounterKeepsState",
       {module("counter"), "--call", "counter_hvc:0,5", "--call", "counter_hvc:0,7", "--call",
        "counter_hvc:1"}},
      {"InitFailureIsReported", {module("initfail")}},
      {"TwoModules", {module("hello"), module("counter"), "--call", "128:1", "--call", "129:1"}},
      {"NothingAfterAFailure", {module("initfail"), module("hello"), "--call", "hello_hvc:1"}},
      {"LateLoadIsRefused", {module("hello"), "--late", module("counter")}},
      {"MissingModule", {module("hello"), "--cmdline", "kvm-arm.protected_modules=nosuch,hello"}},
      {"NoIommuDriver", {module("hello"), "--no-iommu"}},
      {"UnprotectedMode", {module("hello"), "--cmdline", "kvm-arm.mode=nvhe"}},
      {"UnknownCalls",
       {module("calls"), "--call", "200:0x11,0x22,0x33,0x44", "--call", "5000:0x11", "--hvc",
        "0x80000000:0x11,0x22,0x33"}},
      {"HandlerTableFull", {module("manyhandlers")}},
      {"PlainModule", {module("noload")}},
      {"El1InitFails", {module("el1fail")}},
      {"HandlerFaults", {module("faulty"), "--call", "faulty_hvc"}},
      {"SerialDriverOfAModule", {module("serial"), "--call", "serial_hvc:0x42"}},
      {"VariablesSetByEl1", {module("params"), "--call", "params_hvc:2"}},
      {"PagesOfTheHost",
       {module("pages"), "--call", "pages_hvc:0,0x50000", "--call", "pages_hvc:2,0x50000", "--call",
        "pages_hvc:1,0x50000", "--call", "pages_hvc:3,0x50000", "--call", "pages_hvc:1,0x50000",
        "--call", "pages_hvc:4,0x50000", "--call", "pages_hvc:5,0x50000"}},
      {"DependentModules", {module("dep_b"), module("dep_a"), "--call", "dep_a_hvc"}},
      {"El1FailsAfterEl2", {module("el1fails")}},
      {"El1InitFailsAfterTheEl2Load", {module("el1late"), module("hello")}},
      {"ParametersOfEveryType",
       {module("paramtypes"), "--cmdline",
        "paramtypes.a_byte=0xff paramtypes.an-int=-5 paramtypes.a_bool paramtypes.inverted=y "
        "\"paramtypes.text=two words\" paramtypes.list=7,8,9 paramtypes.even=6 "
        "paramtypes.nosuch=1"}},
      {"ParameterOutOfRange", {module("paramtypes"), "--cmdline", "paramtypes.a_byte=256"}},
      {"SymbolsOfAnotherModule", {module("exporter"), module("importer")}},
      {"SymbolsThatNobodyExports", {module("importer"), module("hello")}},
      {"StubsForMissingSymbols", {module("unresolved"), "--unresolved=stub"}},
      {"WorkForLater", {module("works"), "--call", "200"}},
      {"MemoryAndStrings", {module("library")}},
      {"NoModules", {}},
  };
}

}  // namespace pkvmemu::test
