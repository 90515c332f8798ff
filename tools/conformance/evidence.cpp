// SPDX-License-Identifier: GPL-2.0-only
#include "evidence.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>

namespace pkvmemu::conformance {
namespace {

constexpr std::string_view on_qemu_mark = "+qemu";

Result<Evidence> read_one(const std::filesystem::path& file) {
  try {
    std::ifstream stream(file);
    const nlohmann::json json = nlohmann::json::parse(stream);
    Evidence evidence{.program = json.at("program"),
                      .test = json.at("test"),
                      .passed = json.at("passed"),
                      .claims = {}};
    for (const std::string text : json.at("holds")) {
      auto claim = parse_claim(text);
      if (!claim)
        return fail("{} of {}: {}", evidence.test, evidence.program, claim.error().message);
      evidence.claims.push_back(*std::move(claim));
    }
    return evidence;
  } catch (const nlohmann::json::exception& error) {
    return fail("{}: {}", file.string(), error.what());
  }
}

bool is_current(const std::filesystem::path& file, const std::filesystem::path& program) {
  std::error_code no_program;
  const auto built = std::filesystem::last_write_time(program, no_program);
  std::error_code no_file;
  const auto said = std::filesystem::last_write_time(file, no_file);
  return !no_program && !no_file && said >= built;
}

}  // namespace

Result<Claim> parse_claim(std::string_view text) {
  Claim claim;
  claim.on_qemu = text.ends_with(on_qemu_mark);
  if (claim.on_qemu) text.remove_suffix(on_qemu_mark.size());
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return fail("'{}' is not of the form ROW@KMI", text);
  const auto generation = pkvm::generation_of_kmi(text.substr(at + 1));
  if (!generation) return fail("'{}': no such generation", text);
  claim.row = text.substr(0, at);
  claim.generation = *generation;
  return claim;
}

Result<std::vector<Evidence>> read_evidence(const std::filesystem::path& folder,
                                            const std::filesystem::path& programs) {
  std::vector<Evidence> all;
  std::error_code none;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, none)) {
    if (entry.path().extension() != ".json") continue;
    auto evidence = read_one(entry.path());
    if (!evidence) return std::unexpected(evidence.error());
    if (is_current(entry.path(), programs / evidence->program)) all.push_back(*std::move(evidence));
  }
  std::ranges::sort(
      all, {}, [](const Evidence& evidence) { return std::tie(evidence.program, evidence.test); });
  return all;
}

}  // namespace pkvmemu::conformance
