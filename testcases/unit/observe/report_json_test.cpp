// SPDX-License-Identifier: GPL-2.0-only
#include "observe/report_json.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "event_builder.h"

namespace pkvmemu::observe {
namespace {

using nlohmann::ordered_json;
using test::EventBuilder;
using test::facts_of;
using test::host_id;
using test::Kind;
using test::Step;
using testing::ElementsAre;

std::vector<std::string> keys_of(const ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items())
    keys.push_back(item.key());
  return keys;
}

ordered_json parsed(const Facts& facts) {
  return ordered_json::parse(to_json(make_report(facts)));
}

Facts good_facts(const EventBuilder& events) {
  Facts facts = facts_of(events);
  facts.modules = {{.name = "hello", .file = "hello.ko", .time = LoadTime::boot}};
  facts.calls = {{.name = "hello_add", .args = {0x11, 0x22}}, {.name = "129", .args = {}}};
  facts.instructions = 12345;
  facts.console = "booted\n";
  return facts;
}

// The keys are a promise to scripts: docs/json.md lists exactly these, in this order.
TEST(ReportJson, KeysAreThePromisedOnes) {
  const EventBuilder events =
      EventBuilder().boot().loaded("hello").deprivilege().call(host_id(128), 0);
  const ordered_json json = parsed(good_facts(events));
  EXPECT_THAT(keys_of(json),
              ElementsAre("schema", "generation", "modules", "calls", "touches", "guests",
                          "attacks", "mmio", "el3", "device_log", "faults", "seed", "corruptions",
                          "expectations", "deprivileged", "protected_vms", "ops", "trace_events",
                          "missing_ops", "refused_ops", "defects", "stub_uses", "hyp_panic",
                          "host_panic", "internal_errors", "exit", "instructions", "console"));
  EXPECT_THAT(keys_of(json["modules"][0]),
              ElementsAre("name", "file", "generation", "el2_only", "late", "loaded", "state",
                          "error", "step", "reason", "init", "hyp_va", "handlers",
                          "refused_handlers", "unresolved", "stubbed", "fp_code"));
  EXPECT_THAT(keys_of(json["modules"][0]["handlers"][0]), ElementsAre("symbol", "id", "hyp_va"));
  EXPECT_THAT(keys_of(json["calls"][0]),
              ElementsAre("id", "name", "conduit", "function", "args", "state", "reason", "result",
                          "x18_changed", "el2_instructions"));
  EXPECT_THAT(keys_of(json["protected_vms"]), ElementsAre("available", "state", "reason", "steps"));
  EXPECT_THAT(keys_of(json["exit"]), ElementsAre("code", "reason", "detail", "el", "pc", "where"));
}

// The answer to whether protected VMs can be had has a name, and comes with the calls it rests on.
TEST(ReportJson, ProtectedVmsComeWithTheirCalls) {
  const EventBuilder events = EventBuilder().boot().deprivilege();
  const ordered_json silent = parsed(facts_of(events))["protected_vms"];
  EXPECT_EQ(silent["available"], false);
  EXPECT_EQ(silent["state"], "not-verified");
  EXPECT_EQ(silent["steps"], ordered_json::array());

  const ordered_json json = parsed(facts_of(EventBuilder(events).probe()))["protected_vms"];
  EXPECT_EQ(json["available"], true);
  EXPECT_EQ(json["state"], "available");
  EXPECT_THAT(keys_of(json["steps"][0]), ElementsAre("what", "answer"));
  EXPECT_EQ(json["steps"][1]["what"], "firmware info");
  EXPECT_EQ(json["steps"][1]["answer"], 0);
  EXPECT_EQ(json["steps"][1]["bytes"], 0x10'0000);
}

// Addresses and register values are "0x..." strings; counts and error numbers are numbers.
TEST(ReportJson, ValuesHaveTheirForms) {
  const EventBuilder events =
      EventBuilder().boot().loaded("hello").deprivilege().call(host_id(128), 0);
  const ordered_json json = parsed(good_facts(events));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["instructions"], 12345);
  EXPECT_EQ(json["console"], "booted\n");
  EXPECT_EQ(json["modules"][0]["generation"], "android15-6.6");
  EXPECT_EQ(json["modules"][0]["hyp_va"], "0x400008400000");
  EXPECT_EQ(json["modules"][0]["error"], 0);
  EXPECT_EQ(json["modules"][0]["handlers"][0]["id"], 128);
  EXPECT_EQ(json["calls"][0]["id"], 128);
  EXPECT_EQ(json["calls"][0]["args"], ordered_json({"0x11", "0x22"}));
  EXPECT_EQ(json["calls"][0]["result"].size(), 8u);
  EXPECT_EQ(json["calls"][0]["result"][3], "0xabc");
  EXPECT_EQ(json["calls"][0]["el2_instructions"], 100);
  EXPECT_EQ(json["exit"]["code"], 11);  // the second call was never made
}

// What was not made has nulls where its answers would be, and keeps its place in the list.
TEST(ReportJson, ACallThatWasNotMadeHasNulls) {
  const EventBuilder events =
      EventBuilder().boot().loaded("hello").deprivilege().call(host_id(128), 0);
  const ordered_json json = parsed(good_facts(events));
  ASSERT_EQ(json["calls"].size(), 2u);
  EXPECT_EQ(json["calls"][1]["name"], "129");
  EXPECT_TRUE(json["calls"][1]["result"].is_null());
  EXPECT_TRUE(json["calls"][1]["el2_instructions"].is_null());
  EXPECT_TRUE(json["calls"][1]["id"].is_null());
}

// `handlers` are those that were registered; the others stand beside them with their errors.
TEST(ReportJson, RefusedHandlersStandApart) {
  const auto error = static_cast<std::uint64_t>(-12);
  const EventBuilder events = EventBuilder().boot().loaded("hello").host(
      Kind::module_handler, {error, 0x1000}, {"hello", "one_too_many"});
  const ordered_json module = parsed(facts_of(events))["modules"][0];
  EXPECT_EQ(module["handlers"].size(), 1u);
  ASSERT_EQ(module["refused_handlers"].size(), 1u);
  EXPECT_EQ(module["refused_handlers"][0]["symbol"], "one_too_many");
  EXPECT_EQ(module["refused_handlers"][0]["error"], -12);
}

// A failed load carries its errno as a number and its step by name.
TEST(ReportJson, AFailedLoad) {
  const EventBuilder events =
      EventBuilder().boot().begin("foo").failed("foo", -12, Step::init_module).deprivilege();
  const ordered_json json = parsed(facts_of(events));
  EXPECT_EQ(json["modules"][0]["loaded"], false);
  EXPECT_EQ(json["modules"][0]["error"], -12);
  EXPECT_EQ(json["modules"][0]["step"], "init-module");
  EXPECT_TRUE(json["modules"][0]["hyp_va"].is_null());
}

// A guest may print any bytes: the object stays valid JSON.
TEST(ReportJson, BytesThatAreNoUtf8DoNoHarm) {
  Facts facts = facts_of(EventBuilder());
  facts.console = "\xff\xfe\x80 end";
  const ordered_json json = parsed(facts);
  EXPECT_THAT(json["console"].get<std::string>(), testing::HasSubstr(" end"));
}

}  // namespace
}  // namespace pkvmemu::observe
