// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/loader.h"

#include <utility>

#include "host/module/alternatives.h"
#include "host/module/el2_only.h"
#include "host/module/hyp_image.h"
#include "host/module/hyp_imports.h"
#include "host/module/jump_labels.h"
#include "host/module/link.h"
#include "host/module/load_el2.h"
#include "host/module/params.h"
#include "host/module/report.h"
#include "image/text.h"
#include "lib/fault.h"
#include "pkvm/el2_only.h"

namespace pkvmemu::kmod {
namespace {

using image::head;
using image::tail;
using pkvm::event::Kind;

LoadError problem(Problem what, Step step, Errno number) {
  LoadError error;
  error.problem = what;
  error.step = step;
  error.status = negated(number);
  return error;
}

/// What a fault site answered.
LoadError injected(Problem what, Step step, fw::Fault fault) {
  return problem(what, step, static_cast<Errno>(-fault.answer));
}

/// Takes the first item off a comma-separated list.
std::string_view take_item(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view item = head(list, comma);
  list = comma == std::string_view::npos ? std::string_view{} : tail(list, comma + 1);
  return item;
}

/// CONFIG_PKVM_MODULE_PATH: GKI's 6.1 runs "modprobe -d /lib/modules/" first (6.2).
constexpr bool passes_module_path(pkvm::Generation generation) {
  constexpr std::array<bool, pkvm::generation_count> rows = {true, false, false};
  return rows[static_cast<std::size_t>(generation)];
}

/// What filled its room to the last character was probably cut.
Loaded<void> check_arguments(std::string_view arguments) {
  if (arguments.size() < ModuleLoader::arguments_room) return {};
  LoadError error = problem(Problem::arguments_too_long, Step::parameters, Errno::e2big);
  error.expected = ModuleLoader::arguments_room - 1;
  return std::unexpected(error);
}

/// struct module's init: the field of our layout, else what the section's relocation against
/// init_module stored (pkvm-abi.md 2.4).
KernVa find_init(pkvm::Generation generation, const Module& module) {
  if (has_usual_layout(generation, module)) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, module.this_module_bytes().data() + pkvm::info(generation).module.init,
                     sizeof(word));
    return KernVa{word};
  }
  return module.symbol_address("init_module").value_or(KernVa{});
}

}  // namespace

int ModuleLoader::load_protected_modules(std::string_view list) {
  if (services_.hyp_phase() != HypPhase::open) return negated(Errno::eacces);
  while (!list.empty()) {
    const std::string_view name = take_item(list);
    if (name.empty()) continue;
    const int status = run_helper(name);
    if (status == 0) continue;
    image::Line<128> line;
    line.put("Failed to load pkvm module ");
    line.put(name);
    line.put(": ");
    line.put_signed(status);
    services_.message(line.written());
    report_skipped(list);
    return status;
  }
  return 0;
}

bool ModuleLoader::lists(std::span<const std::string_view> directories,
                         std::string_view name) const {
  const auto dep = ModulesDep::open(config_.initramfs, directories);
  return dep && dep->find(name);
}

/// The user-mode helper for one item of the list, and where the kernel passes a folder to it (-d)
/// once more without, should it fail (6.2). A run that finds nothing is not told of.
int ModuleLoader::run_helper(std::string_view name) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("load.helper", Errno::enomem,
                                               "the user-mode helper, modprobe, is started")) {
    const Request request{
        .name = name, .path = {}, .kind = LoadKind::protected_list, .arguments = {}};
    report_begin(request);
    report_end(request, injected(Problem::helper_failed, Step::find_file, fault), 0);
    return fault.answer;
  }
  const auto release_only = std::span(directories_).first(1);
  const auto flat_only = std::span(directories_).last(1);
  if (!passes_module_path(config_.generation) || !lists(flat_only, name))
    return modprobe(name, LoadKind::protected_list);
  search_ = flat_only;
  int status = modprobe(name, LoadKind::protected_list);
  search_ = release_only;
  if (status != 0 && lists(release_only, name)) status = modprobe(name, LoadKind::protected_list);
  search_ = directories_;
  return status;
}

void ModuleLoader::report_skipped(std::string_view rest) {
  while (!rest.empty()) {
    const std::string_view name = take_item(rest);
    if (!name.empty()) services_.event(Event(Kind::module_skipped).name(name).record());
  }
}

int ModuleLoader::modprobe(std::string_view name, LoadKind kind) {
  return modprobe(name, kind, nullptr);
}

int ModuleLoader::modprobe(std::string_view name, LoadKind kind, const Waiting* outer) {
  if (is_live(name)) return 0;
  const Request request{.name = name, .path = {}, .kind = kind, .arguments = {}};
  const auto fail = [&](const LoadError& error) {
    report_begin(request);
    report_end(request, error, 0);
    return modprobe_failed;
  };
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("load.modules_dep", Errno::enoent, "modules.dep is looked up"))
    return fail(injected(Problem::no_such_file, Step::find_file, fault));
  const auto dep = ModulesDep::open(config_.initramfs, search_);
  if (!dep) return fail(dep.error());
  const auto line = dep->find(name);
  if (!line) return fail(problem(Problem::no_such_file, Step::find_file, Errno::enoent));

  const Waiting waiting{.name = name, .outer = outer};
  load_soft_dependencies(ModprobeConfig::When::before, kind, waiting);
  if (const auto done = load_dependencies(*dep, *line, request); !done) return fail(done.error());
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("load.find_file", Errno::enoent, "a module's file is looked up"))
    return fail(injected(Problem::no_such_file, Step::find_file, fault));
  const auto file = dep->file(line->path);
  if (!file) return fail(file.error());
  if (!load_with_options({.name = name, .path = file->path, .kind = kind, .arguments = {}}))
    return modprobe_failed;
  load_soft_dependencies(ModprobeConfig::When::after, kind, waiting);
  return 0;
}

/// Soft dependencies that are not there, or that lead back to a module being loaded, are passed
/// over; so is the failure of one, beyond its own report.
void ModuleLoader::load_soft_dependencies(ModprobeConfig::When when, LoadKind kind,
                                          const Waiting& waiting) {
  const auto dep = ModulesDep::open(config_.initramfs, search_);
  if (!dep) return;
  modprobe_config_.for_each_soft_dependency(waiting.name, when, [&](std::string_view name) {
    for (const Waiting* other = &waiting; other != nullptr; other = other->outer)
      if (same_module_name(other->name, name)) return;
    if (dep->find(name)) (void)modprobe(name, kind, &waiting);
  });
}

Loaded<void> ModuleLoader::load_dependencies(const ModulesDep& dep, const ModulesDep::Line& line,
                                             const Request& request) {
  const auto cyclic = dep.leads_back(line);
  if (cyclic) {
    LoadError error = problem(Problem::cyclic_dependency, Step::find_file, Errno::eloop);
    error.name = request.name;
    error.other = *cyclic;
    return std::unexpected(error);
  }
  std::string_view dependencies = line.dependencies;
  while (!dependencies.empty()) {
    const std::string_view path = take_last_word(dependencies);
    if (path.empty() || is_live(module_name_of_path(path))) continue;
    const auto file = dep.file(path);
    const Request needed{.name = module_name_of_path(path),
                         .path = file ? file->path : std::string_view{},
                         .kind = request.kind,
                         .arguments = {}};
    if (!file || !load_with_options(needed)) {
      LoadError error = problem(Problem::dependency_failed, Step::find_file, Errno::enoent);
      error.name = needed.name;
      return std::unexpected(error);
    }
  }
  return {};
}

/// Loads a file with the arguments that modprobe's configuration has for it.
bool ModuleLoader::load_with_options(Request request) {
  image::TextWriter arguments(arguments_);
  modprobe_config_.put_options(request.name, arguments);
  request.arguments = arguments.written();
  return load_file(request) == 0;
}

int ModuleLoader::insmod(std::string_view path, LoadKind kind, std::string_view arguments) {
  return load_file(
      {.name = module_name_of_path(path), .path = path, .kind = kind, .arguments = arguments});
}

int ModuleLoader::load_file(const Request& request) {
  report_begin(request);
  const auto module = prepare(request);
  if (!module) {
    const LoadError& error = module.error();
    // Unresolved symbols have told their names themselves.
    const bool told = error.problem == Problem::unknown_symbol ||
                      error.problem == Problem::unknown_symbols ||
                      error.problem == Problem::already_loaded;
    if (error.step > Step::find_file && !told)
      services_.message(ModuleMessage(request.name, error).text());
    report_end(request, module.error(), 0);
    return module.error().status;
  }
  return initialise(**module, request);
}

Loaded<image::KoFile> ModuleLoader::read_file(const Request& request) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("load.read_file", Errno::eio, "a module's file is read"))
    return std::unexpected(injected(Problem::cannot_read, Step::read_file, fault));
  const auto entry = find_module_file(config_.initramfs, request.path);
  if (!entry) return std::unexpected(entry.error());
  auto file = image::KoFile::open(entry->data);
  if (!file) {
    LoadError error = problem(Problem::damaged_file, Step::read_file, Errno::enoexec);
    error.image = file.error();
    return std::unexpected(error);
  }
  services_.event(Event(Kind::module_file)
                      .name(request.name)
                      .text(file->vermagic())
                      .value(0, entry->data.size())
                      .record());
  const fw::Fault fault = PKVM_FAULT_ERRNO("load.vermagic", Errno::enoexec,
                                           "the version magic of a module is compared");
  if (fault || file->generation() != config_.generation) {
    LoadError error = problem(Problem::wrong_version, Step::read_file, Errno::enoexec);
    error.name = file->vermagic();
    error.other = config_.vermagic;
    return std::unexpected(error);
  }
  warn_of_stand_in(request, *file);
  return *file;
}

void ModuleLoader::warn_of_stand_in(const Request& request, const image::KoFile& file) {
  const pkvm::StandIn* row = pkvm::find_kernel(pkvm::stand_ins, file.vermagic());
  if (row == nullptr) return;
  image::Line<192> line;
  line.put("WARNING: ");
  line.put(request.name);
  line.put(": built for ");
  line.put(row->kmi);
  line.put(", loaded as one of ");
  line.put(pkvm::info(row->runs_as).kmi);
  line.put(": ");
  line.put(row->reason);
  services_.message(line.written());
}

Loaded<Module*> ModuleLoader::prepare(const Request& request) {
  const auto file = read_file(request);
  if (!file) return std::unexpected(file.error());
  for (const Module& other : modules_)
    if (other.state != ModuleState::free && other.state != ModuleState::failed &&
        same_module_name(other.file.name(), file->name()))
      return std::unexpected(problem(Problem::already_loaded, Step::read_file, Errno::eexist));

  if (modprobe_config_.is_blacklisted(file->name()))
    return std::unexpected(problem(Problem::blacklisted, Step::read_file, Errno::eperm));

  Module* module = new_record();
  if (PKVM_FAULT_NOTHING("load.record", "the kernel's record of a module")) module = nullptr;
  if (module == nullptr) {
    LoadError error = problem(Problem::too_many_modules, Step::read_file, Errno::enomem);
    error.expected = max_modules;
    return std::unexpected(error);
  }
  module->state = ModuleState::loading;
  module->requested_as_protected = request.kind == LoadKind::protected_list;
  module->set_name(request.name);
  module->el2_only = is_el2_only(config_.el2_only_script, request.name);
  module->path = request.path;
  module->file = *file;

  auto done = Linker(services_, config_.generation, modules_, *module).link();
  module->hyp.first_event_id = next_event_id_;
  if (done) done = discover_hyp(services_, config_.generation, *module);
  if (done)
    done = HypImports(services_, config_.generation, config_.defects, modules_).check(*module);
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("load.discover", Errno::enoexec,
                                               "the EL2 half among a module's sections");
      fault && done)
    done = std::unexpected(injected(Problem::sections_refused, Step::section_check, fault));
  if (done && module->el2_only)
    done = prepare_el2_only(config_.el2_only_script, config_.generation, *module);
  next_event_id_ = static_cast<std::uint16_t>(next_event_id_ + module->hyp.event_count);
  if (done) done = check_arguments(request.arguments);
  if (done) {
    patch_code(*module);
    finish_memory(*module);
    // Setters may be the module's own code, which does not run when only EL2's is wanted.
    if (!module->el2_only) done = set_parameters(services_, *module, request.arguments);
    if (const fw::Fault fault =
            PKVM_FAULT_ERRNO("load.parameters", Errno::einval, "a module's parameters are set"))
      done = std::unexpected(injected(Problem::invalid_parameter, Step::parameters, fault));
  }
  if (!done) {
    drop(*module);
    return std::unexpected(done.error());
  }
  module->init = find_init(config_.generation, *module);
  return module;
}

/// What the kernel changes in a module's code for its CPUs and its static keys.
void ModuleLoader::patch_code(Module& module) {
  const AppliedAlternatives done = apply_alternatives(services_, config_.generation, module);
  image::Line<160> line;
  if (done.unknown != 0) {
    line.put(module.name());
    line.put(": alternatives of CPU capabilities that are not known here are left alone: ");
    line.put_decimal(done.unknown);
    line.put(", the first of capability ");
    line.put_decimal(done.unknown_number);
    services_.message(line.written());
  }
  if (done.not_understood != 0) {
    image::Line<160> second;
    second.put(module.name());
    second.put(": records of .altinstructions that cannot be applied: ");
    second.put_decimal(done.not_understood);
    services_.message(second.written());
  }
  prepare_jumps(services_, modules_, module);
}

void ModuleLoader::static_key_switched(KernVa key, bool enabled) {
  for (const Module& module : modules_)
    if (module.state != ModuleState::free) switch_jumps(services_, module, key, enabled);
}

void ModuleLoader::finish_memory(const Module& module) {
  for (std::size_t i = 0; i < memory_kind_count; ++i) {
    const auto kind = static_cast<MemoryKind>(i);
    if (!module.memory[i] || kind == MemoryKind::scratch) continue;
    if (kind == MemoryKind::text || kind == MemoryKind::init_text)
      services_.sync_icache(*module.memory[i]);
    services_.protect(kind, *module.memory[i]);
  }
}

int ModuleLoader::run_init(Module& module) {
  if (module.el2_only) return load_el2_only(module);
  return module.init.value == 0 ? 0 : services_.run_init(module.init);
}

/// What the EL1 half's init would do.
int ModuleLoader::load_el2_only(Module& module) {
  image::Line<128> line;
  line.put(module.name());
  line.put(": its EL2 half alone is loaded, its EL1 half does not run");
  services_.message(line.written());
  if (const int status = load_el2_module(module.this_module(), KernVa{}); status != 0)
    return status;
  El2OnlyLines lines(config_.el2_only_script, module.name());
  for (auto own = lines.next(); !own.word.empty(); own = lines.next()) {
    if (own.word != pkvm::el2_only::hvc_word) continue;
    const auto handler = el2_handler(module, own.operand);
    if (!handler) continue;  // prepare_el2_only has found them all
    const int number = register_el2_call(module.hyp.hyp_address(handler->address), handler->name);
    if (number < 0) return number;
  }
  return 0;
}

int ModuleLoader::initialise(Module& module, const Request& request) {
  int result = run_init(module);
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("load.el1_init", Errno::enodev, "a module's EL1 init has run"))
    result = fault.answer;
  if (result < 0) {
    LoadError error = problem(Problem::init_failed, Step::el1_init, Errno::none);
    // The cause, when it is the EL2 half's failure that init passed on.
    if (module.hyp_error.problem != Problem::none && module.hyp_error.status == result)
      error = module.hyp_error;
    if (module.hyp.loaded) error.problem = Problem::init_failed_late;
    error.status = result;
    services_.init_failed(module);
    report_end(request, error, result);
    // EL2 goes on owning the pages and knowing the handlers: what the kernel would free while EL2
    // still uses it (3.6, last row) is kept.
    if (module.hyp.loaded) {
      module.state = ModuleState::failed;
    } else {
      drop(module);
    }
    return result;
  }
  module.state = ModuleState::live;
  release_init_memory(module);
  report_end(request, {}, result);
  return 0;
}

void ModuleLoader::release_init_memory(Module& module) {
  for (const MemoryKind kind :
       {MemoryKind::init_text, MemoryKind::init_data, MemoryKind::init_rodata}) {
    auto& memory = module.memory[static_cast<std::size_t>(kind)];
    if (!memory) continue;
    // Its symbols name nothing any more.
    for (PlacedSection& section : module.sections)
      if (section.address >= memory->address.value &&
          section.address - memory->address.value < memory->bytes.size())
        section.bytes = {};
    memory.reset();
    if (auto& block = module.blocks[static_cast<std::size_t>(kind)]; block) {
      services_.free(kind, *block);
      block.reset();
    }
  }
  const auto& read_only = module.memory[static_cast<std::size_t>(MemoryKind::ro_after_init)];
  if (read_only) services_.protect(MemoryKind::rodata, *read_only);
}

void ModuleLoader::drop(Module& module) {
  for (std::size_t i = 0; i < memory_kind_count; ++i)
    if (const auto& block = module.blocks[i]; block)
      services_.free(static_cast<MemoryKind>(i), *block);
  if (module.per_cpu) services_.free_per_cpu(*module.per_cpu);
  for (Handler& handler : handlers_)
    if (handler.module == &module) handler.module = nullptr;
  module = Module{};
}

Module* ModuleLoader::new_record() {
  for (Module& module : modules_) {
    if (module.state != ModuleState::free) continue;
    module = Module{};
    return &module;
  }
  return nullptr;
}

int ModuleLoader::load_el2_module(KernVa this_module, KernVa token_out) {
  for (Module& module : modules_) {
    if (module.state == ModuleState::free || module.this_module() != this_module) continue;
    const auto done =
        El2Load(services_,
                {.generation = config_.generation, .defects = config_.defects, .modules = modules_},
                module, token_out)
            .run();
    if (!done) {
      module.hyp_error = done.error();
      return done.error().status;
    }
    module.hyp_error = {};
    services_.el2_loaded(module);
    services_.event(Event(Kind::module_el2_loaded)
                        .name(module.name())
                        .value(0, module.hyp.token.value)
                        .value(1, module.hyp.start.value)
                        .value(2, module.hyp.end - module.hyp.start)
                        .record());
    return 0;
  }
  return negated(Errno::enodev);
}

int ModuleLoader::register_el2_call(HypVa address, std::string_view name) {
  const fw::Fault fault =
      PKVM_FAULT_ERRNO("load.hvc.register_hcall", Errno::enomem, "hypercall __pkvm_register_hcall");
  const int result = fault ? fault.answer
                           : static_cast<int>(call_hyp(services_, config_.generation,
                                                       pkvm::Hypercall::pkvm_register_hcall,
                                                       std::array{address.value}));
  Handler handler{.number = static_cast<unsigned>(result),
                  .address = address,
                  .module = module_at(address),
                  .symbol = name};
  if (handler.module != nullptr && name.empty()) {
    const auto hit = handler.module->symbol_at(handler.module->hyp.kernel_address(address));
    if (hit && hit->offset == 0) handler.symbol = image::without_hyp_prefix(hit->name);
  }
  services_.event(Event(Kind::module_handler)
                      .name(handler.module == nullptr ? "" : handler.module->name())
                      .text(handler.symbol)
                      .signed_value(0, result)
                      .value(1, address.value)
                      .record());
  if (result >= 0 && handler_count_ < handlers_.size()) handlers_[handler_count_++] = handler;
  return result;
}

const Module* ModuleLoader::find_module(std::string_view name) const {
  for (const Module& module : modules_)
    if (module.state != ModuleState::free && same_module_name(module.name(), name)) return &module;
  return nullptr;
}

bool ModuleLoader::is_live(std::string_view name) const {
  const Module* module = find_module(name);
  return module != nullptr && module->state == ModuleState::live;
}

const Module* ModuleLoader::module_at(HypVa address) const {
  for (const Module& module : modules_)
    if (module.state != ModuleState::free && module.hyp.contains(address)) return &module;
  return nullptr;
}

const Module* ModuleLoader::module_with(HypVa code) const {
  for (const Module& module : modules_)
    if (module.state != ModuleState::free && module.hyp.covers(code)) return &module;
  return nullptr;
}

const Module* ModuleLoader::module_at(KernVa address) const {
  for (const Module& module : modules_)
    if (module.state != ModuleState::free && module.contains(address)) return &module;
  return nullptr;
}

HandlerLookup ModuleLoader::find_handler(std::string_view name) const {
  const std::size_t slash = name.find('/');
  const bool any_module = slash == std::string_view::npos;
  const std::string_view module = any_module ? std::string_view{} : head(name, slash);
  const std::string_view symbol = any_module ? name : tail(name, slash + 1);
  HandlerLookup found;
  for (const Handler& handler : handlers()) {
    if (handler.module == nullptr || handler.symbol != symbol) continue;
    if (!any_module && !same_module_name(handler.module->name(), module)) continue;
    // The same function registered twice has two numbers: the first one serves.
    if (found.handler == nullptr) found.handler = &handler;
    if (found.handler->module != handler.module) found.ambiguous = true;
  }
  return found;
}

void ModuleLoader::report_begin(const Request& request) {
  services_.event(Event(Kind::module_begin)
                      .name(request.name)
                      .text(request.path)
                      .value(0, request.kind == LoadKind::protected_list ? 1 : 0)
                      .record());
}

void ModuleLoader::report_end(const Request& request, const LoadError& error, int init_result) {
  std::array<char, sizeof(pkvm::event::Record::text)> words{};
  const bool failed = error.problem != Problem::none;
  services_.event(Event(Kind::module_end)
                      .name(request.name)
                      .text(failed ? describe_load(error, init_result, words) : "")
                      .signed_value(0, error.status)
                      .value(1, static_cast<std::uint64_t>(failed ? error.step : Step::done))
                      .signed_value(2, init_result)
                      .record());
}

}  // namespace pkvmemu::kmod
