// SPDX-License-Identifier: GPL-2.0-only
#include "pkvmemu/emulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "convert.h"
#include "failures.h"
#include "pkvm/platform.h"
#include "session.h"

namespace pkvmemu::inline v1 {

class Emulator::Session final : public api::Session {
 public:
  using api::Session::Session;
};

struct Snapshot::Moment {
  Moment(const std::shared_ptr<api::Session>& owner, api::Session::Moment then)
      : session(owner), moment(std::move(then)) {}
  ~Moment() {
    if (const auto owner = session.lock()) owner->run().machine().drop(moment.id);
  }
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;
  Moment(Moment&&) = delete;
  Moment& operator=(Moment&&) = delete;

  std::weak_ptr<api::Session> session;
  api::Session::Moment moment;
};

namespace {

using tool::RcLine;

tool::RunOptions options_of(const Boot& boot) {
  tool::RunOptions options;
  options.modules.assign(boot.modules.begin(), boot.modules.end());
  options.spare_modules.assign(boot.more_modules.begin(), boot.more_modules.end());
  options.faults = boot.faults;
  options.faults_follow = true;
  if (boot.generation)
    options.cmdline =
        fmt::format("{}={}", pkvm::platform::param_generation, name_of(*boot.generation));
  if (!boot.command_line.empty())
    options.cmdline += (options.cmdline.empty() ? "" : " ") + boot.command_line;
  for (const El2Half& half : boot.el2_halves) {
    options.modules.push_back(half.module);
    options.el2_only.push_back({.module = half.module,
                                .init = half.init,
                                .handlers = half.handlers,
                                .variables = half.variables});
  }
  options.memory = boot.memory;
  options.mmio = boot.mmio;
  if (boot.el3) options.el3 = boot.el3->string();
  if (boot.firmware) options.firmware = boot.firmware->string();
  options.no_pvm = !boot.probe_protected_vms;
  options.no_iommu = !boot.iommu_driver;
  options.as_shipped = boot.as_shipped;
  options.stub_unresolved = boot.stub_unresolved;
  options.budget = boot.budget;
  options.wishes = {
      {.verb = tool::RcVerb::await, .phase = tool::RcPhase::early, .target = {}, .args = {}},
      {.verb = tool::RcVerb::await, .phase = tool::RcPhase::normal, .target = {}, .args = {}}};
  return options;
}

/// The part of a request that came to something; a run may end before it came to anything.
template <typename Public, typename Report>
Public last_of(const std::vector<Report>& reports, Public otherwise) {
  return reports.empty() ? std::move(otherwise) : api::to_public(reports.back());
}

CallResult make_call(api::Session& session, RcLine line, const Emulator::Arguments& arguments) {
  const std::size_t most =
      line.verb == tool::RcVerb::smc ? tool::max_smc_args : tool::max_call_args;
  if (arguments.size() > most)
    throw UsageError(fmt::format("{}: {} arguments, expected at most {} (x1 to x{})", line.target,
                                 arguments.size(), most, most));
  line.args = arguments;
  return last_of<CallResult>(session.request(line).calls,
                             {.name = line.target, .arguments = arguments});
}

TouchResult make_touch(api::Session& session, const std::string& text) {
  const RcLine line = api::value_or_throw(tool::parse_touch(text));
  return last_of<TouchResult>(session.request(line).touches, {});
}

GuestResult make_guest(api::Session& session, tool::RcVerb verb, std::string_view program) {
  if (program.contains(',')) throw UsageError(fmt::format("'{}': one guest at a time", program));
  if (session.stage() == Stage::before_deprivilege)
    throw UsageError("guests run after deprivilege: advance_to(Stage::after_deprivilege) first");
  const RcLine line = api::value_or_throw(tool::parse_guest(verb, program));
  return last_of<GuestResult>(session.request(line).guests, {.program = line.target});
}

bool same_module(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](char c) { return c == '-' ? '_' : c; },
      [](char c) { return c == '-' ? '_' : c; });
}

}  // namespace

Emulator::Emulator(std::shared_ptr<Session> session) : session_(std::move(session)) {}
Emulator::Emulator(Emulator&& other) noexcept = default;
Emulator& Emulator::operator=(Emulator&& other) noexcept = default;
Emulator::~Emulator() = default;

Emulator Emulator::boot(const Boot& boot) {
  Emulator emulator(std::make_shared<Session>(options_of(boot)));
  emulator.advance_to(boot.stop_at);
  return emulator;
}

Stage Emulator::stage() const {
  return session_->stage();
}

Generation Emulator::generation() const {
  return api::to_public(session_->run().plan().generation);
}

void Emulator::advance_to(Stage stage) {
  session_->advance_to(stage);
}

Verdict Emulator::finish() {
  session_->advance_to(Stage::ended);
  return api::to_public(session_->report());
}

CallResult Emulator::call(std::string_view handler, const Arguments& arguments) {
  if (handler.contains(':'))
    throw UsageError(fmt::format("'{}' is no handler: arguments are given apart", handler));
  return make_call(*session_, api::value_or_throw(tool::parse_call(handler)), arguments);
}

CallResult Emulator::call(unsigned number, const Arguments& arguments) {
  return call(std::to_string(number), arguments);
}

CallResult Emulator::hvc(std::uint64_t x0, const Arguments& arguments) {
  return make_call(*session_, api::value_or_throw(tool::parse_hvc(fmt::format("{:#x}", x0))),
                   arguments);
}

CallResult Emulator::smc(std::uint64_t x0, const Arguments& arguments) {
  return make_call(*session_, api::value_or_throw(tool::parse_smc(fmt::format("{:#x}", x0))),
                   arguments);
}

LoadResult Emulator::load(const std::filesystem::path& module, std::string_view parameters) {
  const std::string name = session_->run().plan().module_named(module.string());
  if (name.empty())
    throw UsageError(
        fmt::format("{}: not among the modules that boot() was given", module.string()));
  RcLine line{.verb = tool::RcVerb::late, .target = name, .args = {}};
  line.parameters = parameters;
  return last_of<LoadResult>(session_->request(line).modules, {.module = name});
}

TouchResult Emulator::read(PhysicalAddress address) {
  return make_touch(*session_, fmt::format("r:{:#x}", address.value));
}

TouchResult Emulator::write(PhysicalAddress address, std::uint64_t value) {
  return make_touch(*session_, fmt::format("w:{:#x}={:#x}", address.value, value));
}

TouchResult Emulator::execute(PhysicalAddress address) {
  return make_touch(*session_, fmt::format("x:{:#x}", address.value));
}

GuestResult Emulator::run_protected_vm(std::string_view program) {
  return make_guest(*session_, tool::RcVerb::pvm, program);
}

GuestResult Emulator::run_vm(std::string_view program) {
  return make_guest(*session_, tool::RcVerb::vm, program);
}

void Emulator::fail(std::string_view fault) {
  session_->fail(fault);
}

std::vector<FaultSite> Emulator::sites() const {
  std::vector<FaultSite> sites;
  for (const fault::Site& site : session_->run().sites())
    sites.push_back(api::to_public(site));
  return sites;
}

std::uint64_t Emulator::reached(std::string_view site) const {
  const auto sites = session_->run().sites();
  const auto found = std::ranges::find(sites, site, &fault::Site::name);
  if (found == sites.end()) throw UsageError(fmt::format("no fault site '{}'", site));
  return session_->run().injector()->counts()[static_cast<std::size_t>(found - sites.begin())];
}

Snapshot Emulator::snapshot() {
  return Snapshot(std::make_shared<const Snapshot::Moment>(session_, session_->save()));
}

void Emulator::restore(const Snapshot& snapshot) {
  if (!snapshot.moment_ || snapshot.moment_->session.lock() != session_)
    throw UsageError("this snapshot is not of this emulator");
  session_->restore(snapshot.moment_->moment);
}

LoadResult Emulator::module(std::string_view name) const {
  for (const observe::ModuleReport& module : session_->report().modules)
    if (same_module(module.name, name)) return api::to_public(module);
  throw UsageError(fmt::format("no module '{}' in this run", name));
}

std::string_view Emulator::console() const {
  return session_->run().machine().console();
}

std::uint64_t Emulator::instructions() const {
  return session_->run().machine().instructions();
}

std::vector<std::byte> Emulator::memory(PhysicalAddress address, std::size_t size) const {
  const auto bytes = api::value_or_throw(session_->run().machine().memory(Pa{address.value}, size));
  return {bytes.begin(), bytes.end()};
}

Verdict run(const Boot& boot) {
  return Emulator::boot(boot).finish();
}

}  // namespace pkvmemu::inline v1
