// SPDX-License-Identifier: GPL-2.0-only
// What a sweep writes down: one JSON object in one line for each case, and one that says what was
// swept. Files of the same sweep (of workers, of shards, of a resumed run) are merged by putting
// their lines together: a case that stands twice is one case (docs/sweep.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "support/result.h"

namespace pkvmemu::campaign {

/// What a case came to, by how bad it is.
enum class Outcome : std::uint8_t {
  clean,           ///< nothing came of the fault
  expected_error,  ///< the load or the VM failed, and everything that has to hold then holds
  bug,             ///< something does not hold: see the findings
  panic,           ///< the hypervisor or the host kernel panicked
  hang,            ///< budget spent, wedged, halted
  lost,            ///< the worker died or did not answer: pkvm-emu's own bug
};
inline constexpr std::size_t outcome_count = 6;

/// Whether it is what a sweep is made to find; the others are as they have to be.
constexpr bool is_finding(Outcome outcome) {
  return outcome >= Outcome::bug;
}

/// "clean", "expected-error", "bug", "panic", "hang", "lost".
std::string_view name_of(Outcome outcome);
std::optional<Outcome> outcome_of(std::string_view name);

/// One thing that does not hold.
struct Finding {
  std::string kind;  ///< a stable name: "pages-leaked", "availability", ... (docs/sweep.md)
  std::string text;  ///< for people: what, where, expected and found
  bool operator==(const Finding&) const = default;
};

/// A fault of a case, as `--fail` takes it, and what the sweep knows of its place.
struct FaultRecord {
  std::string site;     ///< "hyp.donate"; of a corrupted file "corrupt:hello.ko"
  std::string meaning;  ///< of the site, one line
  std::uint64_t nth = 1;
  std::uint64_t times = 1;  ///< fault::every_time: from then on
  std::int64_t answer = 0;
  std::vector<std::string> path;         ///< who called, innermost first: "f+0x10 [hyp]"
  std::vector<std::string> disassembly;  ///< around the place, of findings only
  bool operator==(const FaultRecord&) const = default;
};

/// One case: a run with faults, and its judgement.
struct CaseRecord {
  std::string id;  ///< "hyp.donate:nth=3", "hyp.donate:nth=3+load.file:nth=1"; unique in a sweep
  std::vector<FaultRecord> faults;
  Outcome outcome = Outcome::clean;
  std::string why;  ///< one line for people
  std::vector<Finding> findings;
  std::vector<std::string> verdict;  ///< the lines of a run's verdict
  std::vector<std::string> log;      ///< the console's last lines, unless it is clean
  std::uint64_t instructions = 0;    ///< of the whole run
  int exit_code = 0;                 ///< of `pkvm-emu run` with the same faults
  bool operator==(const CaseRecord&) const = default;
};

/// What was swept: the same for all files of one sweep.
struct SweepRecord {
  std::string
      fingerprint;  ///< of modules, firmware, options; cases of another one are not mixed in
  std::vector<std::string> modules;  ///< files, as given
  std::string generation;
  std::string mode;                 ///< "once", "persistent", "pairs", "corrupt"; joined by "+"
  std::vector<std::string> replay;  ///< command line without the case: pkvm-emu sweep ...
  std::map<std::string, std::uint64_t> occurrences;  ///< of each site in the clean run
  std::map<std::string, std::string> meanings;       ///< of each site that the sweep looked at
  std::uint64_t cases = 0;  ///< planned in all shards; pairs are not known before
  bool operator==(const SweepRecord&) const = default;
};

using Line = std::variant<SweepRecord, CaseRecord>;

/// One line with its newline; valid UTF-8, whatever a guest printed.
std::string to_line(const Line& line);
Result<Line> parse_line(std::string_view line);

/// The part of a record file up to its last whole line: a resumed run cuts the file off there
/// before it appends, since what a killed process began would spoil the next line.
std::string_view whole_lines(std::string_view text);

/// A sweep with all of its cases, ordered by id (numbers in it by their value); of two records with
/// one id the last counts.
struct SweepResult {
  SweepRecord sweep;
  std::vector<CaseRecord> cases;
  bool operator==(const SweepResult&) const = default;
};

/// Puts texts of record files together. Each begins with what was swept, or is empty. A last line
/// that was cut off by a killed process is left out; any other damage, or records of two sweeps
/// (fingerprints differ), is an error that names file and line. Of what else SweepRecords say, the
/// first counts.
struct NamedText {
  std::string name;
  std::string_view text;
};
Result<SweepResult> merge(std::span<const NamedText> files);

}  // namespace pkvmemu::campaign
