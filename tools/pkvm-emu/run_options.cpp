// SPDX-License-Identifier: GPL-2.0-only
#include "run_options.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace pkvmemu::tool {
namespace {

constexpr const char* footer = R"(Exit codes:
  0 good   2 usage   3 bad file   10 a load failed   11 a call failed   12 hyp panic
  13 host panic   14 budget spent or hung   15 an op that does not exist yet
  16 not what --plan expects   70 our bug   130 interrupted

Examples:
  pkvm-emu run hello.ko
  pkvm-emu run hello.ko --call hello/hello_hvc:0x11,0x22 --json report.json
  pkvm-emu run filter.ko --smc 0xc2000001:1,2
  pkvm-emu run power.ko --psci suspend:0x10000 --psci features:0xc4000001
  pkvm-emu run hello.ko --call 128:1,2 --late other.ko --hvc 0xc600000f
  pkvm-emu run driver.ko --device vendor,thing@0x10000000:irq=5,depth=4 --env missing.c
  pkvm-emu run hello.ko --touch r:0x50000000 --touch w:0x9000000=0x41
  pkvm-emu run hello.ko --fail hyp.donate:nth=3 --fail load.hvc.init_module:return=EPERM
  pkvm-emu run hello.ko --fail hello/hello_hvc:nth=2:flip=x1:3 --plan faults.yaml
  pkvm-emu run driver.ko --mmio 0x10000000:0x1000=device.yaml --el3 secure.yaml
  pkvm-emu run hello.ko --cmdline "kvm-arm.protected_modules=nosuch,hello"
  pkvm-emu run --initramfs vendor_ramdisk.lz4 my_module --call my_handler
  pkvm-emu run hello.ko --export-qemu out && out/run.sh)";

/// One value for each time the option is given; what follows belongs to others.
CLI::Option* one_value_each(CLI::Option* option) {
  return option->expected(1)->allow_extra_args(false)->multi_option_policy(
      CLI::MultiOptionPolicy::TakeAll);
}

/// nullptr is an option that the purpose of the command leaves out.
bool is_given(const CLI::Option* option) {
  return option != nullptr && option->count() > 0;
}

std::optional<std::string> value_of(const CLI::Option* option) {
  if (!is_given(option)) return std::nullopt;
  return option->results().back();
}

CLI::Option* valued(CLI::App& command, const char* name, const char* type, const char* help) {
  return command.add_option(name, CLI::callback_t{}, help)->type_name(type);
}

/// Without the override "--no-iommu=false", which would have to be understood.
CLI::Option* flag_of(CLI::App& command, const std::string& name, const std::string& help) {
  return command.add_flag(name, help)->disable_flag_override();
}

}  // namespace

RunOptionsParser::RunOptionsParser(CLI::App& command, Purpose purpose) : command_(&command) {
  const auto option = [&](const char* name, const char* type, const char* help) {
    return valued(command, name, type, help);
  };
  // A flag may have a value, and never takes the next argument for it.
  const auto guest_option = [&](const char* name, const std::string& help) {
    return command.add_flag(name, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  modules_ = option("MODULE", "FILE",
                    "Modules to load before deprivilege, in this order; with --initramfs, names of "
                    "modules inside it")
                 ->expected(0, -1)
                 ->allow_extra_args(true)
                 ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  call_ = one_value_each(option("--call", "[MODULE/]SYMBOL|ID[:ARG,...]",
                                "Call a handler after deprivilege: the EL2 function's name or its "
                                "number (128 and up), with up to 7 arguments"));
  hvc_ = one_value_each(option(
      "--hvc", "X0[:ARG,...]|SYMBOL[=NAME]",
      "Make any HVC after deprivilege, to forge calls with. Behind --el2-only also a handler "
      "to register, which --call then knows by its symbol or by NAME"));
  smc_ = one_value_each(option("--smc", "X0[:ARG,...]",
                               "Make an SMC after deprivilege: PSCI, then modules' handlers, then "
                               "EL3 may answer it"));
  psci_ = one_value_each(option("--psci", "NAME[:ARG,...]",
                                "Call a function of PSCI after deprivilege: version, suspend, "
                                "affinity-info, features, system-reset, ...; from a suspend the "
                                "kernel comes back"));
  late_ = one_value_each(
      option("--late", "FILE", "Load a module after deprivilege, which the kernel must refuse"));
  touch_ = one_value_each(
      option("--touch", "r|w|x:ADDR[=VALUE]",
             "Have the kernel read, write or execute at a physical address after deprivilege, and "
             "report the value or the abort. Each of these six may start with 'early ' to be "
             "done before deprivilege"));
  pvm_ =
      guest_option("--pvm",
                   "Run a guest in a protected VM after deprivilege: --pvm, or "
                   "--pvm=hello|answers|compute|ffa|registers|secret|share|trespass|smp|traps "
                   "(calls and exits are for benchmarks); bare:PROGRAM runs it without firmware, "
                   "ffa:PROGRAM lets it speak FF-A (android16-6.12)");
  vm_ = guest_option("--vm", "The same in an ordinary VM, for comparison");
  attack_ = guest_option("--attack",
                         "Attack guests and the hypervisor as the host may: all attacks, or "
                         "--attack=PATTERN, where * stands for any characters; --attack=help "
                         "lists them");
  el2_only_ = one_value_each(
      option("--el2-only", "FILE",
             "Load only the EL2 half of this module, whose EL1 half needs hardware; --init, --hvc "
             "SYMBOL and --set behind it do what that would do (docs/modules.md)"));
  init_ = one_value_each(
      option("--init", "SYMBOL", "The EL2 init function of the --el2-only module before it"));
  set_ = one_value_each(option("--set", "SYMBOL=VALUE",
                               "Before it is loaded, a variable of the --el2-only module before "
                               "it gets a number, or bytes: hex:0102"));
  memory_ = one_value_each(option("--mem", "ADDR=FILE",
                                  "Before the start, put a file's bytes at a physical address in "
                                  "RAM; the kernel's allocator keeps off them"));
  mmio_ = one_value_each(option("--mmio", "BASE:SIZE=ram|zero|FILE",
                                "Put a device at a physical address: memory, one that reads 0, or "
                                "registers as a YAML file says (docs/devices.md)"));
  el3_ = option("--el3", "FILE",
                "Answers of the secure world to SMCs, from a YAML file (docs/devices.md)");
  device_ = one_value_each(option(
      "--device", "COMPATIBLE[@ADDRESS[+SIZE]][:PROPERTY[=VALUE],...]",
      "Declare a device to the guest: a node of the devicetree for platform drivers to match; "
      "irq=N gives it an interrupt"));
  env_ = one_value_each(
      option("--env", "FILE",
             "Functions that the modules miss: a relocatable AArch64 object or a C source, loaded "
             "before them; its definitions come before declared stubs"));
  cmdline_ = option("--cmdline", "STR", "Append to the kernel command line");
  initramfs_ = option("--initramfs", "FILE",
                      "Use this initramfs: newc cpio, plain or compressed (gzip, xz, lzma, zstd, "
                      "lz4, bzip2)");
  const auto flag = [&](const std::string& name, const std::string& help) {
    return flag_of(command, name, help);
  };
  no_iommu_ = flag("--no-iommu", "Leave out the built-in IOMMU driver: a kernel then wipes pvmfw");
  no_pvm_ = flag("--no-pvm",
                 "Do not start a protected VM at the end of the run to see whether one can be had: "
                 "the verdict then does not know");
  as_shipped_ = flag("--as-shipped",
                     "Reproduce the known defects of released kernels (docs/fidelity.md) instead "
                     "of the documented behaviour");
  unresolved_ =
      option("--unresolved", "refuse|stub",
             "What a symbol that nobody exports does to its module: refuse the load, as a kernel "
             "(the default), or stand in with a stub that answers 0 and reports each call");
  budget_ =
      option("--budget", "N", "Stop after so many instructions (k, M, G may follow; default 2G)");
  firmware_ =
      option("--firmware", "FILE", "Boot this arm64 Image instead of the built-in firmware");
  if (purpose == Purpose::run) declare_output();
}

void RunOptionsParser::declare_output() {
  const auto option = [this](const char* name, const char* type, const char* help) {
    return valued(*command_, name, type, help);
  };
  const auto flag = [this](const std::string& name, const std::string& help) {
    return flag_of(*command_, name, help);
  };
  fail_ = one_value_each(option(
      "--fail", "PLACE[:nth=N][:times=N|all][:return=VALUE|:flip=xN:BIT|:skip|...]",
      "Make a step of the hypervisor or the kernel fail, the N-th time that it is reached; "
      "`pkvm-emu sites` lists the steps. Or change what happens at [MODULE/]SYMBOL[+OFFSET], "
      "el1:ADDRESS or el2:ADDRESS: also repeat, power-cut, time-out"));
  faults_plan_ = option("--plan", "FILE",
                        "Faults from a YAML file, and what to expect of them (docs/faults.md)");
  log_ops_ = flag("--log-ops",
                  "Show each call of pkvm_module_ops with its arguments, its answer and where it "
                  "came from");
  trace_events_ =
      flag("--trace-events",
           "Enable the hyp trace events of all modules and show each as it was written");
  json_ = option("--json", "FILE",
                 "Write the report as JSON; '-' is standard output, and the text goes to stderr");
  export_qemu_ = option("--export-qemu", "DIR",
                        "Run nothing: write all files and run.sh, which runs the same under QEMU");
  command_->footer(footer);
}

Outcome<RunOptions> RunOptionsParser::options() const {
  RunOptions options;
  if (auto taken = take_modules(options); !taken) return std::unexpected(taken.error());
  if (is_given(fail_)) options.faults = fail_->results();
  options.plan = value_of(faults_plan_);
  options.mmio = mmio_->results();
  options.memory = memory_->results();
  options.el3 = value_of(el3_);
  options.cmdline = value_of(cmdline_).value_or("");
  options.devices = device_->results();
  options.environment = env_->results();
  options.initramfs = value_of(initramfs_);
  options.firmware = value_of(firmware_);
  options.json = value_of(json_);
  options.export_qemu = value_of(export_qemu_);
  for (const auto& [option, file] : {std::pair{initramfs_, options.initramfs},
                                     {firmware_, options.firmware},
                                     {json_, options.json},
                                     {faults_plan_, options.plan},
                                     {el3_, options.el3},
                                     {export_qemu_, options.export_qemu}})
    if (file && file->empty())
      return usage_error("{}: the name that follows is empty", option->get_name());
  if (std::ranges::find(options.modules, "") != options.modules.end())
    return usage_error("a module's name is empty");
  options.no_iommu = is_given(no_iommu_);
  options.no_pvm = is_given(no_pvm_);
  options.as_shipped = is_given(as_shipped_);
  options.log_ops = is_given(log_ops_);
  options.trace_events = is_given(trace_events_);
  if (options.log_ops && options.export_qemu)
    return usage_error("--log-ops: QEMU has no event port that could report them");
  if (!options.faults.empty() && options.export_qemu)
    return usage_error("--fail: QEMU does not inject faults");
  if (options.plan && options.export_qemu)
    return usage_error("--plan: QEMU does not inject faults");
  if (!options.mmio.empty() && options.export_qemu)
    return usage_error("--mmio: QEMU's board has no such device, and an access would abort there");
  if (options.el3 && options.export_qemu)
    return usage_error("--el3: QEMU's firmware answers SMCs itself, and knows PSCI alone");
  const std::string unresolved = value_of(unresolved_).value_or("refuse");
  if (unresolved != "refuse" && unresolved != "stub")
    return usage_error("--unresolved {}: expected refuse or stub", unresolved);
  options.stub_unresolved = unresolved == "stub";
  if (const auto text = value_of(budget_)) {
    const auto budget = parse_budget(*text);
    if (!budget) return as_usage_error(budget.error());
    options.budget = *budget;
  }
  const std::vector<std::string> attacks = attack_->results();
  options.lists_attacks = std::ranges::find(attacks, "help") != attacks.end();
  if (options.lists_attacks) return options;
  auto lines = wishes();
  if (!lines) return std::unexpected(lines.error());
  options.wishes = std::move(*lines);
  return options;
}

/// A handler of an EL2 half begins with a name, the value of x0 with a digit or a sign.
bool RunOptionsParser::is_handler(const CLI::Option* option, std::string_view text) const {
  if (option != hvc_ || text.starts_with("early ")) return false;
  const char first = text.empty() ? '0' : text.front();
  return first != '-' && (first < '0' || first > '9');
}

/// What follows an --el2-only is about its module.
Outcome<void> RunOptionsParser::take_modules(RunOptions& options) const {
  std::map<const CLI::Option*, std::size_t> next;
  for (const CLI::Option* option : command_->parse_order()) {
    const bool counts = option == modules_ || option == el2_only_ || option == init_ ||
                        option == set_ || option == hvc_;
    if (!counts) continue;
    const std::string text = option->results().at(next[option]++);
    if (option == modules_ || option == el2_only_) options.modules.push_back(text);
    if (option == el2_only_) {
      options.el2_only.emplace_back();
      options.el2_only.back().module = text;
    }
    if (option != init_ && option != set_ && !is_handler(option, text)) continue;
    if (options.el2_only.empty())
      return usage_error("{} {}: expected behind an --el2-only MODULE{}", option->get_name(), text,
                         option == hvc_ ? ", or a number for x0" : "");
    El2Half& half = options.el2_only.back();
    if (option == init_ && !half.init.empty())
      return usage_error("--init {}: {} has its init already, {}", text, half.module, half.init);
    if (option == init_) half.init = text;
    if (option == set_) half.variables.push_back(text);
    if (option == hvc_) half.handlers.push_back(text);
  }
  for (const El2Half& half : options.el2_only)
    if (half.init.empty())
      return usage_error("--el2-only {}: name its EL2 init function, with --init behind it",
                         half.module);
  return {};
}

/// The options interleave: CLI11 keeps the order in which they came.
Outcome<std::vector<RcLine>> RunOptionsParser::wishes() const {
  std::map<const CLI::Option*, std::size_t> next;
  std::vector<RcLine> lines;
  for (const CLI::Option* option : command_->parse_order()) {
    if (!is_wish(option)) continue;
    const std::string text = option->results().at(next[option]++);
    if (is_handler(option, text)) continue;
    std::string_view rest = text;
    const RcPhase phase = take_phase(rest);
    Result<RcLine> line = parse_wish(option, rest);
    if (!line) return usage_error("{} {}: {}", option->get_name(), text, line.error().message);
    line->phase = phase;
    lines.push_back(std::move(*line));
  }
  return lines;
}

bool RunOptionsParser::is_wish(const CLI::Option* option) const {
  const std::array wishes = {call_, hvc_, smc_, psci_, late_, touch_, pvm_, vm_, attack_};
  return std::ranges::find(wishes, option) != wishes.end();
}

Result<RcLine> RunOptionsParser::parse_wish(const CLI::Option* option,
                                            std::string_view text) const {
  if (option == call_) return parse_call(text);
  if (option == hvc_) return parse_hvc(text);
  if (option == smc_) return parse_smc(text);
  if (option == psci_) return parse_psci(text);
  if (option == touch_) return parse_touch(text);
  constexpr std::string_view bare_flag = "true";  // CLI11's word for one without a value
  const std::string_view value = text == bare_flag ? "" : text;
  if (option == pvm_ || option == vm_)
    return parse_guest(option == pvm_ ? RcVerb::pvm : RcVerb::vm, value);
  if (option == attack_) return parse_attack(value);
  RcLine line;
  line.verb = RcVerb::late;
  line.target = text;
  return line;
}

Result<std::uint64_t> parse_budget(const std::string& text) {
  std::string digits = text;
  std::uint64_t unit = 1;
  constexpr auto units = std::to_array<std::pair<char, std::uint64_t>>(
      {{'k', 1'000}, {'M', 1'000'000}, {'G', 1'000'000'000}});
  for (const auto& [suffix, factor] : units) {
    if (!digits.ends_with(suffix)) continue;
    digits.pop_back();
    unit = factor;
  }
  const auto count = parse_number(digits);
  if (!count || *count == 0 || *count > (~std::uint64_t{0} >> 1) / unit)
    return fail("--budget {}: expected a number of instructions such as 30000000 or 30M", text);
  return *count * unit;
}

}  // namespace pkvmemu::tool
