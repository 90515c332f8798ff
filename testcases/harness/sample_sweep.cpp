// SPDX-License-Identifier: GPL-2.0-only
#include "harness/sample_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string_view>
#include <utility>

#include "campaign/id_order.h"

namespace pkvmemu::test {
namespace {

using campaign::CaseRecord;
using campaign::FaultRecord;
using campaign::Outcome;
using campaign::SweepResult;

struct SampleSite {
  std::string_view name;
  std::string_view meaning;
  std::int64_t answer;
  std::string_view function;
};

constexpr std::array sites = {
    SampleSite{"host.kmalloc", "memory of the kernel's heap", 1, "host::kmalloc [host]"},
    SampleSite{"hyp.donate", "a page of the host becomes the hypervisor's", -1,
               "hyp::Ownership::donate [hyp]"},
    SampleSite{"hyp.map", "a page is mapped for the hypervisor", -12, "hyp::Stage1::map [hyp]"},
    SampleSite{"hyp.module.map_page", "a page of a module gets its permission", -12,
               "hyp::map_module_page [hyp]"},
    SampleSite{"hyp.module.register", "a handler gets its number", -16,
               "hyp::register_hcall [hyp]"},
    SampleSite{"hyp.pool.take", "a page of the hypervisor's own pool", 1, "hyp::Pool::take [hyp]"},
    SampleSite{"hyp.share", "a page is shared with the hypervisor", -1, "hyp::share [hyp]"},
    SampleSite{"hyp.va.reserve", "addresses of the private range", -12, "hyp::reserve_va [hyp]"},
    SampleSite{"load.decompress", "a compressed module is unpacked", -22,
               "host::decompress [host]"},
    SampleSite{"load.file", "the module's file is found", -2, "host::find_module [host]"},
    SampleSite{"load.init", "the module's init function", -12, "host::call_init [host]"},
    SampleSite{"load.reloc", "a relocation is made", -8, "host::relocate [host]"},
    SampleSite{"load.symbol", "a symbol is found among the exported ones", -2,
               "host::resolve [host]"},
    SampleSite{"vm.create", "a VM is created", -12, "hyp::init_vm [hyp]"},
    SampleSite{"vm.donate", "a page becomes the guest's", -1, "hyp::donate_guest [hyp]"},
    SampleSite{"vm.vcpu", "a vCPU is created", -12, "hyp::init_vcpu [hyp]"},
    SampleSite{"vm.wipe", "pvmfw is wiped", -14, "host::clear_pvmfw [host]"},
};
// Nobody reaches these.
constexpr std::array unreached = {
    SampleSite{"host.ioremap", "a device is mapped", 1, ""},
    SampleSite{"hyp.iommu.attach", "a device gets its own translation", -19, ""},
};

constexpr std::array callers = {
    "host::protected_modules+0x9c [host]", "host::load_module+0x1f4 [host]",
    "hyp::handle_host_call+0x44 [hyp]",    "hyp::Stage1::ensure_table+0x30 [hyp]",
    "hello_hyp_init+0x18 [hello]",
};

class Sampler {
 public:
  explicit Sampler(unsigned seed) : random_(seed) {}

  SweepResult sweep(std::size_t cases) {
    SweepResult result;
    result.sweep = {.fingerprint = fmt::format("{:016x}", below(1U << 30U)),
                    .modules = {"hello.ko"},
                    .generation = "android15-6.6",
                    .mode = "once+persistent",
                    .replay = {"pkvm-emu", "sweep", "hello.ko", "--pvm"},
                    .occurrences = {},
                    .meanings = {},
                    .cases = 0};
    for (const SampleSite& site : unreached)
      result.sweep.meanings.emplace(site.name, site.meaning);
    for (const SampleSite& site : sites)
      add_site(result, site, cases);
    result.sweep.cases = result.cases.size();
    std::ranges::sort(result.cases, campaign::IdOrder{}, &CaseRecord::id);
    return result;
  }

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

 private:
  void add_site(SweepResult& result, const SampleSite& site, std::size_t cases) {
    // Few sites are reached often, most are reached rarely.
    const std::size_t usual = std::max<std::size_t>(1, cases / sites.size() / 2);
    const std::size_t times =
        std::max<std::size_t>(1, below(4) == 0 ? usual * 3 : below(usual) + 1);
    result.sweep.meanings.emplace(site.name, site.meaning);
    result.sweep.occurrences.emplace(site.name, times);
    for (std::size_t nth = 1; nth <= times; ++nth)
      for (const bool persistent : {false, true})
        result.cases.push_back(one_case(site, nth, persistent));
  }

  CaseRecord one_case(const SampleSite& site, std::size_t nth, bool persistent) {
    CaseRecord record;
    record.id = fmt::format("{}:nth={}{}", site.name, nth, persistent ? ":times=all" : "");
    FaultRecord fault{.site = std::string(site.name),
                      .meaning = std::string(site.meaning),
                      .nth = nth,
                      .times = persistent ? ~std::uint64_t{0} : 1,
                      .answer = site.answer,
                      .path = {fmt::format("{}+{:#x}", site.function, 4 * below(64))},
                      .disassembly = {}};
    for (std::size_t callers_left = 1 + below(3); callers_left != 0; --callers_left)
      fault.path.emplace_back(callers.at(below(callers.size())));
    record.outcome = some_outcome();
    record.instructions = 900'000 + below(200'000);
    if (record.outcome != Outcome::clean) record.verdict.emplace_back("module hello: NOT loaded");
    judge(record, fault);
    record.faults = {std::move(fault)};
    return record;
  }

  Outcome some_outcome() {
    constexpr std::array<unsigned, campaign::outcome_count> weights = {120, 260, 8, 3, 2, 1};
    return static_cast<Outcome>(
        std::discrete_distribution<unsigned>(weights.begin(), weights.end())(random_));
  }

  void judge(CaseRecord& record, FaultRecord& fault) {
    constexpr std::array<std::string_view, campaign::outcome_count> whys = {
        "nothing came of it",
        "module hello did not load; protected VMs are not available",
        "2 pages leaked",
        "the hypervisor panicked: BRK 0x800 at hyp::Pool::give+0x24",
        "the budget of 50000000 instructions is spent",
        "the worker was killed by signal 11"};
    constexpr std::array<int, campaign::outcome_count> codes = {0, 10, 10, 12, 14, 70};
    const auto index = static_cast<std::size_t>(record.outcome);
    record.why = whys.at(index);
    record.exit_code = codes.at(index);
    if (record.outcome != Outcome::clean)
      record.log = {"[    0.000000] Booting Linux on physical CPU 0x0",
                    fmt::format("hello: load failed: {}", fault.answer),
                    "pvmfw wiped <before> \"deprivilege\" & so on"};
    if (!campaign::is_finding(record.outcome)) return;
    const std::size_t base = 0x8000 + 4 * below(0x400);
    for (std::size_t line = 0; line < 5; ++line)
      fault.disassembly.push_back(fmt::format("{} {:#x}: mov x{}, x{}", line == 2 ? ">" : " ",
                                              base + 4 * line, below(29), below(29)));
    if (record.outcome != Outcome::bug) return;
    record.findings.push_back(
        {.kind = "pages-leaked",
         .text = fmt::format("pages {:#x} and {:#x} belong to the hypervisor and to nothing in it",
                             0x50000 + below(256), 0x51000 + below(256))});
    if (below(3) == 0)
      record.findings.push_back({.kind = "availability",
                                 .text = "protected VMs are available after a failed load; "
                                         "expected: not available"});
  }

  std::mt19937 random_;
};

}  // namespace

SweepResult sample_sweep(unsigned seed, std::size_t cases) {
  return Sampler(seed).sweep(cases);
}

std::string as_lines(const SweepResult& sweep) {
  std::string text = campaign::to_line(sweep.sweep);
  for (const CaseRecord& record : sweep.cases)
    text += campaign::to_line(record);
  return text;
}

std::vector<std::string> dealt_out(const SweepResult& sweep, std::size_t shards, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<CaseRecord> cases = sweep.cases;
  std::ranges::shuffle(cases, random);
  std::vector<std::string> files(shards, campaign::to_line(sweep.sweep));
  std::uniform_int_distribution<std::size_t> shard(0, shards - 1);
  for (const CaseRecord& record : cases)
    files.at(shard(random)) += campaign::to_line(record);
  return files;
}

}  // namespace pkvmemu::test
