// SPDX-License-Identifier: GPL-2.0-only
// Entries of the hyp trace buffer as text.
#include "host/trace_text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pkvmemu::host {
namespace {

constexpr std::array<TraceField, 2> fields = {{
    {.name = "id", .value = 0xc200'0001},
    {.name = "error", .value = ~std::uint64_t{11}, .is_signed = true},
}};

std::string shown(std::string_view print_fmt) {
  std::array<char, 64> out{};
  return std::string(trace_text(out, print_fmt, fields));
}

// The format's conversions take the fields that its arguments name, in their order, behind casts.
TEST(TraceText, FormatsNamedFields) {
  EXPECT_EQ(shown(R"("id=0x%08llx", REC->id)"), "id=0xc2000001");
  EXPECT_EQ(shown(R"("%d at %lx", REC->error, (unsigned long)REC->id)"), "-12 at c2000001");
  EXPECT_EQ(shown(R"("100%% of \"it\"")"), "100% of \"it\"");
}

// What cannot be carried out lists every field by name.
TEST(TraceText, FallsBackToTheFields) {
  const std::string list = "id=0xc2000001 error=-12";
  EXPECT_EQ(shown(""), list);
  EXPECT_EQ(shown("no quotes"), list);
  EXPECT_EQ(shown("\"open"), list);
  EXPECT_EQ(shown(R"("%d", REC->id * 2)"), list);
  EXPECT_EQ(shown(R"("%d", REC->nosuch)"), list);
  EXPECT_EQ(shown(R"("%s", REC->id)"), list);
  EXPECT_EQ(shown(R"("a" "b", REC->id)"), list);
}

// Text beyond the buffer is cut; what is there is terminated.
TEST(TraceText, IsCutToTheBuffer) {
  std::array<char, 8> out{};
  EXPECT_EQ(trace_text(out, R"("0123456789", REC->id)", fields), "0123456");
  EXPECT_EQ(out.back(), '\0');
}

// hyp_printk: values in their order, 0 when there are too few.
TEST(TraceText, Printk) {
  std::array<char, 64> out{};
  constexpr std::array<std::uint64_t, 2> values = {1, 0xff};
  EXPECT_EQ(trace_printk_text(out, "%d %#x %d\n", values), "1 0xff 0 ");
}

}  // namespace
}  // namespace pkvmemu::host
