// SPDX-License-Identifier: GPL-2.0-only
// Addresses that the linker script defines (host.lds).
#pragma once

// Hidden, so that they are reached without the GOT: relocation itself uses them.
#pragma GCC visibility push(hidden)
extern "C" {
extern const char image_begin[], text_end[], rodata_end[], image_end[];
extern const char rela_begin[], rela_end[];
extern char hyp_image_begin[], hyp_image_end[];
extern const char boot_stack_guard[], boot_stack_begin[], boot_stack_end[];
extern char task_struct[];
extern char shadow_stack[];
extern const char per_cpu_addresses[];
}
#pragma GCC visibility pop
