// SPDX-License-Identifier: GPL-2.0-only
// What inspect says of calls between the EL2 halves of modules: el2user and its bad twins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ko_editor.h"

namespace pkvmemu::inspect {
namespace {

using pkvm::Errno;
using testing::HasSubstr;

KoEditor latest(std::string_view name) {
  return KoEditor::of("android16-6.12/" + std::string(name));
}

/// What el2lib exports, for one of this name.
Dependency library(const std::string& name) {
  return {.name = name,
          .exports = {"__kvm_nvhe_el2lib_add", "__kvm_nvhe_el2lib_total"},
          .first_of_text = {}};
}

bool is_refused(const Facts& facts) {
  return std::ranges::any_of(facts.findings,
                             [](const Finding& own) { return own.level == Level::refused; });
}

// With the exporter beside it the imports are named with where they come from, and nothing is
// wrong.
TEST(InspectImports, AreNamedWithTheirModule) {
  const Facts facts = latest("el2user").inspect({library("el2lib")});
  const Finding note = finding_with(facts, "EL2 code calls el2lib_add, el2lib_total of el2lib");
  EXPECT_EQ(note.level, Level::note);
  EXPECT_THAT(note.advice, HasSubstr("loaded first"));
  EXPECT_FALSE(is_refused(facts));
}

// An exporter that was not looked at may export them.
TEST(InspectImports, AnExporterElsewhereIsTrusted) {
  const Facts facts = latest("el2user").inspect();
  EXPECT_EQ(finding_with(facts, "el2lib must export el2lib_add").level, Level::note);
  EXPECT_FALSE(is_refused(facts));
}

// One that exports something else is named by what is missing.
TEST(InspectImports, AMissingExportIsRefused) {
  Dependency other = library("el2lib");
  other.exports.pop_back();
  const Facts facts = latest("el2user").inspect({other});
  const Finding finding = finding_with(facts, "its EL2 half does not define: el2lib_total");
  EXPECT_EQ(finding.level, Level::refused);
  EXPECT_EQ(finding.error, Errno::enoent);
}

// The address of an import is no call.
TEST(InspectImports, AnAddressIsRefused) {
  const Facts facts = latest("el2user_pointer").inspect({library("el2lib")});
  const Finding finding =
      finding_with(facts, "uses of another module's EL2 half that are no calls");
  EXPECT_EQ(finding.level, Level::refused);
  EXPECT_EQ(finding.error, Errno::einval);
  EXPECT_THAT(finding.text, HasSubstr("R_AARCH64_ADR_PREL_PG_HI21 against el2lib_add"));
}

// What stands at the very first byte of the exporter's text is not found.
TEST(InspectImports, TheFirstByteIsRefused) {
  Dependency first = library("el2lib_first");
  first.first_of_text = {"__kvm_nvhe_el2lib_add"};
  const Facts facts = latest("el2user_first").inspect({first});
  const Finding finding = finding_with(facts, "the first thing of another module's .hyp.text");
  EXPECT_EQ(finding.level, Level::refused);
  EXPECT_THAT(finding.text, HasSubstr("el2lib_add"));
}

// Before android16-6.12 nothing can be imported at EL2, whoever exports it.
TEST(InspectImports, EarlierKernelsHaveNone) {
  const Facts facts = latest("el2user")
                          .replace_text("vermagic=6.12.23", "vermagic=6.6.777")
                          .inspect({library("el2lib")});
  const Finding finding = finding_with(facts, "its EL2 half does not define: el2lib_add");
  EXPECT_EQ(finding.level, Level::refused);
  EXPECT_THAT(finding.advice, HasSubstr("before android16-6.12 EL2 code cannot import"));
}

}  // namespace
}  // namespace pkvmemu::inspect
