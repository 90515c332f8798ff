// SPDX-License-Identifier: GPL-2.0-only
#include "world.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "linked_module.h"

namespace pkvmemu::kmod::test {

Bytes hyp_module(std::string_view name, pkvm::Generation generation) {
  constexpr std::string_view body = R"(
    .section .init.text, "ax"
    init_module: ret

    .section .hyp.text, "ax"
    .balign 4096
  .Lhyp_text:
    .type __kvm_nvhe_hyp_init, %function
    __kvm_nvhe_hyp_init: nop
    .type __kvm_nvhe_hyp_add, %function
    __kvm_nvhe_hyp_add: ret
    .skip 4096 - (. - .Lhyp_text)

    .section .hyp.bss, "aw", @nobits
    .balign 4096
    .skip 8192

    .section .hyp.rodata, "a"
    .balign 4096
    .section .hyp.event_ids, "a"
    .balign 4096

    .section .hyp.data, "aw"
    .balign 4096
    __kvm_nvhe_hyp_data:
    .quad __kvm_nvhe_hyp_init
    .quad __kvm_nvhe_hyp_data + 16
    .quad 0x1234
    .skip 4096 - 24

    .section .hyp.reloc, "a"
    .word __kvm_nvhe_hyp_data - .
    .word __kvm_nvhe_hyp_data + 8 - .
)";
  return compile_module(body, name, generation);
}

void World::add_module(std::string_view file_name, const Bytes& file,
                       std::string_view dependencies) {
  files_.emplace_back(file_name, file);
  dep_ += fmt::format("{}:{}{}\n", file_name, dependencies.empty() ? "" : " ", dependencies);
}

void World::add_file(std::string_view path, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  files_.emplace_back("/" + std::string(path), Bytes(bytes.begin(), bytes.end()));
}

ModuleLoader& World::boot(std::string_view given_directory) {
  const std::string_view release = pkvm::info(generation_).kernel_release;
  const std::string directory = given_directory.empty() ? fmt::format("lib/modules/{}/", release)
                                                        : std::string(given_directory);
  image::CpioWriter writer;
  for (const auto& [path, bytes] : files_) {
    const std::string whole = path.starts_with('/') ? path : directory + path;
    if (!writer.add_file(whole, bytes)) throw std::runtime_error("bad path");
  }
  if (!dep_.empty() && !writer.add_file(directory + "modules.dep", dep_))
    throw std::runtime_error("bad path");
  archive_ = std::move(writer).finish();
  kernel.init = [this](KernVa address) {
    const Module* module = loader->module_at(address);
    if (module == nullptr) throw std::runtime_error("init of no module");
    const auto found = inits_.find(module->name());
    if (found == inits_.end()) return 0;
    // Tests may look into the records; the loader only hands out const ones.
    return load_and_register(const_cast<Module&>(*module), found->second.symbol,
                             found->second.handlers);
  };
  vermagic_ = fmt::format("{} SMP preempt mod_unload aarch64", release);
  loader.emplace(kernel, LoaderConfig{.generation = generation_,
                                      .defects = defects,
                                      .release = release,
                                      .vermagic = vermagic_,
                                      .initramfs = archive_,
                                      .command_line = command_line});
  return *loader;
}

void World::on_init(std::string_view module, std::string init_symbol,
                    std::vector<std::string> handlers) {
  inits_[std::string(module)] = {.symbol = std::move(init_symbol), .handlers = std::move(handlers)};
}

int World::load_and_register(Module& module, std::string_view init_symbol,
                             const std::vector<std::string>& handlers) {
  const auto& layout = pkvm::info(generation_).module;
  const auto init = module.symbol_address(init_symbol);
  if (!init) throw std::runtime_error("no EL2 init");
  std::memcpy(module.this_module_bytes().data() + layout.arch_hyp + layout.hyp_init, &init->value,
              sizeof(init->value));
  const int status = loader->load_el2_module(module.this_module(), KernVa{token_address});
  if (status != 0) return status;
  // pkvm_el2_mod_va: token + address - the start that the generation's macro takes (3.1).
  std::uint64_t start = 0;
  constexpr std::array<std::size_t, pkvm::generation_count> fields = {0, 80, 96};
  const std::size_t sections_field = fields[static_cast<std::size_t>(generation_)];
  std::memcpy(&start, module.this_module_bytes().data() + layout.arch_hyp + sections_field,
              sizeof(start));
  for (const std::string& handler : handlers) {
    const auto address = module.symbol_address(handler);
    if (!address) throw std::runtime_error("no handler");
    const int number = loader->register_el2_call(
        HypVa{kernel.stored_words.at(token_address) + address->value - start});
    if (number < 0) return number;
    numbers.push_back(number);
  }
  return 0;
}

}  // namespace pkvmemu::kmod::test
