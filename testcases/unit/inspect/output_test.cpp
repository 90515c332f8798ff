// SPDX-License-Identifier: GPL-2.0-only
// What people and scripts get to see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "ko_editor.h"

namespace pkvmemu::inspect {
namespace {

using testing::HasSubstr;
using testing::Not;

// The text answers what an author asks: what it is, who is called, which operations, what is wrong.
TEST(Text, OfCounter) {
  const Facts facts = KoEditor::of("counter").inspect();
  const std::string text = to_text(facts, "counter.ko", Detail::summary, Colour::off);
  for (const char* part :
       {"counter (counter.ko)", "android15-6.6", ".hyp.rodata", "EL2 r--",
        "init     counter_hyp_init", "handler  counter_hvc", "puts", "6 pointers to move",
        "_printk", "counter_step", "module counter: nothing found that keeps it from loading\n"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("init_module")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

// More on request, and colour only when asked for.
TEST(Text, DetailAndColour) {
  const Facts facts = KoEditor::of("counter").inspect();
  EXPECT_THAT(to_text(facts, "c", Detail::everything, Colour::off), HasSubstr("init_module"));
  EXPECT_THAT(to_text(facts, "c", Detail::summary, Colour::on),
              HasSubstr("\x1b[32mmodule counter"));
}

// A bad module's last line says so, and each reason is followed by what to do.
TEST(Text, OfABadModule) {
  const Facts facts = KoEditor::of("hello").replace_text("_printk", "_drintk").inspect();
  const std::string text = to_text(facts, "hello.ko", Detail::summary, Colour::off);
  EXPECT_THAT(text, HasSubstr("will not load: unknown symbols: _drintk (-2 ENOENT)\n    -> "));
  EXPECT_THAT(text, HasSubstr("would NOT load as it should: 1 reason\n"));
}

// Names of a hostile file cannot steer the terminal.
TEST(Text, ControlCharactersAreHarmless) {
  const Facts facts = KoEditor::of("hello").replace_text("_printk", "\x1b[31mXY").inspect();
  EXPECT_THAT(to_text(facts, "a\nb\x1b.ko", Detail::everything, Colour::off),
              Not(HasSubstr("\x1b")));
}

// The JSON object has the keys of docs/inspect.md, all of them and no others.
TEST(InspectJson, KeysAreDocumented) {
  const auto json = nlohmann::json::parse(to_json(KoEditor::of("counter").inspect(), "counter.ko"));
  std::ifstream file(PKVMEMU_DOCS "/inspect.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(page.empty());
  std::size_t documented = 0;
  for (const auto& [key, value] : json.items()) {
    EXPECT_THAT(page, HasSubstr("\n| `" + key + "` | ")) << key;
    ++documented;
    if (!value.is_array() || value.empty() || !value[0].is_object()) continue;
    for (const auto& [inner, unused] : value[0].items())
      EXPECT_THAT(page, HasSubstr("`" + inner + "`")) << key << "." << inner;
  }
  EXPECT_EQ(documented, json.size());
}

// Values are those of the facts.
TEST(InspectJson, OfCounter) {
  const auto json = nlohmann::json::parse(to_json(KoEditor::of("counter").inspect(), "counter.ko"));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["file"], "counter.ko");
  EXPECT_EQ(json["generation"], "android15-6.6");
  EXPECT_EQ(json["would_load"], true);
  EXPECT_EQ(json["init"][0]["kcfi_word"], "0xc382d712");
  EXPECT_EQ(json["ops"][0]["name"], "puts");
  EXPECT_EQ(json["ops"][0]["slot"], 5);
  EXPECT_EQ(json["ops"][0]["state"], "implemented");
  EXPECT_EQ(json["hyp_reloc"]["entries"], 6);
  EXPECT_EQ(json["findings"][0]["error"], -8);
}

}  // namespace
}  // namespace pkvmemu::inspect
