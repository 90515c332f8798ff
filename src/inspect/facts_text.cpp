// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "inspect/facts.h"

namespace pkvmemu::inspect {
namespace {

enum class Tone : std::uint8_t { plain, heading, good, bad, doubtful };

constexpr std::array<std::string_view, 5> tone_codes = {"", "\x1b[1m", "\x1b[32m", "\x1b[31m",
                                                        "\x1b[33m"};
constexpr std::string_view tone_end = "\x1b[0m";

std::string_view text_of(AlternativeFate fate) {
  constexpr std::array<std::string_view, 5> texts = {
      "replaced", "replaced in protected mode", "kept",
      "replaced if its callback is alt_cb_patch_nops", "kept, as the number is not known"};
  return texts[static_cast<std::size_t>(fate)];
}

/// Names come from a file that may hold anything: control characters do not reach the terminal.
std::string harmless(std::string_view text) {
  constexpr unsigned char first_printable = 0x20;
  constexpr unsigned char rubout = 0x7f;
  std::string result(text);
  std::ranges::replace_if(
      result,
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < first_printable || byte == rubout;
      },
      '?');
  return result;
}

template <typename Names>
std::string joined(const Names& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

class Page {
 public:
  Page(const Facts& facts, Detail detail, Colour colour)
      : facts_(facts), detail_(detail), colour_(colour) {}

  std::string run(std::string_view file) {
    if (detail_ == Detail::problems) {
      for (const Finding& finding : facts_.findings)
        if (finding.level <= Level::broken) tell(finding, fmt::format("module {}:", facts_.name));
      return std::move(text_);
    }
    head(file);
    if (facts_.has_hyp) {
      sections();
      roles();
      ops();
      relocations();
    }
    imports();
    if (facts_.has_hyp) symbols("EL2 symbols", facts_.el2_symbols);
    if (detail_ == Detail::everything) symbols("EL1 symbols", facts_.el1_symbols);
    findings();
    verdict();
    return std::move(text_);
  }

 private:
  void line(std::string_view content, Tone tone = Tone::plain) {
    const bool coloured = colour_ == Colour::on && tone != Tone::plain;
    if (coloured) text_ += tone_codes[static_cast<std::size_t>(tone)];
    text_ += harmless(content);
    if (coloured) text_ += tone_end;
    text_ += '\n';
  }
  void heading(std::string_view name) {
    text_ += '\n';
    line(name, Tone::heading);
  }
  void row(std::string_view key, std::string_view value) {
    line(fmt::format("{:<12} {}", key, value));
  }

  void head(std::string_view file) {
    row("module", fmt::format("{} ({})", facts_.name, file));
    row("generation", facts_.generation ? fmt::format("{} ({})", pkvm::info(*facts_.generation).kmi,
                                                      facts_.vermagic)
                                        : fmt::format("unknown ({})", facts_.vermagic));
    if (!facts_.built_for.empty()) row("built for", facts_.built_for);
    row("EL2 half", facts_.has_hyp ? fmt::format("{} pages", facts_.hyp_pages) : "none");
    if (facts_.has_hyp) row("kCFI at EL2", name_of(facts_.kcfi));
    row("depends on", facts_.depends.empty() ? "nothing" : joined(facts_.depends));
    if (!facts_.parameters.empty()) row("parameters", joined(facts_.parameters));
    if (!facts_.exports.empty()) row("exports", joined(facts_.exports));
    row("signature", facts_.is_signed ? "yes" : "no");
    for (const TraitFact& trait : facts_.traits)
      row("form", fmt::format("{}: {}", trait.name, trait.text));
  }

  void sections() {
    heading("Sections");
    std::uint64_t el1 = 0;
    for (const SectionFact& section : facts_.sections) {
      const bool hyp = section.name.starts_with(".hyp.");
      if (!hyp) el1 += section.size;
      if (!hyp && detail_ != Detail::everything) continue;
      std::string where = hyp ? "not mapped at EL2" : fmt::format("EL1 {}", section.permission);
      if (section.at_el2) where = fmt::format("EL2 {}", section.permission);
      line(fmt::format("  {:<28} {:>9} bytes  {}", section.name, section.size, where));
    }
    if (detail_ != Detail::everything)
      line(fmt::format("  {:<28} {:>9} bytes  EL1", "all others", el1));
  }

  void candidates(std::string_view key, const std::vector<Candidate>& all) {
    if (all.empty()) line(fmt::format("  {:<8} none found", key));
    for (const Candidate& own : all)
      line(fmt::format("  {:<8} {} at .hyp.text+{:#x}: {}{}", key, own.symbol, own.offset,
                       joined(own.evidence), own.certain ? "" : " (perhaps)"),
           own.certain ? Tone::plain : Tone::doubtful);
  }

  void roles() {
    heading("Init and handlers");
    candidates("init", facts_.inits);
    candidates("handler", facts_.handlers);
  }

  void ops() {
    heading("Operations (pkvm_module_ops)");
    if (facts_.ops.empty()) line("  none found");
    for (const OpUse& use : facts_.ops)
      line(fmt::format("  {:>3} {:<32} {:>3} loads {:>3} calls  {:<12} in {}", use.slot,
                       use.name.empty() ? "-" : use.name, use.loads, use.calls, name_of(use.state),
                       joined(use.functions)),
           use.state == OpState::implemented ? Tone::plain : Tone::doubtful);
    for (const std::string& doubt : facts_.doubts)
      line(fmt::format("  not certain: {}", doubt), Tone::doubtful);
  }

  void relocations() {
    heading("Relocations and alternatives");
    for (const RelocationFact& own : facts_.relocations)
      if (detail_ == Detail::everything || own.section.starts_with(".hyp."))
        line(fmt::format("  {:<28} {:>5} {}", own.section, own.count, own.type));
    line(facts_.has_hyp_reloc
             ? fmt::format("  .hyp.reloc: {} pointers to move at load", facts_.hyp_reloc_entries)
             : "  .hyp.reloc: absent");
    if (facts_.alternatives.empty()) line("  alternatives: none");
    for (const AlternativeFact& own : facts_.alternatives)
      line(fmt::format("  alternatives: {} in {}, capability {}{}{}: {}", own.count, own.section,
                       own.capability, own.name.empty() ? "" : " " + own.name,
                       own.callback ? " (callback)" : "", text_of(own.fate)));
  }

  void imports() {
    heading("Imports");
    if (facts_.imports.empty()) line("  none");
    for (const ImportFact& import : facts_.imports) {
      const bool good =
          import.state != ImportState::missing && import.state != ImportState::perhaps;
      const std::string stub = import.stub.empty() ? "" : fmt::format(": {}", import.stub);
      line(fmt::format("  {:<36} {}{}{}", import.name, name_of(import.state), stub,
                       import.from.empty() ? "" : fmt::format(" ({})", import.from)),
           good ? Tone::plain : Tone::doubtful);
    }
  }

  void symbols(std::string_view title, const std::vector<SymbolFact>& all) {
    heading(title);
    if (all.empty()) line("  none");
    for (const SymbolFact& symbol : all)
      line(fmt::format("  {:<36} {}+{:#x} {:>6} bytes{}", symbol.name, symbol.section,
                       symbol.offset, symbol.size, symbol.is_function ? "  function" : ""));
  }

  static std::string_view title_of(Level level) {
    constexpr std::array<std::string_view, 4> titles = {"will not load", "goes wrong",
                                                        "not on a phone", "note"};
    return titles[static_cast<std::size_t>(level)];
  }
  static Tone tone_of(Level level) {
    if (level == Level::note) return Tone::plain;
    return level == Level::phone ? Tone::doubtful : Tone::bad;
  }

  void findings() {
    heading("Findings");
    if (facts_.findings.empty()) line("  none");
    for (const Finding& finding : facts_.findings)
      tell(finding, " ");
  }

  void tell(const Finding& finding, std::string_view head) {
    const std::string_view error = pkvm::errno_name(static_cast<long>(finding.error));
    line(fmt::format(
             "{} {}: {}{}", head, title_of(finding.level), finding.text,
             error.empty() ? "" : fmt::format(" ({} {})", pkvm::negated(finding.error), error)),
         tone_of(finding.level));
    if (!finding.advice.empty()) line(fmt::format("    -> {}", finding.advice));
  }

  void verdict() {
    text_ += '\n';
    std::size_t fatal = 0;
    for (const Finding& finding : facts_.findings)
      fatal += finding.level <= Level::broken ? 1 : 0;
    if (fatal == 0)
      line(fmt::format("module {}: nothing found that keeps it from loading", facts_.name),
           Tone::good);
    else
      line(fmt::format("module {}: would NOT load as it should: {} reason{}", facts_.name, fatal,
                       fatal == 1 ? "" : "s"),
           Tone::bad);
  }

  const Facts& facts_;
  Detail detail_;
  Colour colour_;
  std::string text_;
};

}  // namespace

bool Facts::would_load() const {
  return std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.level <= Level::broken; });
}

std::string to_text(const Facts& facts, std::string_view file, Detail detail, Colour colour) {
  return Page(facts, detail, colour).run(file);
}

}  // namespace pkvmemu::inspect
