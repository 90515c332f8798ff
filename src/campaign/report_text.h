// SPDX-License-Identifier: GPL-2.0-only
// Words that all reports use, and text of guests made harmless for terminals and documents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "campaign/record.h"

namespace pkvmemu::campaign {

/// Valid UTF-8 without control characters, which become \x1b, and without those that turn the
/// direction of writing; tabs stay, carriage returns at both
/// ends go: EL2 ends its lines with LF and CR.
std::string printable(std::string_view text);

/// printable, with <>&"' as XML and HTML have them.
std::string escaped(std::string_view text);

/// At most the first `size` bytes of what is printable, and then "...".
std::string shortened(std::string text, std::size_t size);

/// "-12 (ENOMEM)", "nothing"; empty when the fault is no answer.
std::string answer_text(const FaultRecord& fault);

/// "3 of 7", "from 3 of 7 on", "3 of 7, 2 times".
std::string occurrence_text(const FaultRecord& fault, const SweepRecord& sweep);
/// The same of several cases that differ in nothing else: "1-3, 5 of 7".
std::string occurrence_text(std::string_view nths, const FaultRecord& fault,
                            const SweepRecord& sweep);

/// The command that runs this one case again, quoted for a shell.
std::string replay_command(const SweepRecord& sweep, const CaseRecord& record);

/// "hello.ko on android15-6.6, once".
std::string subject_text(const SweepRecord& sweep);

/// "1 case", "2 cases".
std::string counted(std::uint64_t count, std::string_view noun);

/// "8 bugs, 1 panic": outcomes that came up, the worst first. "no cases" for none.
std::string outcomes_text(const SweepResult& result);

}  // namespace pkvmemu::campaign
